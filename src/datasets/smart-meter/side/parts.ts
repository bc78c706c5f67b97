/** Small files beside the readings: what each has, and for which days a row holds. */

/** How a column is read; `meter` is an id that becomes a key at once. */
export type SideType = 'text' | 'number' | 'date' | 'instant' | 'meter';

/** A kind of small file. */
export interface SidePart {
  readonly id: string;
  readonly title: string;
  /** In the order of the slice; a `meter` is published as `meter_id` and kept as `meter_key`. */
  readonly columns: Readonly<Record<string, SideType>>;
  /** Columns that a file must have and that every row must fill. */
  readonly required: readonly string[];
  /**
   * - validity: a row holds from its `valid_from` until the next one of the same key
   * - date: a row is of its `date`
   * - instant: a row is of the day of its `read_at`, and of the day that ends there
   * - span: a row holds for every day that `[start_at, end_at)` touches
   */
  readonly holds: 'validity' | 'date' | 'instant' | 'span';
  /** Columns by which a row replaces another. */
  readonly key: readonly string[];
  /** Asked from the head-end; the others are imported. */
  readonly isOverHttp: boolean;
}

/** Energies are Wh, powers kVA, dates civil days of Paris. */
export const SIDE_PARTS: readonly SidePart[] = [
  {
    id: 'meters',
    title: 'Meters: segment, region, transformer, contracted power',
    columns: {
      meter_id: 'meter',
      valid_from: 'date',
      segment: 'text',
      region: 'text',
      transformer: 'text',
      feeder: 'text',
      kva: 'number',
      tariff: 'text',
      dials: 'number',
    },
    required: ['meter_id', 'valid_from', 'segment'],
    holds: 'validity',
    key: ['meter_key'],
    isOverHttp: true,
  },
  {
    id: 'injected',
    title: 'Energy that transformers gave to their meters',
    columns: { transformer: 'text', date: 'date', injected_wh: 'number' },
    required: ['transformer', 'date', 'injected_wh'],
    holds: 'date',
    key: ['transformer', 'date'],
    isOverHttp: true,
  },
  {
    id: 'registers',
    title: 'Counters of meters at an instant',
    columns: { meter_id: 'meter', read_at: 'instant', register_wh: 'number' },
    required: ['meter_id', 'read_at', 'register_wh'],
    holds: 'instant',
    key: ['meter_key', 'read_at'],
    isOverHttp: false,
  },
  {
    id: 'outages',
    title: 'Known outages of transformers',
    columns: { transformer: 'text', start_at: 'instant', end_at: 'instant' },
    required: ['transformer', 'start_at', 'end_at'],
    holds: 'span',
    key: ['transformer', 'start_at'],
    isOverHttp: false,
  },
  {
    id: 'weather',
    title: 'Mean temperature of days',
    columns: { date: 'date', temperature_c: 'number' },
    required: ['date', 'temperature_c'],
    holds: 'date',
    key: ['date'],
    isOverHttp: true,
  },
  {
    id: 'billed',
    title: 'Energy that was billed and collected',
    columns: {
      meter_id: 'meter',
      start_at: 'instant',
      end_at: 'instant',
      billed_wh: 'number',
      collected_share: 'number',
    },
    required: ['meter_id', 'start_at', 'end_at', 'billed_wh'],
    holds: 'span',
    key: ['meter_key', 'start_at'],
    isOverHttp: false,
  },
  {
    id: 'prices',
    title: 'Prices by tariff',
    columns: { tariff: 'text', valid_from: 'date', eur_per_kwh: 'number' },
    required: ['tariff', 'valid_from', 'eur_per_kwh'],
    holds: 'validity',
    key: ['tariff'],
    isOverHttp: false,
  },
];

const SQL_TYPES: Readonly<Record<SideType, string>> = {
  text: 'VARCHAR',
  number: 'DECIMAL(18, 5)',
  date: 'DATE',
  instant: 'TIMESTAMPTZ',
  meter: 'UBIGINT',
};

/** The columns of a slice with their SQL types. */
export function sideColumns({ columns }: Pick<SidePart, 'columns'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [
      type === 'meter' ? 'meter_key' : name,
      SQL_TYPES[type],
    ]),
  );
}

/** The columns of the slices of a part, by its id. */
export function columnsOfSide(id: string): Record<string, string> {
  const part = SIDE_PARTS.find((candidate) => candidate.id === id);
  return part === undefined ? {} : sideColumns(part);
}
