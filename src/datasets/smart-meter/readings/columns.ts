import { quoteTexts } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import { fewTextsSql } from '../tables.ts';

/**
 * What a slice of readings holds: the rows of a day in our words. What was published is beside it
 * (`stamp`, `value`) where a row is refused; of the others the raw file has it, at `file` and
 * `line`. Ids of meters are in the raw files alone.
 */
export const SLICE_COLUMNS = {
  meter_key: 'UBIGINT',
  channel: 'VARCHAR',
  start_s: 'BIGINT',
  zone: 'VARCHAR',
  step_min: 'INTEGER',
  energy_wh: 'DECIMAL(12, 5)',
  quality: 'VARCHAR',
  revision: 'TINYINT',
  file_time: 'VARCHAR',
  value_raw: 'DOUBLE',
  temperature_raw: 'DOUBLE',
  humidity_raw: 'DOUBLE',
  wind_speed_raw: 'DOUBLE',
  avg_past_raw: 'DOUBLE',
  label: 'VARCHAR',
  refused: 'VARCHAR',
  stamp: 'VARCHAR',
  value: 'VARCHAR',
  unit: 'VARCHAR',
  dialect: 'VARCHAR',
  file: 'VARCHAR',
  line: 'BIGINT',
} as const;

/** The columns of a slice, in their order. */
export const NAMES = Object.keys(SLICE_COLUMNS) as (keyof typeof SLICE_COLUMNS)[];

/** As SQL. */
export const SLICE_NAMES = NAMES.join(', ');

/**
 * A total order of the rows of a slice: numbers alone where they are of one file, so that millions
 * of rows are compared as bytes of one length.
 */
const ORDER: readonly (keyof typeof SLICE_COLUMNS)[] = [
  'meter_key',
  'channel',
  'start_s',
  'file',
  'line',
];

/** In order, for rows to be. */
export const CHANNELS = ['export', 'import'];

/** Columns of a few texts each. */
const FEW_TEXTS = ['zone', 'unit', 'dialect', 'file'] as const;

/** The texts of columns that rows of a slice share, in order; none of a column that has none. */
export type Texts = Readonly<Partial<Record<keyof typeof SLICE_COLUMNS, readonly string[]>>>;

/** Columns that are the same in every row, with the SQL of what they are. */
export type Constants = Readonly<Partial<Record<keyof typeof SLICE_COLUMNS, string>>>;

/**
 * SQL types by which texts are numbers while rows are sorted; they are written as the texts that
 * they are.
 */
export type CarriedTypes = Readonly<Partial<Record<keyof typeof SLICE_COLUMNS, string>>>;

/** The columns that are not the same in all rows, in the order of the slice. */
export function ownColumns(constants: Constants): string {
  return NAMES.filter((name) => constants[name] === undefined).join(', ');
}

/**
 * The texts of those columns of few texts that are no constants, which the rows themselves have to
 * say.
 */
export async function textsOf(
  sql: SqlSession,
  from: string,
  where: string,
  constants: Constants,
): Promise<Texts> {
  const unknown = FEW_TEXTS.filter((name) => constants[name] === undefined);
  if (unknown.length === 0) return {};
  const [found] = await sql.rows<Partial<Record<string, readonly string[] | null>>>(
    `SELECT ${unknown.map((name) => `list_sort(list(DISTINCT ${name})) AS ${name}`).join(', ')} FROM ${from} WHERE ${where}`,
  );
  return Object.fromEntries(unknown.map((name) => [name, found?.[name] ?? []]));
}

/**
 * Rows of `from` in the order of a slice. What is the same in all rows is not carried through the
 * sort: half of the columns of most files. Bytes are the same whether a text is known to be the
 * same in all rows or was found to be (`texts`).
 */
export function orderedSql(
  from: string,
  where: string,
  {
    constants,
    texts,
    carried = {},
  }: { readonly constants: Constants; readonly texts: Texts; readonly carried?: CarriedTypes },
): string {
  const order = ORDER.filter((name) => constants[name] === undefined);
  const all = NAMES.map((name) => {
    const constant = constants[name];
    if (constant !== undefined) return `${constantSql(name, constant)} AS ${name}`;
    return carried[name] === undefined
      ? name
      : `CAST(${name} AS ${SLICE_COLUMNS[name]}) AS ${name}`;
  });
  const few: Texts = { channel: CHANNELS, ...texts };
  const own = NAMES.filter((name) => constants[name] === undefined);
  const typed = own.map(
    (name) => `${carriedSql(name, carried[name]) ?? fewTextsSql(name, few[name] ?? [])} AS ${name}`,
  );
  return `SELECT ${all.join(', ')} FROM (SELECT * FROM (SELECT ${typed.join(', ')} FROM ${from} WHERE ${where}) ORDER BY ${order.join(', ')})`;
}

function carriedSql(name: string, type: string | undefined): string | undefined {
  return type === undefined ? undefined : `CAST(${name} AS ${type})`;
}

/** Of the types that rows have which say them one by one, so that bytes are the same. */
function constantSql(name: keyof typeof SLICE_COLUMNS, constant: string): string {
  if (constant === 'NULL') return `CAST(NULL AS ${SLICE_COLUMNS[name]})`;
  if (name === 'channel') return `CAST(${constant} AS ENUM(${quoteTexts(CHANNELS)}))`;
  return FEW_TEXTS.some((one) => one === name)
    ? `CAST(${constant} AS ENUM(${constant}))`
    : `CAST(${constant} AS ${SLICE_COLUMNS[name]})`;
}
