import {
  checkResult,
  copyToParquet,
  dayByDay,
  dayOf,
  headerReader,
  inputOf,
  jsonOutput,
  parquetSql,
  plainStep,
  quoteIdentifier,
  utf8,
} from 'quotidien/kit';
import { PLAUSIBLE } from './definition.js';
import { LAYOUT } from './slice.js';

/**
 * The code of each step: from the files of its inputs to the bytes of its outputs. Same inputs,
 * same bytes.
 */

const COLUMNS = headerReader([
  { name: 'at', aliases: LAYOUT.names.at },
  { name: 'level', aliases: LAYOUT.names.level },
]);

/** The slice as typed rows: `hour_at` an instant, `level_m` in metres. */
export const transformLevels = dayByDay(async (unit, _task, sql) => {
  const from = parquetSql(inputOf(unit, 'levels')?.path ?? '');
  const names = (await sql.rows(`DESCRIBE SELECT * FROM ${from}`)).map(({ column_name: name }) =>
    String(name),
  );
  const header = COLUMNS.read(names, 'the slice');
  const [at, level] = ['at', 'level'].map((name) => quoteIdentifier(header.known.get(name) ?? ''));
  const typed = `SELECT CAST(${at} AS TIMESTAMPTZ) AS hour_at, CAST(${level} AS DECIMAL(6, 2)) AS level_m FROM ${from}`;
  const core = await copyToParquet(
    sql,
    `${typed} ORDER BY hour_at, level_m`,
    `levels-${unit.scope}`,
  );
  const failing = await sql.rows(
    `SELECT CAST(hour_at AS VARCHAR) AS hour_at, level_m FROM (${typed}) WHERE level_m NOT BETWEEN -2 AND 15`,
  );
  return {
    outputs: { core },
    checks: [checkResult(PLAUSIBLE, core.rows, failing)],
    facts: { rows: core.rows, coverage: core.rows / dayOf(unit).hours },
  };
});

/** The figures of the day. */
export const metricsDay = dayByDay(async (unit, _task, sql) => {
  const from = parquetSql(inputOf(unit, 'core')?.path ?? '');
  const [figures] = await sql.rows(
    `SELECT max(level_m) AS highest_m, min(level_m) AS lowest_m, CAST(avg(level_m) AS DECIMAL(6, 2)) AS mean_m,
       count(*) AS hours FROM ${from}`,
  );
  return {
    outputs: { metrics: jsonOutput({ date: unit.scope, ...figures }) },
    checks: [],
    facts: {},
  };
});

/** The page, from the figures alone. */
export const reportDay = plainStep(async (unit, tools) => {
  const metrics = inputOf(unit, 'metrics');
  if (metrics === undefined) return { outputs: {}, checks: [], facts: {} };
  const day = JSON.parse(new TextDecoder().decode(await tools.read(metrics)));
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Water levels ${day.date}</title>
<h1>${day.date}</h1><p>Highest ${day.highest_m} m, lowest ${day.lowest_m} m, mean ${day.mean_m} m, of ${day.hours} hours.</p></html>
`;
  return { outputs: { page: { bytes: utf8(page) } }, checks: [], facts: {} };
});
