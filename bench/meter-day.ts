import path from 'node:path';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { smartMeterWith } from '../src/datasets/smart-meter/index.ts';
import type {
  Dataset,
  LocalArtefact,
  StagedOutput,
  UnitOutcome,
} from '../src/pipelines/dataset.ts';
import type { StepDefinition } from '../src/pipelines/definition.ts';
import { splitShard, unsharded } from '../src/pipelines/shard.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import type { SqlEngine, SqlSession } from '../src/ports/sql.ts';
import { encodeFlatParquet } from '../src/storage/sql/parquet-export.ts';
import { ownCpuSeconds } from './process-usage.ts';

/**
 * A day of meters, step by step as the engine runs them, each with the processor time that it took.
 */

/** Local files that the day is made of. */
export interface MeterFiles {
  readonly date: string;
  /** Where outputs are kept while the day is made. */
  readonly folder: string;
  readonly readings: string;
  readonly meters: string;
  readonly injected: string;
  /** A model that holds from the day on. */
  readonly model: string;
}

/** One step with all its shards, or a statement; processor time of all threads. */
export interface Timed {
  readonly name: string;
  readonly cpuSeconds: number;
}

/** What the day gave. */
export interface MadeDay {
  readonly steps: readonly Timed[];
  /** Rows and bytes of the table of readings. */
  readonly rows: number;
  readonly bytes: number;
  /** Meters whose day was scored. */
  readonly scored: number;
}

const TOOLS = {
  read: ({ path: file }: LocalArtefact) => Promise.resolve(readFileSync(file)),
  writeFlatParquet: encodeFlatParquet,
};

const QUIET = { progress: () => undefined, signal: new AbortController().signal };

/** What was made so far, by step and output; those of shards by the step with its shard. */
type Made = Map<string, LocalArtefact>;

/**
 * Makes the day, each step and shard in a session of its own; of the shards of a step so many at
 * once, as a worker does.
 */
export async function makeMeterDay(
  files: MeterFiles,
  sql: SqlEngine,
  { shards, atOnce }: { readonly shards: number; readonly atOnce: number },
): Promise<MadeDay> {
  const dataset = smartMeterWith(() => Promise.resolve('a secret for a benchmark'), shards);
  const day = zonedDay(files.date, 'Europe/Paris');
  const spent = new Map<string, number>();
  const made: Made = new Map();
  const make = (
    name: string,
    work: (session: SqlSession) => Promise<readonly UnitOutcome[]>,
  ): Promise<void> =>
    sql.session(async (session) => {
      for (const [output, staged] of Object.entries(outputsOf(await work(session))))
        made.set(`${name}:${output}`, artefactOf(files, `${name}:${output}`, staged));
    });
  const measure = async (step: string, work: readonly (() => Promise<void>)[]): Promise<void> => {
    const before = ownCpuSeconds();
    const waiting = work.values();
    const lane = async (): Promise<void> => {
      for (const next of waiting) await next();
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    spent.set(step, (spent.get(step) ?? 0) + ownCpuSeconds() - before);
  };
  for (const part of ['meters', 'injected', 'model', 'readings'] as const) {
    const raw = { path: files[part], sha256: part, bytes: 0 };
    const cut = (session: SqlSession) =>
      dataset.slice({ part, raw, days: [day], progress: QUIET.progress }, session);
    await measure(`download/${part}`, [() => make(`download/${part}`, cut)]);
  }
  const { steps } = dataset.definition;
  for (const id of new Set(steps.map((step) => unsharded(step.id)))) {
    const work = steps
      .filter((step) => step.part === undefined && unsharded(step.id) === id)
      .flatMap((step) => {
        const inputs = inputsOf(step, made);
        if (inputs === undefined) return [];
        return [
          () =>
            make(step.id, (session) =>
              run(dataset, step, { scope: files.date, day, inputs }, session),
            ),
        ];
      });
    if (work.length > 0) await measure(id, work);
  }
  const tables = [...made].filter(
    ([name]) => name.startsWith('transform/readings') && name.endsWith(':readings'),
  );
  return {
    steps: [...spent].map(([name, cpuSeconds]) => ({ name, cpuSeconds })),
    rows: sumOf(tables, ({ ref }) => ref.rows ?? 0),
    bytes: sumOf(tables, ({ path: file }) => statSync(file).size),
    scored: sumOf(
      [...made].filter(([name]) => name.startsWith('metrics/scores')),
      ({ ref }) => ref.rows ?? 0,
    ),
  };
}

function sumOf(
  tables: readonly (readonly [string, LocalArtefact])[],
  value: (one: LocalArtefact) => number,
): number {
  return tables.reduce((sum, [, artefact]) => sum + value(artefact), 0);
}

async function run(
  dataset: Dataset,
  step: StepDefinition,
  unit: {
    scope: string;
    day: ReturnType<typeof zonedDay>;
    inputs: Record<string, LocalArtefact[]>;
  },
  session: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const work = dataset.steps[unsharded(step.id)];
  if (work === undefined) throw new Error(step.id);
  const shard = step.shard === undefined ? {} : { shard: step.shard };
  const task = {
    step: unsharded(step.id),
    ...shard,
    params: step.params ?? {},
    units: [unit],
    ...QUIET,
  };
  return work.kind === 'sql' ? work.run(task, session) : work.run(task, TOOLS);
}

/**
 * Of the day itself. Of days before, the four weeks that features are made of: the day's own stand
 * for them, which have as many rows. Undefined where an input of the day is missing.
 */
function inputsOf(step: StepDefinition, made: Made): Record<string, LocalArtefact[]> | undefined {
  const inputs: Record<string, LocalArtefact[]> = {};
  const isOfWeeks = ['metrics/features', 'metrics/levels'].includes(unsharded(step.id));
  for (const { name, step: source, output, daysBefore, asOf, optional } of step.inputs) {
    const isThere = (daysBefore === undefined && asOf === undefined) || isOfWeeks;
    const found = isThere ? made.get(`${source}:${output}`) : undefined;
    if (found === undefined && optional !== true && daysBefore === undefined) return undefined;
    const plain = splitShard(name).name;
    inputs[plain] = [...(inputs[plain] ?? []), ...(found === undefined ? [] : [found])];
  }
  const needed = step.needsAnyOf ?? [];
  const lacksAll =
    needed.length > 0 && needed.every((name) => (inputs[splitShard(name).name] ?? []).length === 0);
  return lacksAll ? undefined : inputs;
}

function outputsOf([outcome]: readonly UnitOutcome[]): Readonly<Record<string, StagedOutput>> {
  if (outcome === undefined || !('outputs' in outcome)) throw new Error(JSON.stringify(outcome));
  return outcome.outputs;
}

let kept = 0;

function artefactOf(
  { date, folder }: MeterFiles,
  name: string,
  output: StagedOutput,
): LocalArtefact {
  const file = path.join(folder, `made-${(kept += 1)}`);
  if ('bytes' in output) writeFileSync(file, output.bytes);
  else copyFileSync(output.path, file);
  const rows = output.rows === undefined ? {} : { rows: output.rows };
  return {
    scope: date,
    path: file,
    ref: { key: name, sha256: '', bytes: 0, mediaType: '', ...rows },
  };
}
