import type { Answer } from '../answer.ts';
import { textAnswer } from '../answer.ts';
import { cityDataset } from '../city/table.ts';
import type { PortalDataset } from '../dataset.ts';
import type { PortalRequest } from '../requests.ts';
import type { Rated } from './capacity.ts';
import {
  capacityOf,
  factorOf,
  hoursOf,
  monthsUntil,
  registeredYears,
  registerRow,
} from './capacity.ts';

/** RTE's pages of monthly figures and ODRE's register, over the made-up fleet. */

const PAGES: Readonly<Record<string, readonly Rated[]>> = {
  '/production/eolien': ['eolien_terrestre', 'eolien_en_mer'],
  '/production/solaire': ['solaire'],
};

const NAMES: Readonly<Record<Rated, string>> = {
  eolien_terrestre: 'Eolien terrestre',
  eolien_en_mer: 'Eolien en mer',
  solaire: 'Production solaire',
};

/** The page at a path; undefined for any other. */
export function pageAnswer({ path }: PortalRequest, seed: number, now: Date): Answer | undefined {
  const sources = PAGES[path];
  if (sources === undefined) return undefined;
  const charts = [production(sources, seed, now), factors(sources, seed, now)];
  const script = charts
    .map((chart, index) => `const chart${index} = JSON.parse('${literal(chart)}');`)
    .join('\n');
  const html = `<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>Production</title></head>
<body><main>Production d’électricité : l’année en cours n’est pas complète.</main>
<script>const words = JSON.parse('[]');
${script}</script></body></html>
`;
  return textAnswer(200, 'text/html; charset=utf-8', html);
}

/** As a script holds it between single quotes: letters with accents as escapes of JavaScript. */
function literal(chart: unknown): string {
  return JSON.stringify(chart)
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

type Chart = Record<string, unknown>;

function production(sources: readonly Rated[], seed: number, now: Date): Chart {
  return chartOf(
    sources,
    now,
    ({ source, index }) => [`0${index}_${NAMES[source]}`, NAMES[source]],
    {
      inner: 'filiere',
      valueOf: (source, year, month) => {
        const capacity = capacityOf(source, year, month);
        if (capacity === null) return null;
        // TWh with six decimals: a megawatt-hour.
        return (
          Math.round(
            capacity * hoursOf(year, month) * (factorOf(source, seed, year, month) / 100),
          ) / 1e6
        );
      },
    },
  );
}

function factors(sources: readonly Rated[], seed: number, now: Date): Chart {
  const valueOf = (source: Rated, year: number, month: number): number | null =>
    capacityOf(source, year, month) === null ? null : factorOf(source, seed, year, month);
  const mean = chartOf(
    sources,
    now,
    ({ source, index }) => [
      `0${index}_${NAMES[source]} - Facteur de charge moyen`,
      source === 'solaire' ? 'Facteur de charge solaire' : 'Facteur de charge moyen',
    ],
    { inner: 'global', valueOf },
  );
  const most = chartOf(
    sources,
    now,
    ({ source, index }) => [
      `1${index}_${NAMES[source]} - Facteur de charge max`,
      'Facteur de charge max',
    ],
    { inner: 'global', valueOf: (...of) => (valueOf(...of) === null ? null : 88) },
  );
  return { ...mean, ...most };
}

interface ChartValues {
  readonly inner: 'filiere' | 'global';
  readonly valueOf: (source: Rated, year: number, month: number) => number | null;
}

function chartOf(
  sources: readonly Rated[],
  now: Date,
  keyOf: (entry: {
    readonly source: Rated;
    readonly index: number;
  }) => readonly [key: string, name: string],
  { inner, valueOf }: ChartValues,
): Chart {
  return Object.fromEntries(
    sources.map((source, place) => {
      const [key, name] = keyOf({ source, index: place + 1 });
      const monthlyData: Record<string, Record<string, number | null>> = {};
      for (const { year, month } of monthsUntil(now)) {
        const months = (monthlyData[String(year)] ??= {});
        months[String(month)] = valueOf(source, year, month);
      }
      return [key, { name, data: { [inner]: { monthlyData } } }];
    }),
  );
}

const FIELDS = [
  ['annee', 'Annee'],
  ['parc_thermique_fossile', 'Parc thermique fossile (MW)'],
  ['parc_fioul', 'Parc fioul (MW)'],
  ['parc_charbon', 'Parc charbon (MW)'],
  ['parc_gaz', 'Parc gaz (MW)'],
  ['parc_hydraulique', 'Parc hydraulique (MW)'],
  ['parc_nucleaire', 'Parc nucleaire (MW)'],
  ['parc_solaire', 'Parc solaire (MW)'],
  ['parc_eolien', 'Parc eolien (MW)'],
  ['parc_bioenergie', 'Parc bioenergie (MW)'],
] as const;

/** The register as a dataset of the portal. */
export function registerDataset(): PortalDataset {
  return cityDataset({
    id: 'parc-prod-par-filiere',
    title: 'Parc national annuel de production par filière',
    fields: FIELDS.map(([name, label]) => ({
      name,
      label,
      type: name === 'annee' ? 'text' : 'int',
    })),
    processedAt: (now) => Date.UTC(Math.max(...registeredYears(now)) + 1, 2, 1),
    *rows(_, processedAt) {
      for (const year of registeredYears(new Date(processedAt + 86_400_000)))
        yield registerRow(year);
    },
    lineEnd: '\n',
  });
}
