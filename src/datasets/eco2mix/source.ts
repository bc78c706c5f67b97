import { odsDays, opendatasoftExport } from '../kit/index.ts';
import type { HttpSource } from '../kit/index.ts';

/** How the two datasets are asked for at the portal. */

/**
 * Short names rather than labels: they have not changed since 2012, and they are the same in both
 * datasets.
 */
const FORMAT = [
  'delimiter=%3B',
  `timezone=${encodeURIComponent('Europe/Paris')}`,
  'use_labels=false',
];

function portalSource(dataset: string): HttpSource {
  return opendatasoftExport({
    host: 'odre',
    baseUrl: 'https://odre.opendatasoft.com',
    dataset,
    format: 'csv',
    // `date` is the civil day in Paris: rows without load (placeholders of days to come) have it
    // too.
    query: (window) => [...FORMAT, odsDays('date', window)],
    // All years at once have about 100 MB.
    maxBytes: 512 * 2 ** 20,
  });
}

/** By part. */
export const PORTAL_SOURCES: Readonly<Record<string, HttpSource>> = {
  tr: portalSource('eco2mix-national-tr'),
  'cons-def': portalSource('eco2mix-national-cons-def'),
};
