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

/** As SQL, in the order of the slice. */
export const SLICE_NAMES = Object.keys(SLICE_COLUMNS).join(', ');

/** A total order of the rows of a slice, by which neighbours are alike. */
export const SLICE_ORDER = `meter_key, channel, start_s, revision, file_time NULLS FIRST, energy_wh NULLS FIRST, quality, refused NULLS FIRST,
  stamp NULLS FIRST, value NULLS FIRST, unit, dialect, file, line`;
