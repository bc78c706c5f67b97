import { zonedDay } from '../../../src/pipelines/zoned-day.ts';

/**
 * Exports of a region or two, written by hand: what a real one has, with the traps of clocks and
 * revisions.
 */

const ZONE = 'Europe/Paris';

export interface RegionalRow {
  readonly region: string;
  /** Quarters of an hour since the start of the day. */
  readonly quarter: number;
  readonly values: Readonly<Record<string, string | number | null>>;
  /** Printed instead of the local clock. */
  readonly clock?: string;
}

export const MEASURES = [
  ...[
    'consommation',
    'thermique',
    'nucleaire',
    'eolien',
    'solaire',
    'hydraulique',
    'pompage',
    'bioenergies',
  ],
  ...['ech_physiques', 'tco_eolien', 'tch_eolien'],
];

export const LABELS: Readonly<Record<string, string>> = {
  code_insee_region: 'Code INSEE région',
  libelle_region: 'Région',
  nature: 'Nature',
  date: 'Date',
  heure: 'Heure',
  date_heure: 'Date - Heure',
  consommation: 'Consommation (MW)',
  thermique: 'Thermique (MW)',
  nucleaire: 'Nucléaire (MW)',
  eolien: 'Eolien (MW)',
  solaire: 'Solaire (MW)',
  hydraulique: 'Hydraulique (MW)',
  pompage: 'Pompage (MW)',
  bioenergies: 'Bioénergies (MW)',
  ech_physiques: 'Ech. physiques (MW)',
  tco_eolien: 'TCO Eolien (%)',
  tch_eolien: 'TCH Eolien (%)',
};

export const HEAD = [
  'code_insee_region',
  'libelle_region',
  'nature',
  'date',
  'heure',
  'date_heure',
  ...MEASURES,
];

export function quartersOf(date: string): number {
  return zonedDay(date, ZONE).hours * 4;
}

/** An export of a day. */
export function regionalCsv(
  date: string,
  nature: string,
  rows: readonly RegionalRow[],
  name: (column: string) => string = (column) => column,
): string {
  const start = Date.parse(zonedDay(date, ZONE).startAt);
  const lines = rows.map(({ region, quarter, values, clock }) => {
    const at = new Date(start + quarter * 900_000);
    const local = at.toLocaleTimeString('fr-FR', {
      timeZone: ZONE,
      hour: '2-digit',
      minute: '2-digit',
    });
    const instant = `${at.toISOString().slice(0, 19)}+00:00`;
    const cells = MEASURES.map((measure) => values[measure] ?? '');
    return [region, `Région ${region}`, nature, date, clock ?? local, instant, ...cells].join(';');
  });
  return [HEAD.map(name).join(';'), ...lines, ''].join('\n');
}
