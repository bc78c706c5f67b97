import type { Dialect } from './dialect.ts';
import { publishedRows } from './dialect.ts';
import { columnSql, csvRows, hasColumn, headerOf } from './csv.ts';

/**
 * Half-hours of London households (Low Carbon London): kWh of the half-hour that begins at the
 * stamp, clock of London. The header ends in a blank, values are padded, `Null` is a missing value,
 * and some stamps lie off the half-hours.
 */
const SHAPE = { delimiter: ',', skip: 0 } as const;

/** Steps of 30 minutes, times without offset in Europe/London. */
export const london: Dialect = {
  id: 'lcl',
  title: 'half-hours of London households (LCL)',
  matches: ({ lines }) => {
    const header = lines[0].split(',');
    return hasColumn(header, 'LCLid') && hasColumn(header, 'KWH/hh (per half hour)');
  },
  open(head) {
    const names = headerOf(head, SHAPE);
    const of = (name: string): string => columnSql(names, name);
    const value = of('KWH/hh (per half hour)');
    const select = publishedRows(
      {
        line: 'line',
        meter_id: of('LCLid'),
        stamp: `regexp_replace(coalesce(${of('DateTime')}, ${of('tstp')}), '[.]0+$', '')`,
        zone: `'Europe/London'`,
        value: `CASE WHEN lower(${value}) = 'null' THEN NULL ELSE ${value} END`,
        unit: `'kWh'`,
        step_min: '30',
      },
      csvRows(head.path, names, SHAPE),
    );
    return Promise.resolve({ select, extension: 'csv', mediaType: 'text/csv' });
  },
};
