import { isRecord, textOf } from '../kit/index.ts';
import type { HttpSource } from '../kit/index.ts';

/** Where installed capacity is told: RTE's pages of monthly figures, and ODRE's register by year. */

const REGISTER = '/api/explore/v2.1/catalog/datasets/parc-prod-par-filiere';

/** A page has all months since 2012, whatever days are asked for. */
function monthlyPage(path: string): HttpSource {
  return {
    host: 'rte',
    baseUrl: 'https://analysesetdonnees.rte-france.com',
    pathOf: () => path,
    extension: 'html',
    mediaType: 'text/html; charset=utf-8',
    requestsPerSecond: 1,
    maxBytes: 64 * 2 ** 20,
  };
}

/** `metas.default.data_processed` moves with every change of the data. */
function dataProcessed(document: unknown): string | undefined {
  const metas = isRecord(document) ? document['metas'] : undefined;
  const own = isRecord(metas) ? metas['default'] : undefined;
  return (isRecord(own) ? textOf(own['data_processed']) : null) ?? undefined;
}

/** By part. */
export const PARC_SOURCES: Readonly<Record<string, HttpSource>> = {
  'rte-eolien': monthlyPage('/production/eolien'),
  'rte-solaire': monthlyPage('/production/solaire'),
  'odre-parc': {
    host: 'odre',
    baseUrl: 'https://odre.opendatasoft.com',
    pathOf: () => `${REGISTER}/exports/csv?delimiter=%3B&use_labels=false`,
    freshness: { path: REGISTER, valueOf: dataProcessed },
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
    requestsPerSecond: 2,
    maxBytes: 16 * 2 ** 20,
  },
};
