import { csvText, SAMPLE_WORDS } from '../../kit/index.ts';
import type { CsvCell } from '../../kit/index.ts';
import type { CapacityRow } from '../capacity.ts';

/** The report of a day: what was installed in its month. */
export interface ParcReport {
  readonly schema: 'parc.report/1';
  readonly date: string;
  readonly period: string;
  readonly rows: readonly CapacityRow[];
  /** The parts whose rows a sample portal made up; absent where none is. */
  readonly sample_data?: readonly string[];
}

const HEADER = [
  'mois',
  'filiere',
  'production_mwh',
  'facteur_charge',
  'parc_deduit_mw',
  'registre_debut_mw',
  'registre_fin_mw',
  'ecart_mw',
  'parc_mw',
  'origine',
];

/**
 * For French spreadsheets: `;`, decimal comma, LF. A last column is there only where rows are made
 * up.
 */
export function reportCsv({ rows, sample_data: sample }: ParcReport): string {
  const body = rows.map((row): CsvCell[] => [
    row.period,
    row.source,
    french(row.production_mwh),
    french(row.load_factor),
    french(row.derived_mw),
    french(row.register_before_mw),
    french(row.register_mw),
    french(row.difference_mw),
    french(row.capacity_mw),
    row.capacity_from,
  ]);
  if (sample === undefined) return csvText([HEADER, ...body]);
  const marked = body.map((cells) => [...cells, `${SAMPLE_WORDS} : ${sample.join(' ')}`]);
  return csvText([[...HEADER, 'donnees_exemple'], ...marked]);
}

function french(value: number | null): string {
  return value === null ? '' : String(value).replace('.', ',');
}
