import { odsDays, opendatasoftExport } from '../kit/index.ts';
import type { HttpSource } from '../kit/index.ts';

/** How both datasets are asked for at the portal. */

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
    // `date` is the civil day in Paris.
    query: (window) => [...FORMAT, odsDays('date', window)],
    // All years at once have about 600 MB.
    maxBytes: 1024 * 2 ** 20,
  });
}

/** The portal's name of each dataset, by part. */
export const DATASET_OF = {
  tr: 'eco2mix-regional-tr',
  'cons-def': 'eco2mix-regional-cons-def',
} as const;
/** `tr` is real time, `cons-def` consolidated and later definitive. */
export type Part = keyof typeof DATASET_OF;

/** By part: the regional datasets of the ODRÉ portal. */
export const PORTAL_SOURCES: Readonly<Record<string, HttpSource>> = {
  tr: portalSource(DATASET_OF.tr),
  'cons-def': portalSource(DATASET_OF['cons-def']),
};
