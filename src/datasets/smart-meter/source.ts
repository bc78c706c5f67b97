import type { HttpSource } from '../kit/index.ts';
import { SIDE_PARTS } from './side/parts.ts';

/**
 * A head-end gives the readings of all its meters for a span of days, with what came late and what
 * was corrected since, and lists beside them. There is no public one: until the configuration has
 * its address and key, these parts are closed, and files are imported.
 */
const MAX_BYTES = 8 * 2 ** 30;

function headEnd(what: string): HttpSource {
  return {
    host: 'head-end',
    baseUrl: 'https://head-end.invalid',
    pathOf: ({ from, to }) => `/head-end/v1/${what}?from=${from}&to=${to}`,
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
    requestsPerSecond: 2,
    maxBytes: MAX_BYTES,
    credential: { place: 'header', name: 'x-api-key' },
  };
}

/** By part. */
export const METER_SOURCES: Readonly<Record<string, HttpSource>> = {
  'head-end': headEnd('readings'),
  ...Object.fromEntries(
    SIDE_PARTS.filter(({ isOverHttp }) => isOverHttp).map(({ id }) => [id, headEnd(id)]),
  ),
};
