import type {
  CheckResult,
  LocalArtefact,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../../pipelines/dataset.ts';
import type { CheckDefinition } from '../../../pipelines/definition.ts';
import type { JsonObject } from '../../../ports/json.ts';
import type { SqlSession } from '../../../ports/sql.ts';
import { forEachUnit, outcomeOfUnit, utf8 } from '../../each-unit.ts';
import type { District } from '../geometry.ts';
import { districtOf } from '../geometry.ts';
import type { JsonRecord } from '../raw-json.ts';
import { isRecord } from '../raw-json.ts';
import { parquetSql } from '../sql-day.ts';

/** What the steps of single days share: one unit after the other, records of a slice, checks, and the districts. */

type DayWork = (unit: StepUnit, task: StepTask, sql: SqlSession) => Promise<Omit<UnitResult, 'scope'>>;

/** A step that works through its days one by one; the failure of a day costs no other day. */
export function dayByDay(work: DayWork): StepImplementation {
  return { kind: 'sql', run: (task, sql) => forEachUnit(task, inScope(work, task, sql)) };
}

/** The same for days that are the engine's work rather than ours: as many at once as it has threads. */
export function daysAtOnce(work: DayWork): StepImplementation {
  return {
    kind: 'sql',
    run: (task, sql) => sql.atOnce(task.units, (unit, own) => outcomeOfUnit(task, unit, inScope(work, task, own))),
  };
}

function inScope(work: DayWork, task: StepTask, sql: SqlSession): (unit: StepUnit) => Promise<UnitResult> {
  return async (unit) => ({ scope: unit.scope, ...(await work(unit, task, sql)) });
}

export function inputOf(unit: StepUnit, name: string): LocalArtefact | undefined {
  return unit.inputs[name]?.[0];
}

/** The records of a JSON part's slice in the order of their keys. */
export async function recordsOf(sql: SqlSession, slice: LocalArtefact | undefined): Promise<JsonRecord[]> {
  if (slice === undefined) return [];
  const rows = await sql.rows<{ record: string }>(`SELECT record FROM ${parquetSql(slice.path)}`);
  return rows.map(({ record }) => JSON.parse(record) as unknown).filter(isRecord);
}

/** The districts of the last slice: the days of a set share them, and parsing the polygons takes longer than using them. */
export class DistrictsCache {
  #last: { readonly sha256: string; readonly districts: readonly District[] } | undefined;

  async of(sql: SqlSession, unit: StepUnit): Promise<readonly District[]> {
    const slice = inputOf(unit, 'arrondissements');
    if (slice === undefined) return [];
    const { sha256 } = slice.ref;
    if (this.#last?.sha256 === sha256) return this.#last.districts;
    const districts = (await recordsOf(sql, slice)).flatMap((feature) => districtOf(feature) ?? []);
    this.#last = { sha256, districts };
    return districts;
  }
}

const EXAMPLES = 3;

export function checkResult(check: CheckDefinition, tested: number, failing: readonly JsonObject[]): CheckResult {
  return countedCheck(check, tested, failing.length, failing);
}

export function countedCheck(
  { id, severity }: CheckDefinition,
  tested: number,
  failed: number,
  examples: readonly JsonObject[],
): CheckResult {
  return { check: id, severity, tested, failed, examples: examples.slice(0, EXAMPLES) };
}

/** A small JSON document as an output. */
export function jsonOutput(document: object): { readonly bytes: Uint8Array } {
  return { bytes: utf8(`${JSON.stringify(document)}\n`) };
}
