import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { forEachUnit, quoteText } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, pathsOf } from '../tables.ts';
import { candidatesOf } from './candidates.ts';
import { excessLosses, JUDGED_WEEKS, weekBefore } from './features.ts';
import { suspicionsOf, SUSPICION_THRESHOLD } from './suspicion.ts';
import type { Suspicion } from './suspicion.ts';
import { WeeklyScores } from './weekly-scores.ts';
import { byWeekday, WeeksRead } from './weeks-read.ts';

/**
 * `metrics/suspicions`: meters that lack energy which their transformer lacks too, now and a week
 * ago. A hint for a person, with its reasons; never a proof.
 */
export interface ToldSuspicion extends Suspicion {
  /** The smaller score of now and of a week ago. */
  readonly lasting: number;
  readonly isNew: boolean;
}

/** One row a suspicious meter, by key and never by id. */
export const metricsSuspicions: StepImplementation = {
  kind: 'sql',
  run: async (task, sql) => {
    const window = { sql, weeks: new WeeksRead(sql), scores: new WeeklyScores(task.units) };
    const ordered = { ...task, units: byWeekday(task.units) };
    const outcomes = await forEachUnit(ordered, (unit) => suspicionsOn(unit, window));
    return outcomes.sort((a, b) => (a.scope < b.scope ? -1 : 1));
  },
};

/** What the days of a window have in common. */
interface Window {
  readonly sql: SqlSession;
  readonly weeks: WeeksRead;
  readonly scores: WeeklyScores;
}

async function suspicionsOn(unit: StepUnit, window: Window): Promise<UnitResult> {
  const { sql } = window;
  const told = isJudged(unit) ? await toldOf(unit, window) : [];
  const rows = path.join(sql.scratch, `suspicions-${unit.scope}.ndjson`);
  await writeFile(rows, told.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name}: '${type}'`);
  const table = await copyTable(
    sql,
    `SELECT ${Object.keys(COLUMNS).join(', ')} FROM read_json(${quoteText(rows)},
      format = 'newline_delimited', columns = {${columns.join(', ')}})
     ORDER BY lasting DESC, meter_key`,
    `suspicions-${unit.scope}`,
  );
  const isTold = told.filter(({ lasting }) => lasting >= SUSPICION_THRESHOLD).length;
  return {
    scope: unit.scope,
    outputs: { suspicions: table },
    checks: [],
    facts: { rows: table.rows, told: isTold },
  };
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

/** Whether there are more weeks than those that are judged. */
function isJudged(unit: StepUnit): boolean {
  return pathsOf(unit, weekBefore('week', JUDGED_WEEKS)).length > 0;
}

async function toldOf(unit: StepUnit, window: Window): Promise<ToldSuspicion[]> {
  const { scores } = window;
  const now = await scores.now(unit, () => suspicionsAgo(unit, window, 0));
  const suspicious = now.filter(({ score }) => score > 0);
  if (suspicious.length === 0) return [];
  const last = await scores.ago(unit, 1, () => suspicionsAgo(unit, window, 1));
  const first = await scores.ago(unit, 2, () => suspicionsAgo(unit, window, 2));
  return suspicious.map((suspicion) => {
    const [a, b] = [last.get(suspicion.meter_key) ?? 0, first.get(suspicion.meter_key) ?? 0];
    const lasting = Math.min(suspicion.score, a);
    const isNew = lasting >= SUSPICION_THRESHOLD && Math.min(a, b) < SUSPICION_THRESHOLD;
    return { ...suspicion, lasting, isNew };
  });
}

async function suspicionsAgo(
  unit: StepUnit,
  { sql, weeks }: Window,
  ago: number,
): Promise<Suspicion[]> {
  await weeks.open(unit, ago);
  const candidates = await candidatesOf(sql);
  return candidates.length === 0
    ? []
    : suspicionsOf(candidates, await excessLosses(sql, unit, ago));
}
