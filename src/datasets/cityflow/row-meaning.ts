import { mapColumns, quoteIdentifier, required } from '../kit/index.ts';
import type { ColumnNames, RowMeaning } from '../kit/index.ts';
import { COUNT_COLUMNS, NETWORK_COLUMNS, WORK_COLUMNS } from './columns.ts';
import type { CountColumn } from './columns.ts';
import { endInstantSql } from './transform/counts.ts';
import { SERVICE } from './transport/columns.ts';
import { RIDES } from './transport/slices.ts';

/**
 * `Dataset.rowsOf` of CityFlow: what was measured once stays, and a list of things stays until one
 * has as many of them. Only disruptions are a state of a moment that nothing can be held against.
 */
export function rowsOf(part: string, columns: readonly string[]): RowMeaning | undefined {
  if (part === 'comptages') return countRows(columns);
  if (part === 'referentiel') return listRows(columns, NETWORK_COLUMNS, 'arc');
  if (part === 'chantiers') return listRows(columns, WORK_COLUMNS, 'id');
  const rides = RIDES[part];
  if (rides !== undefined)
    return keyedRows(
      columns,
      rides.names,
      ['operator', 'network', 'unit', 'name', 'category'],
      ['count'],
    );
  if (part === 'service-quality')
    return keyedRows(columns, SERVICE.names, SERVICE_KEY, [
      'result_pct',
      'result_count',
      'target_pct',
    ]);
  return RECORD_ROWS[part];
}

const SERVICE_KEY = [
  'operator',
  'theme',
  'indicator',
  'mode',
  'submode',
  'line_id',
  'line',
  'quarter',
  'year',
] as const;

/**
 * Rows that several columns name together, with what they tell; a column that a file lacks names
 * nothing.
 */
function keyedRows<Column extends string>(
  columns: readonly string[],
  names: ColumnNames<Column>,
  key: readonly Column[],
  told: readonly Column[],
): RowMeaning {
  const { known } = mapColumns(columns, names);
  const textOf = (name: Column): string => {
    const published = known.get(name);
    return published === undefined ? `''` : `coalesce(${quoteIdentifier(published)}, '')`;
  };
  return {
    key: key.map(textOf).join(` || '/' || `),
    values: Object.fromEntries(told.map((name) => [name, `nullif(${textOf(name)}, '')`])),
    names: Object.fromEntries(known),
  };
}

function countRows(columns: readonly string[]): RowMeaning {
  const { known } = mapColumns(columns, COUNT_COLUMNS);
  const column = (name: CountColumn): string => {
    const published = known.get(name);
    return published === undefined ? 'NULL::VARCHAR' : quoteIdentifier(published);
  };
  const arc = column('arc');
  return {
    key: `${arc} || ' ' || CAST(CAST(epoch(${endInstantSql(column('at'))}) AS BIGINT) AS VARCHAR)`,
    called: `'arc ' || ${arc} || ' at ' || ${column('at')}`,
    subject: arc,
    values: { flow: numberSql(column('flow')), occupancy: numberSql(column('occupancy')) },
    names: Object.fromEntries(known),
  };
}

/** The same text for 582, 582.0 and 582.00; what is no number stays as it is. */
function numberSql(text: string): string {
  return `coalesce(CAST(TRY_CAST(${text} AS DOUBLE) AS VARCHAR), nullif(${text}, ''))`;
}

/**
 * A list of things with a name each: what it tells of a thing is the text of every column that is
 * known.
 */
function listRows<Column extends string>(
  columns: readonly string[],
  names: ColumnNames<Column>,
  id: Column,
): RowMeaning {
  const { known } = mapColumns(columns, names);
  const told = [...known].filter(([name]) => name !== id);
  return {
    key: quoteIdentifier(required(known.get(id), `the column ${id}`)),
    values: Object.fromEntries(
      told.map(([name, published]) => [name, `nullif(${quoteIdentifier(published)}, '')`]),
    ),
    names: Object.fromEntries(known),
  };
}

function ofRecord(path: string): string {
  return `json_extract_string(record, '$.${path}')`;
}

/** Of each hour of a day the temperature, which every source of weather has. */
function hourly(path: (hour: number) => string): Record<string, string> {
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  return Object.fromEntries(
    hours.map((hour) => [`temp_${String(hour).padStart(2, '0')}h`, ofRecord(path(hour))]),
  );
}

/** By part; see `slices/records.ts` for the two columns of their slices. */
const RECORD_ROWS: Readonly<Record<string, RowMeaning>> = {
  bikes: {
    key: 'key',
    subject: "split_part(key, '/', 1)",
    values: { bikes: ofRecord('sum_counts') },
    names: {},
  },
  arrondissements: {
    key: 'key',
    values: {
      district: 'key',
      name: ofRecord('properties.l_aroff'),
      outline: ofRecord('geometry.coordinates'),
    },
    names: {},
  },
  weather: {
    key: 'key',
    values: {
      temp_mean: ofRecord('temp'),
      temp_min: ofRecord('tempmin'),
      temp_max: ofRecord('tempmax'),
      precip: ofRecord('precip'),
      wind: ofRecord('windspeed'),
      ...hourly((hour) => `hours[${hour}].temp`),
    },
    names: {},
  },
  'open-meteo': {
    key: 'key',
    values: {
      temp_mean: ofRecord('daily.temperature_2m_mean'),
      temp_min: ofRecord('daily.temperature_2m_min'),
      temp_max: ofRecord('daily.temperature_2m_max'),
      precip: ofRecord('daily.precipitation_sum'),
      wind: ofRecord('daily.wind_speed_10m_max'),
      ...hourly((hour) => `hourly[${hour}].temperature_2m`),
    },
    names: {},
  },
};
