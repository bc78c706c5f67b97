import { quoteText } from '../../kit/index.ts';
import type { Dialect } from './dialect.ts';
import { minutesSql, publishedRows, revisionSql } from './dialect.ts';

/**
 * The answer of the distributor's API for one meter: the END of each interval in local time without
 * offset, mean power in W.
 */
export const linkyApi: Dialect = {
  id: 'linky-api',
  title: 'load curve of the distributor’s API (Linky)',
  matches: ({ text }) => /^\s*\{/.test(text) && /"interval_reading"\s*:/.test(text),
  open(head) {
    const from = `(
      WITH document AS (SELECT coalesce(json->'meter_reading', json) AS d
          FROM read_json_objects(${quoteText(head.path)}, maximum_object_size = 67108864)),
        points AS (SELECT d, unnest(CAST(d->'interval_reading' AS JSON[])) AS p FROM document)
      SELECT *, row_number() OVER () AS line FROM points)`;
    const select = publishedRows(
      {
        line: 'line',
        meter_id: `(d->>'usage_point_id')`,
        channel: `CASE d->'reading_type'->>'flow_direction' WHEN 'production' THEN 'export' ELSE 'import' END`,
        stamp: `(p->>'date')`,
        is_end: 'true',
        zone: `'Europe/Paris'`,
        value: `(p->>'value')`,
        unit: `coalesce(d->'reading_type'->>'unit', 'W')`,
        step_min: minutesSql(`(p->>'interval_length')`),
        quality: `CASE p->>'measure_type' WHEN 'E' THEN 'E' WHEN 'C' THEN 'C' ELSE 'A' END`,
        revision: revisionSql(`(d->>'quality')`),
      },
      from,
    );
    return Promise.resolve({ select, extension: 'json', mediaType: 'application/json' });
  },
};
