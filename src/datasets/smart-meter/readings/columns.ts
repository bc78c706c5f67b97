/** What a slice of readings holds: the published rows of a day beside what they say in our words; ids of meters are in the raw files alone. */
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

/** A total order of the rows of a slice, by which neighbours are alike; columns where nulls come first are marked. */
const ORDER: readonly (readonly [column: keyof typeof SLICE_COLUMNS, nullsFirst?: true])[] = [
  ...([['meter_key'], ['channel'], ['start_s'], ['revision'], ['file_time', true], ['energy_wh', true]] as const),
  ...([['quality'], ['refused', true], ['stamp', true], ['value', true]] as const),
  ...([['unit'], ['dialect'], ['file'], ['line']] as const),
];

/** Columns that are the same in every row, with the SQL of what they are. */
export type Constants = Readonly<Partial<Record<keyof typeof SLICE_COLUMNS, string>>>;

/** The columns that are not the same in all rows, in the order of the slice. */
export function ownColumns(constants: Constants): string {
  return NAMES.filter((name) => constants[name] === undefined).join(', ');
}

/**
 * Rows of `from` in the order of a slice. What is the same in all rows is not carried through the sort: half of the columns of most
 * files.
 */
export function orderedSql(from: string, where: string, constants: Constants): string {
  const order = ORDER.filter(([name]) => constants[name] === undefined);
  const all = NAMES.map((name) => {
    const constant = constants[name];
    return constant === undefined ? name : `${constantSql(constant, SLICE_COLUMNS[name])} AS ${name}`;
  });
  return `SELECT ${all.join(', ')} FROM (SELECT ${ownColumns(constants)}
    FROM ${from} WHERE ${where} ORDER BY ${order.map(([name, first]) => (first === true ? `${name} NULLS FIRST` : name)).join(', ')})`;
}

/** Constant texts are quoted. */
function constantSql(constant: string, type: string): string {
  return type === 'VARCHAR' && constant !== 'NULL'
    ? `CAST(${constant} AS ENUM(${constant}))`
    : `CAST(${constant} AS ${type})`;
}
