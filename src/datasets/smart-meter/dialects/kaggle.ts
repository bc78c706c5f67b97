import { quoteText } from '../../kit/index.ts';
import type { Dialect } from './dialect.ts';
import { publishedRows } from './dialect.ts';
import { columnSql, csvRows, headerOf } from './csv.ts';

/**
 * The labelled research file, as published (ISO times) and as a spreadsheet saved it (`MM/DD/YYYY
 * H:mm`, CRLF). It names no meter and no zone; 02:00 exists on the days on which clocks change, so
 * its days are those of UTC. Values lie between 0 and 1; they are declared to mean 10 kWh, and stay
 * as they are beside the scaled ones.
 */
const HEADER =
  'Timestamp,Electricity_Consumed,Temperature,Humidity,Wind_Speed,Avg_Past_Consumption,Anomaly_Label';

/** The only meter of the file. */
export const KAGGLE_METER = 'kaggle-1';

const SHAPE = { delimiter: ',', skip: 0 } as const;

/** Recognised by its whole header; its labels are kept and counted as published. */
export const kaggle: Dialect = {
  id: 'kaggle',
  title: 'labelled half-hours of one meter (Kaggle)',
  matches: ({ lines }) => lines[0] === HEADER,
  open(head) {
    const names = headerOf(head, SHAPE);
    const of = (name: string): string => columnSql(names, name);
    const select = publishedRows(
      {
        line: 'line',
        meter_id: quoteText(KAGGLE_METER),
        stamp: of('Timestamp'),
        zone: `'UTC'`,
        value: of('Electricity_Consumed'),
        unit: `'10kWh'`,
        step_min: '30',
        temperature_raw: `TRY_CAST(${of('Temperature')} AS DOUBLE)`,
        humidity_raw: `TRY_CAST(${of('Humidity')} AS DOUBLE)`,
        wind_speed_raw: `TRY_CAST(${of('Wind_Speed')} AS DOUBLE)`,
        avg_past_raw: `TRY_CAST(${of('Avg_Past_Consumption')} AS DOUBLE)`,
        label: of('Anomaly_Label'),
      },
      csvRows(head.path, names, SHAPE),
    );
    return Promise.resolve({ select, extension: 'csv', mediaType: 'text/csv' });
  },
};
