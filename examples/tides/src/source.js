/**
 * Where the levels come from. There is no such publisher: set QUOTIDIEN_HARBOUR_URL to the address
 * of yours, or import files with `quotidien import tides <file>`.
 * @type {import('quotidien/kit').HttpSource}
 */
export const LEVEL_SOURCE = {
  host: 'harbour',
  baseUrl: 'https://harbour.invalid',
  pathOf: ({ from, to }) => `/levels.csv?from=${from}&to=${to}`,
  extension: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  requestsPerSecond: 2,
};
