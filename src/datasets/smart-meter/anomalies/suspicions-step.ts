import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { forEachUnit, quoteText } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, pathsOf } from '../tables.ts';
import { candidatesOf } from './candidates.ts';
import { excessLosses, openWeeks, weekBefore } from './features.ts';
import { suspicionsOf, SUSPICION_THRESHOLD } from './suspicion.ts';
import type { Suspicion } from './suspicion.ts';

/**
 * `metrics/suspicions`: meters that lack energy which their transformer lacks too, now and a week ago. A hint for a person, with its reasons; never a proof.
 */
export interface ToldSuspicion extends Suspicion {
  /** The smaller score of now and of a week ago. */
  readonly lasting: number;
  readonly isNew: boolean;
}

/** One row a suspicious meter, by key and never by id. */
export const metricsSuspicions: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => suspicionsOn(unit, sql)),
};

async function suspicionsOn(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const told = pathsOf(unit, weekBefore('week', 4)).length === 0 ? [] : await toldOf(unit, sql);
  const rows = path.join(sql.scratch, `suspicions-${unit.scope}.ndjson`);
  await writeFile(rows, told.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name}: '${type}'`);
  const table = await copyTable(
    sql,
    `SELECT ${Object.keys(COLUMNS).join(', ')} FROM read_json(${quoteText(rows)}, format = 'newline_delimited', columns = {${columns.join(', ')}})
     ORDER BY lasting DESC, meter_key`,
    `suspicions-${unit.scope}`,
  );
  const isTold = told.filter(({ lasting }) => lasting >= SUSPICION_THRESHOLD).length;
  return { scope: unit.scope, outputs: { suspicions: table }, checks: [], facts: { rows: table.rows, told: isTold } };
}

const COLUMNS: Readonly<Record<keyof ToldSuspicion, string>> = {
  ...{ meter_key: 'UBIGINT', segment: 'VARCHAR', transformer: 'VARCHAR', shape: 'VARCHAR' },
  ...{
    score: 'DOUBLE',
    lasting: 'DOUBLE',
    isNew: 'BOOLEAN',
    confirmed: 'DOUBLE',
    missing_wh_per_day: 'BIGINT',
    reference_wh: 'DOUBLE',
  },
  ...{
    use_ratio: 'DOUBLE',
    base_ratio: 'DOUBLE',
    evening_ratio: 'DOUBLE',
    other_ratio: 'DOUBLE',
    zero_days: 'INTEGER',
  },
};

async function toldOf(unit: StepUnit, sql: SqlSession): Promise<ToldSuspicion[]> {
  const [now, before, earlier] = [
    await scoresOf(unit, sql, 0),
    await scoresOf(unit, sql, 1),
    await scoresOf(unit, sql, 2),
  ];
  const scoreOf = (found: readonly Suspicion[]) => new Map(found.map(({ meter_key, score }) => [meter_key, score]));
  const [last, first] = [scoreOf(before), scoreOf(earlier)];
  return now
    .filter(({ score }) => score > 0)
    .map((suspicion) => {
      const [a, b] = [last.get(suspicion.meter_key) ?? 0, first.get(suspicion.meter_key) ?? 0];
      const lasting = Math.min(suspicion.score, a);
      const isNew = lasting >= SUSPICION_THRESHOLD && Math.min(a, b) < SUSPICION_THRESHOLD;
      return { ...suspicion, lasting, isNew };
    });
}

async function scoresOf(unit: StepUnit, sql: SqlSession, ago: number): Promise<Suspicion[]> {
  await openWeeks(sql, unit, ago);
  return suspicionsOf(await candidatesOf(sql), await excessLosses(sql, unit, ago));
}
