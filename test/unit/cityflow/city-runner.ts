import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { PipelineError } from '../../../src/errors.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import type {
  CheckResult,
  LocalArtefact,
  RecognisedFile,
  StagedOutput,
  StepUnit,
  UnitOutcome,
} from '../../../src/pipelines/dataset.ts';
import type { CivilDate, Scope } from '../../../src/pipelines/vocabulary.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../../../src/storage/duckdb.ts';
import { encodeFlatParquet } from '../../../src/storage/parquet-export.ts';
import type { JsonObject, JsonValue, SqlSession } from '../../../src/storage/ports.ts';

/** Runs the steps of cityflow on the real SQL engine, wired as the definition says, and keeps their outputs by content. */

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

/** Every step's outcome by date. */
export type Days = ReadonlyMap<CivilDate, Readonly<Record<string, Done>>>;

export interface CityRunner {
  readonly home: string;
  sql<T>(work: (sql: SqlSession) => Promise<T>): Promise<T>;
  /** Writes a text (UTF-8) or bytes as a file of the runner's own. */
  file(name: string, content: string | Uint8Array): Promise<string>;
  recognise(file: string): Promise<RecognisedFile>;
  slice(source: Source, dates: readonly CivilDate[]): Promise<Done[]>;
  step(id: string, units: readonly StepUnit[], params?: JsonObject): Promise<Done[]>;
  /** Slices of all sources and every step of every date that has its inputs, in the order of the definition, up to `until`. */
  days(sources: readonly Source[], dates: readonly CivilDate[], until?: string): Promise<Days>;
  close(): Promise<void>;
}

const quiet = { progress: () => undefined, signal: new AbortController().signal };

export const dates = datesBetween;

export function dayUnit(date: CivilDate, inputs: StepUnit['inputs']): StepUnit {
  return { scope: date, day: zonedDay(date, cityflow.definition.zone), inputs };
}

export async function openCityRunner(): Promise<CityRunner> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-cityflow-'));
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

  async function runStep(id: string, units: readonly StepUnit[], params?: JsonObject): Promise<Done[]> {
    const step = cityflow.steps[id];
    const definition = cityflow.definition.steps.find((candidate) => candidate.id === id);
    if (step === undefined || definition === undefined) throw new PipelineError('INTERNAL', `there is no step ${id}`);
    const task = { step: definition.id, params: params ?? definition.params ?? {}, units, ...quiet };
    if (step.kind === 'sql') return engine.session(async (sql) => keepAll(await step.run(task, sql)));
    const tools = { read: (artefact: LocalArtefact) => readFile(artefact.path), writeFlatParquet: encodeFlatParquet };
    return keepAll(await step.run(task, tools));
  }

  const runner: CityRunner = {
    home,
    sql: (work) => engine.session(work),
    async file(name, content) {
      const target = path.join(home, `${++files}`, name);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, content);
      return target;
    },
    recognise: (file) => engine.session((sql) => cityflow.recognise!({ path: file, name: path.basename(file) }, sql)),
    slice: (source, wanted) =>
      engine.session(async (sql) => {
        const days = wanted.map((date) => zonedDay(date, cityflow.definition.zone));
        const raw = { path: source.path, sha256: '', bytes: 0 };
        return keepAll(await cityflow.slice({ part: source.part, raw, days, progress: quiet.progress }, sql));
      }),
    step: runStep,
    async days(sources, wanted, until) {
      const days = new Map<CivilDate, Record<string, Done>>(wanted.map((date) => [date, {}]));
      for (const source of sources) {
        for (const done of await runner.slice(source, wanted)) days.get(done.scope)![`download/${source.part}`] = done;
      }
      for (const step of cityflow.definition.steps.filter(({ part }) => part === undefined)) {
        if (cityflow.steps[step.id] === undefined) continue;
        const units = wanted.flatMap((date): StepUnit[] => {
          const inputs: Record<string, LocalArtefact[]> = {};
          for (const input of step.inputs) {
            const from = days.get(input.daysBefore === undefined ? date : addDays(date, -input.daysBefore));
            const output = from?.[input.step]?.outputs[input.output];
            if (output === undefined && input.optional !== true) return [];
            inputs[input.name] = output === undefined ? [] : [output];
          }
          const needed = step.needsAnyOf ?? [];
          if (needed.length > 0 && needed.every((name) => inputs[name]?.length === 0)) return [];
          return [dayUnit(date, inputs)];
        });
        for (const done of units.length === 0 ? [] : await runStep(step.id, units))
          days.get(done.scope)![step.id] = done;
        if (step.id === until) break;
      }
      return days;
    },
    async close() {
      await engine.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  return runner;
}

/** A JSON output of a step of a day. */
export async function readOutput<T>(done: Done | undefined, output: string): Promise<T> {
  if (done?.failure !== undefined) throw new Error(`${done.scope} failed: ${done.failure.message}`);
  const artefact = done?.outputs[output];
  if (artefact === undefined) throw new Error(`there is no output ${output}`);
  return JSON.parse(await readFile(artefact.path, 'utf8')) as T;
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

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<PipelineError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
