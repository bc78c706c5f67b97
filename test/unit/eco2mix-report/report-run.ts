import { createHash } from 'node:crypto';
import { reportNational, reportPage } from '../../../src/datasets/eco2mix/report/steps.ts';
import type { DayComparison, DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import type { ReportModel } from '../../../src/datasets/eco2mix/report/model.ts';
import type { CheckResult } from '../../../src/pipelines/check-result.ts';
import type {
  FlatTable,
  LocalArtefact,
  PlainTools,
  StepTask,
  StepUnit,
  UnitOutcome,
  UnitResult,
} from '../../../src/pipelines/dataset.ts';
import type { JsonObject } from '../../../src/ports/json.ts';

/** Runs the two report steps on given metrics, with artefacts that live in memory. */

export const PASSED_CHECKS: readonly CheckResult[] = [
  { check: 'balance', severity: 'warn', tested: 96, failed: 0, examples: [] },
  { check: 'unique-instants', severity: 'fail', tested: 96, failed: 0, examples: [] },
];

export interface DayInputs {
  readonly metrics: DayMetrics;
  readonly comparison?: DayComparison;
  readonly checks?: readonly CheckResult[];
  readonly facts?: JsonObject;
  readonly accepted?: StepUnit['accepted'];
  readonly sample?: StepUnit['sample'];
}

const held = new WeakMap<LocalArtefact, Uint8Array>();

export function artefact(
  scope: string,
  content: Uint8Array,
  extra: Partial<LocalArtefact> = {},
): LocalArtefact {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const made: LocalArtefact = {
    scope,
    path: `/nowhere/${sha256}`,
    ref: {
      key: `x/${scope}/${sha256}`,
      sha256,
      bytes: content.length,
      mediaType: 'application/json',
    },
    ...extra,
  };
  held.set(made, content);
  return made;
}

export function jsonArtefact(scope: string, value: unknown): LocalArtefact {
  return artefact(scope, new TextEncoder().encode(JSON.stringify(value)));
}

/**
 * The table is written as JSON, so that tests can look at it; the real writer has tests of its own.
 */
export const TOOLS: PlainTools = {
  read: (input) => Promise.resolve(held.get(input) ?? new Uint8Array()),
  writeFlatParquet: (table) => Promise.resolve(new TextEncoder().encode(JSON.stringify(table))),
};

export function unitOf(inputs: DayInputs): StepUnit {
  const { metrics, comparison, checks = PASSED_CHECKS, facts, accepted, sample } = inputs;
  const scope = metrics.date;
  const core = artefact(scope, new TextEncoder().encode('core'), {
    facts: facts ?? {
      revision: metrics.revision,
      coverage: metrics.load.coverage,
      rows: 96,
      sources: {
        'cons-def': { rows: 96, sha256: 'c'.repeat(64) },
        tr: { rows: 96, sha256: 'a'.repeat(64) },
      },
      unknown_columns: [],
    },
    checks,
  });
  return {
    scope,
    ...(accepted === undefined ? {} : { accepted }),
    ...(sample === undefined ? {} : { sample }),
    inputs: {
      core: [core],
      metrics: [jsonArtefact(scope, metrics)],
      comparison: comparison === undefined ? [] : [jsonArtefact(scope, comparison)],
    },
  };
}

export function taskOf(units: readonly StepUnit[], params: JsonObject = {}): StepTask {
  return {
    step: 'report/national',
    params,
    units,
    progress: () => undefined,
    signal: new AbortController().signal,
  };
}

export function runNational(
  units: readonly StepUnit[],
  params: JsonObject = {},
): Promise<readonly UnitOutcome[]> {
  if (reportNational.kind !== 'plain') throw new Error('the report needs the SQL engine');
  return reportNational.run(taskOf(units, params), TOOLS);
}

export function runPage(units: readonly StepUnit[]): Promise<readonly UnitOutcome[]> {
  if (reportPage.kind !== 'plain') throw new Error('the page needs the SQL engine');
  return reportPage.run({ ...taskOf(units), step: 'report/page' }, TOOLS);
}

/** The one outcome as a success; its failure message is what the test shows otherwise. */
export function succeeded(outcomes: readonly UnitOutcome[]): UnitResult {
  const [outcome] = outcomes;
  if (outcome === undefined || 'failure' in outcome)
    throw new Error(outcome?.failure.message ?? 'no outcome');
  return outcome;
}

export function textOf(result: UnitResult, output: string): string {
  const staged = result.outputs[output];
  if (staged === undefined || !('bytes' in staged))
    throw new Error(`there are no bytes of ${output}`);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(staged.bytes);
}

export async function reportOf(inputs: DayInputs, params: JsonObject = {}) {
  const result = succeeded(await runNational([unitOf(inputs)], params));
  return {
    result,
    model: JSON.parse(textOf(result, 'model')) as ReportModel,
    csv: textOf(result, 'csv'),
    table: JSON.parse(textOf(result, 'table')) as FlatTable,
  };
}

export async function pageOf(inputs: DayInputs): Promise<string> {
  const { result } = await reportOf(inputs);
  const model = artefact(result.scope, new TextEncoder().encode(textOf(result, 'model')));
  return textOf(
    succeeded(await runPage([{ scope: result.scope, inputs: { model: [model] } }])),
    'page',
  );
}
