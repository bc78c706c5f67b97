import { opendatasoftExport } from '../kit/index.ts';
import type { HttpSource } from '../kit/index.ts';

/**
 * Where installed capacity is told: RTE's pages of monthly figures, and ODRE's register by year.
 */

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

/** By part. */
export const PARC_SOURCES: Readonly<Record<string, HttpSource>> = {
  'rte-eolien': monthlyPage('/production/eolien'),
  'rte-solaire': monthlyPage('/production/solaire'),
  'odre-parc': opendatasoftExport({
    host: 'odre',
    baseUrl: 'https://odre.opendatasoft.com',
    dataset: 'parc-prod-par-filiere',
    format: 'csv',
    query: () => ['delimiter=%3B', 'use_labels=false'],
    maxBytes: 16 * 2 ** 20,
  }),
};
