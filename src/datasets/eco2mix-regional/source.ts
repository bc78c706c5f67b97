import type { FetchWindow, HttpSource } from '../kit/index.ts';

/** How both datasets are asked for at the portal (Opendatasoft Explore API v2.1). */

const CATALOG = '/api/explore/v2.1/catalog/datasets';
const FORMAT = ['delimiter=%3B', `timezone=${encodeURIComponent('Europe/Paris')}`, 'use_labels=false'];

/** `date` is the civil day in Paris. */
function where({ from, to }: FetchWindow): string {
  return from === to ? `date=date'${from}'` : `date>=date'${from}' and date<=date'${to}'`;
}

/** `metas.default.data_processed` moves with every change of the data; `modified` does not. */
function dataProcessed(document: unknown): string | undefined {
  const { metas } = (document ?? {}) as { metas?: { default?: { data_processed?: unknown } } };
  const value = metas?.default?.data_processed;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function portalSource(dataset: string): HttpSource {
  return {
    host: 'odre',
    baseUrl: 'https://odre.opendatasoft.com',
    pathOf: (window) => {
      const query = [...FORMAT, `where=${encodeURIComponent(where(window))}`].join('&');
      return `${CATALOG}/${dataset}/exports/csv?${query}`;
    },
    freshness: { path: `${CATALOG}/${dataset}`, valueOf: dataProcessed },
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
    requestsPerSecond: 2,
    // All years at once have about 600 MB.
    maxBytes: 1024 * 2 ** 20,
  };
}

/** The portal's name of each dataset, by part. */
export const DATASET_OF = { tr: 'eco2mix-regional-tr', 'cons-def': 'eco2mix-regional-cons-def' } as const;
export type Part = keyof typeof DATASET_OF;

export const PORTAL_SOURCES: Readonly<Record<string, HttpSource>> = {
  tr: portalSource(DATASET_OF.tr),
  'cons-def': portalSource(DATASET_OF['cons-def']),
};
