import type { FetchWindow, HttpSource } from '../kit/index.ts';

/** How the two datasets are asked for at the portal (Opendatasoft Explore API v2.1). */

const BASE_URL = 'https://odre.opendatasoft.com';
const CATALOG = '/api/explore/v2.1/catalog/datasets';

/** Short names rather than labels: they have not changed since 2012, and they are the same in both datasets. */
const FORMAT = ['delimiter=%3B', `timezone=${encodeURIComponent('Europe/Paris')}`, 'use_labels=false'];

/** `date` is the civil day in Paris: rows without load (placeholders of days to come) have it too. */
function where({ from, to }: FetchWindow): string {
  return from === to ? `date=date'${from}'` : `date>=date'${from}' and date<=date'${to}'`;
}

/** `metas.default.data_processed` moves with every change of the data; `modified` is that of the description, and frozen. */
function dataProcessed(document: unknown): string | undefined {
  const metas = memberOf(document, 'metas');
  const value = memberOf(memberOf(metas, 'default'), 'data_processed');
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function portalSource(dataset: string): HttpSource {
  return {
    host: 'odre',
    baseUrl: BASE_URL,
    pathOf: (window) => {
      const query = [...FORMAT, `where=${encodeURIComponent(where(window))}`].join('&');
      return `${CATALOG}/${dataset}/exports/csv?${query}`;
    },
    freshness: { path: `${CATALOG}/${dataset}`, valueOf: dataProcessed },
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
    requestsPerSecond: 2,
    // All years at once have about 100 MB.
    maxBytes: 512 * 2 ** 20,
  };
}

/** By part. */
export const PORTAL_SOURCES: Readonly<Record<string, HttpSource>> = {
  tr: portalSource('eco2mix-national-tr'),
  'cons-def': portalSource('eco2mix-national-cons-def'),
};
