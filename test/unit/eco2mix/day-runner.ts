import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ErrorCode } from '../../../src/errors.ts';
import { PipelineError } from '../../../src/errors.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type {
  CheckResult,
  LocalArtefact,
  StagedOutput,
  StepUnit,
  UnitOutcome,
} from '../../../src/pipelines/dataset.ts';
import type { CivilDate, Scope } from '../../../src/pipelines/vocabulary.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../../../src/storage/duckdb.ts';
import type { JsonValue, SqlSession } from '../../../src/storage/ports.ts';

/** Runs the steps of eco2mix on the real SQL engine, and keeps their outputs as the engine would: by content. */

export interface Done {
  readonly scope: Scope;
  readonly outputs: Readonly<Record<string, LocalArtefact>>;
  readonly checks: readonly CheckResult[];
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** A raw file and the part that it belongs to. */
export interface Source {
  readonly part: string;
  readonly path: string;
}

export interface Runner {
  readonly home: string;
  sql<T>(work: (sql: SqlSession) => Promise<T>): Promise<T>;
  /** Writes a text (UTF-8) or bytes as a file of the runner's own. */
  file(name: string, content: string | Uint8Array): Promise<string>;
  slice(source: Source, dates: readonly CivilDate[]): Promise<Done[]>;
  step(id: string, units: readonly StepUnit[]): Promise<Done[]>;
  /** Slices of all sources and the core of every date, all in one set. */
  core(sources: readonly Source[], dates: readonly CivilDate[]): Promise<Done[]>;
  /** The same and metrics of the dates that have a core, by date. */
  metrics(sources: readonly Source[], dates: readonly CivilDate[]): Promise<Map<CivilDate, DayMetrics>>;
  close(): Promise<void>;
}

const quiet = { progress: () => undefined, signal: new AbortController().signal };

export function dates(from: CivilDate, to: CivilDate = from): CivilDate[] {
  return datesBetween(from, to);
}

export function dayUnit(date: CivilDate, inputs: StepUnit['inputs']): StepUnit {
  return { scope: date, day: zonedDay(date, eco2mix.definition.zone), inputs };
}

export async function openRunner(): Promise<Runner> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-eco2mix-'));
  const engine = createDuckDbEngine({ memoryLimitMb: 1024, threads: 2, scratchRoot: path.join(home, 'scratch') });
  let files = 0;

  async function keep(scope: Scope, output: StagedOutput): Promise<LocalArtefact> {
    const bytes = 'path' in output ? await readFile(output.path) : output.bytes;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const kept = path.join(home, `${++files}-${scope}`);
    await ('path' in output ? copyFile(output.path, kept) : writeFile(kept, bytes));
    const rows = output.rows === undefined ? {} : { rows: output.rows };
    return {
      scope,
      path: kept,
      ref: { key: `test/${sha256}`, sha256, bytes: bytes.length, mediaType: 'application/octet-stream', ...rows },
    };
  }

  async function keepAll(outcomes: readonly UnitOutcome[]): Promise<Done[]> {
    const done: Done[] = [];
    for (const outcome of outcomes) {
      if ('failure' in outcome) {
        done.push({ scope: outcome.scope, outputs: {}, checks: [], facts: {}, failure: outcome.failure });
        continue;
      }
      const outputs: Record<string, LocalArtefact> = {};
      for (const [name, output] of Object.entries(outcome.outputs)) outputs[name] = await keep(outcome.scope, output);
      done.push({ ...outcome, outputs });
    }
    return done;
  }

  const runner: Runner = {
    home,
    sql: (work) => engine.session(work),
    async file(name, content) {
      const target = path.join(home, `${++files}-${name}`);
      await writeFile(target, content);
      return target;
    },
    slice: (source, wanted) =>
      engine.session(async (sql) => {
        const days = wanted.map((date) => zonedDay(date, eco2mix.definition.zone));
        const raw = { path: source.path, sha256: '', bytes: 0 };
        return keepAll(await eco2mix.slice({ part: source.part, raw, days, progress: quiet.progress }, sql));
      }),
    step: (id, units) =>
      engine.session(async (sql) => {
        const step = eco2mix.steps[id];
        if (step?.kind !== 'sql') throw new PipelineError('INTERNAL', `${id} is no SQL step`);
        return keepAll(await step.run({ step: id as `metrics/${string}`, params: {}, units, ...quiet }, sql));
      }),
    async core(sources, wanted) {
      const inputs = new Map<CivilDate, Record<string, LocalArtefact[]>>(wanted.map((date) => [date, {}]));
      for (const source of sources) {
        for (const { scope, outputs } of await runner.slice(source, wanted)) {
          const slice = outputs['slice'];
          if (slice !== undefined) inputs.get(scope)![source.part] = [slice];
        }
      }
      return runner.step(
        'transform/national',
        wanted.map((date) => dayUnit(date, inputs.get(date)!)),
      );
    },
    async metrics(sources, wanted) {
      const cores = (await runner.core(sources, wanted)).filter(({ failure }) => failure === undefined);
      const units = cores.map(({ scope, outputs }) => dayUnit(scope, { core: [outputs['core']!] }));
      const measured = await runner.step('metrics/national', units);
      return new Map(await Promise.all(measured.map(async (done) => [done.scope, await readMetrics(done)] as const)));
    },
    async close() {
      await engine.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  return runner;
}

export async function readMetrics({ outputs }: Done): Promise<DayMetrics> {
  return JSON.parse(await readFile(outputs['metrics']!.path, 'utf8')) as DayMetrics;
}

/** The hash of one output, `undefined` when there is none. */
export function hashOf(done: Done | undefined, output: string): string | undefined {
  return done?.outputs[output]?.ref.sha256;
}

export function checkOf(done: Done | undefined, id: string): CheckResult {
  const check = done?.checks.find((candidate) => candidate.check === id);
  if (check === undefined) throw new Error(`there is no check ${id} of ${done?.scope ?? 'nothing'}`);
  return check;
}

/** The code of the error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<PipelineError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
