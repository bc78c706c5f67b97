import path from 'node:path';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { smartMeterWith } from '../src/datasets/smart-meter/index.ts';
import type { LocalArtefact, StagedOutput, UnitOutcome } from '../src/pipelines/dataset.ts';
import type { StepId } from '../src/pipelines/vocabulary.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import type { SqlSession } from '../src/ports/sql.ts';
import { encodeFlatParquet } from '../src/storage/sql/parquet-export.ts';
import { ownCpuSeconds } from './process-usage.ts';

/** A day of meters, step by step as the engine runs them, each with the processor time that it took. */

/** Local files that the day is made of. */
export interface MeterFiles {
  readonly date: string;
  /** Where pages and other outputs that are not tables are written. */
  readonly folder: string;
  readonly readings: string;
  readonly meters: string;
  readonly injected: string;
}

/** One step or statement; processor time of all threads. */
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
}

const TOOLS = {
  read: ({ path: file }: LocalArtefact) => Promise.resolve(readFileSync(file)),
  writeFlatParquet: encodeFlatParquet,
};

const QUIET = { progress: () => undefined, signal: new AbortController().signal };

/** Steps of a day in their order, with the outputs of which each is made; previous days are not there. */
const STEPS: readonly (readonly [step: StepId, inputs: readonly string[]])[] = [
  ['transform/readings', ['readings=slice']],
  ['metrics/daily', ['readings', 'meters']],
  ['metrics/week', ['daily', 'meters', 'injected']],
  ['metrics/quality', ['readings', 'rejects', 'conflicts', 'daily', 'meters']],
  ['metrics/day', ['daily', 'slots', 'buckets', 'meters', 'injected', 'held', 'held_slots', 'held_buckets']],
  ['report/daily', ['fleet']],
  ['report/page', ['report']],
  ['report/quality', ['quality']],
];

/** Makes the day in one session. */
export async function makeMeterDay(files: MeterFiles, sql: SqlSession): Promise<MadeDay> {
  const dataset = smartMeterWith(() => Promise.resolve('a secret for a benchmark'));
  const day = zonedDay(files.date, 'Europe/Paris');
  const steps: Timed[] = [];
  const made = new Map<string, LocalArtefact>();
  const keep = (outcomes: readonly UnitOutcome[], rename?: string): void => {
    for (const [name, output] of Object.entries(outputsOf(outcomes)))
      made.set(rename ?? name, artefactOf(files, rename ?? name, output));
  };
  const measure = async (name: string, work: () => Promise<readonly UnitOutcome[]>, rename?: string): Promise<void> => {
    const before = ownCpuSeconds();
    const outcomes = await work();
    steps.push({ name, cpuSeconds: ownCpuSeconds() - before });
    keep(outcomes, rename);
  };
  for (const part of ['meters', 'injected', 'readings'] as const) {
    const raw = { path: files[part], sha256: part, bytes: 0 };
    const cut = (): Promise<readonly UnitOutcome[]> =>
      dataset.slice({ part, raw, days: [day], progress: QUIET.progress }, sql);
    await measure(`download/${part}`, cut, part === 'readings' ? 'slice' : part);
  }
  for (const [id, names] of STEPS) {
    const work = dataset.steps[id];
    if (work === undefined) throw new Error(id);
    const inputs = Object.fromEntries(
      names.map((name) => {
        const [input = name, output = input] = name.split('=');
        const found = made.get(output);
        return [input, found === undefined ? [] : [found]];
      }),
    );
    const task = { step: id, params: {}, units: [{ scope: files.date, day, inputs }], ...QUIET };
    await measure(id, async () => (work.kind === 'sql' ? work.run(task, sql) : work.run(task, TOOLS)));
  }
  const readings = made.get('readings');
  if (readings === undefined) throw new Error('no readings');
  return { steps, rows: readings.ref.rows ?? 1, bytes: statSync(readings.path).size };
}

function outputsOf([outcome]: readonly UnitOutcome[]): Readonly<Record<string, StagedOutput>> {
  if (outcome === undefined || !('outputs' in outcome)) throw new Error(JSON.stringify(outcome));
  return outcome.outputs;
}

function artefactOf({ date, folder }: MeterFiles, name: string, output: StagedOutput): LocalArtefact {
  const file = 'path' in output ? output.path : path.join(folder, `${name}.bin`);
  if ('bytes' in output) writeFileSync(file, output.bytes);
  const rows = output.rows === undefined ? {} : { rows: output.rows };
  return { scope: date, path: file, ref: { key: name, sha256: '', bytes: 0, mediaType: '', ...rows } };
}
