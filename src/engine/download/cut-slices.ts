import { definedMembers, firstOf } from '../../given.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import type {
  Dataset,
  DecodedFile,
  SliceTask,
  StagedOutput,
  UnitResult,
} from '../../pipelines/dataset.ts';
import type { PartDefinition, StepDefinition } from '../../pipelines/definition.ts';
import { describeDestroyed } from '../../pipelines/forgetting.ts';
import { cutOtherwise } from '../../pipelines/ledger.ts';
import type { LedgerEntry, Origin } from '../../pipelines/ledger.ts';
import { unsharded } from '../../pipelines/shard.ts';
import { stepKey } from '../../pipelines/step-key.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { zonedDay } from '../../pipelines/zoned-day.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { commitStep } from '../execute/commit-step.ts';
import type { Uncommitted } from '../execute/commit-step.ts';
import { openContent } from '../content-store.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import { sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { doneWith, judge } from '../execute/execute-step.ts';
import type { RawAnswer } from './fetch-raw.ts';
import { sliceWithout } from './leave-out.ts';
import type { LeftOut } from './leave-out.ts';
import { withDecoded } from './open-raw.ts';
import { holdingFiles } from '../held-objects.ts';
import { destroyObjects } from '../records/destroy-objects.ts';
import { destroyedObject } from '../records/forgotten.ts';
import { readLedger } from '../records/ledger-reader.ts';

/** Day slices out of raw files that are stored. */

/** A download in the making: what all its windows share. */
export interface Download {
  readonly engine: Engine;
  readonly control: StepControl;
  readonly dataset: Dataset;
  readonly part: PartDefinition;
  readonly step: StepDefinition;
  readonly force: boolean;
  /** Is told what came of the files in a raw file, where it has several. */
  readonly decoded?: (files: readonly DecodedFile[]) => void;
}

/**
 * Shards of a day that are cut already, by output: what is cut now goes beside them into one entry.
 */
export interface ShardsBeside {
  readonly slices: Readonly<Record<string, ArtefactRef>>;
  /** What each was cut from. */
  readonly raws: Readonly<Record<string, ArtefactRef>>;
}

/**
 * A raw file that is stored only after days were cut out of it: what has its name until then stays
 * where such a file is no use.
 */
export interface UnkeptFile {
  readonly path: string;
  readonly keep: () => Promise<void>;
}

interface Sliced {
  readonly answers: (StepDone | StepFailed)[];
  readonly entries: readonly LedgerEntry[];
  /**
   * The raw file has rows of persons who were forgotten: they are not in the slices, and it may not
   * stay as it is.
   */
  readonly hasForgotten: boolean;
}

/**
 * Cuts days out of the raw file of an answer and commits their slices; stores the file in between
 * where it is not stored yet.
 */
export function sliceAndCommit(
  download: Download,
  dates: readonly CivilDate[],
  answer: RawAnswer,
  {
    unkept,
    beside,
  }: {
    readonly unkept?: UnkeptFile | undefined;
    readonly beside?: ReadonlyMap<CivilDate, ShardsBeside>;
  } = {},
): Promise<Sliced> {
  return holdingFiles(download.engine, (engine) =>
    sliceHeld({ ...download, engine }, dates, answer, unkept, beside),
  );
}

async function sliceHeld(
  download: Download,
  dates: readonly CivilDate[],
  answer: RawAnswer,
  unkept: UnkeptFile | undefined,
  beside: ReadonlyMap<CivilDate, ShardsBeside> | undefined,
): Promise<Sliced> {
  const { engine, control, dataset, step, part } = download;
  const startedAt = engine.now();
  const raw = answer.origin.raw;
  const path = unkept?.path ?? (await openContent(engine.objects, raw));
  if (path === undefined) return sliceKept(download, dates, answer);
  const days = dates.map((date) => zonedDay(date, dataset.definition.zone));
  const slicing = (file: string) =>
    sqlOf(engine).session(
      async (sql) => {
        const { sha256, bytes } = raw;
        const task = {
          part: part.id,
          raw: { path: file, sha256, bytes },
          days,
          progress: control.progress,
        };
        const { outcomes, rows } = await sliceRaw(
          download,
          task,
          sql,
          unkept === undefined ? raw.key : null,
        );
        await sql.finish();
        const { good, failed } = judge(step, outcomes);
        await unkept?.keep();
        const work = good.map((result) =>
          besideOthers(result, step, answer.origin, beside?.get(result.scope)),
        );
        const context = { pipeline: dataset.definition.name, step, startedAt, scopes: days.length };
        return {
          entries: await commitStep(engine, control, context, work),
          failed,
          hasForgotten: rows > 0,
        };
      },
      { signal: control.signal },
    );
  const { entries, failed, hasForgotten } = await withDecoded(
    download,
    { path, date: firstOf(dates) },
    slicing,
  );
  return {
    answers: [...failed, ...entries.map((entry) => doneWith(step, entry, 'ran'))],
    entries,
    hasForgotten,
  };
}

/** What is committed of a day that was cut; its rows are those of all its slices. */
export function besideOthers(
  result: UnitResult,
  step: StepDefinition,
  origin: Origin,
  beside: ShardsBeside | undefined,
): Uncommitted {
  const identify = identifyBy(step);
  if (beside === undefined) return { result, identify, origin };
  const there = Object.values(beside.slices).reduce((sum, { rows = 0 }) => sum + rows, 0);
  const facts = { ...result.facts, rows: Number(result.facts['rows'] ?? 0) + there };
  return {
    result: { ...result, facts },
    identify,
    origin: { ...origin, shards: beside.raws },
    beside: beside.slices,
  };
}

/**
 * Of a raw file that was destroyed, the slices that were cut from it are what is left: they are
 * committed as they are.
 */
async function sliceKept(
  download: Download,
  dates: readonly CivilDate[],
  answer: RawAnswer,
): Promise<Sliced> {
  const { engine, control, dataset, step } = download;
  const { raw } = answer.origin;
  const pipeline = dataset.definition.name;
  const gone = await destroyedObject(engine.documents, pipeline, raw.key);
  if (gone === undefined)
    throw new PipelineError('STORE_CORRUPT', `${raw.key} was stored and cannot be found again`);
  const startedAt = engine.now();
  const ledger = await readLedger(engine.documents, pipeline, dates);
  const work: Uncommitted[] = [];
  for (const scope of dates) {
    const entries = (ledger.get(scope) ?? []).filter((entry) => entry.step === step.id);
    const known = await lastIntact(
      engine,
      entries.filter(({ origin }) => origin?.raw.key === raw.key),
    );
    if (known === undefined) {
      const what = `the raw file of ${part(step)} of ${scope} ${describeDestroyed(gone)}`;
      throw new PipelineError(
        'STORE_CORRUPT',
        `${what}, and so is what was cut from it; import it again`,
      );
    }
    const { outputs, facts, checks } = known;
    const otherwise = cutOtherwise(step, known);
    if (otherwise !== undefined) {
      const what = `the raw file of ${part(step)} of ${scope} ${describeDestroyed(gone)}, and ${otherwise}`;
      throw new PipelineError(
        'STORE_CORRUPT',
        `${what}: set QUOTIDIEN_SHARDS back, or import it again`,
      );
    }
    work.push({
      result: { scope, outputs, facts, checks },
      identify: identifyBy(step),
      origin: answer.origin,
    });
  }
  const entries = await commitStep(
    engine,
    control,
    { pipeline, step, startedAt, scopes: dates.length },
    work,
  );
  return {
    answers: entries.map((entry) => doneWith(step, entry, 'ran')),
    entries,
    hasForgotten: false,
  };
}

function part(step: StepDefinition): string {
  return step.part ?? step.id;
}

/** The outputs of the entry that was made last of those whose outputs are all there, as files. */
async function lastIntact(
  { objects }: Pick<Engine, 'objects'>,
  entries: readonly LedgerEntry[],
): Promise<Pick<UnitResult, 'outputs' | 'facts' | 'checks'> | undefined> {
  const newest = [...entries].sort((a, b) =>
    a.execution.startedAt < b.execution.startedAt ? 1 : -1,
  );
  for (const { outputs, facts, checks } of newest) {
    const files: Record<string, StagedOutput> = {};
    for (const [name, ref] of Object.entries(outputs)) {
      const path = await objects.openLocal(ref).catch(unlessCorrupt);
      if (path !== undefined) files[name] = { path, ...definedMembers({ rows: ref.rows }) };
    }
    if (Object.keys(files).length === Object.keys(outputs).length)
      return { outputs: files, facts, checks };
  }
  return undefined;
}

function unlessCorrupt(error: unknown): undefined {
  if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
  return undefined;
}

/**
 * Takes a raw file away that has rows of persons who were forgotten, once all its days are cut:
 * their slices are what is kept of it. Files that are kept sealed stay, because nothing reads them
 * but what leaves these persons out.
 */
export async function dropForgotten(
  { engine, dataset, part }: Download,
  raw: Origin['raw'],
): Promise<void> {
  if (part.decoding === undefined)
    await destroyObjects(engine, dataset.definition.name, [raw], 'forgotten');
}

/** Cuts the raw file; what is wrong with it as a whole names where it is kept, if it is. */
async function sliceRaw(
  { engine, dataset }: Download,
  task: SliceTask,
  sql: SqlSession,
  rawKey: string | null,
): Promise<LeftOut> {
  try {
    return await sliceWithout(engine, dataset, task, sql);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== 'SRC_SHAPE_CHANGED' && code !== 'SRC_TRUNCATED') throw error;
    const where = rawKey === null ? 'nothing of it is kept' : `the raw file is kept as ${rawKey}`;
    const context = rawKey === null ? {} : { raw: rawKey };
    throw new PipelineError(code, `${(error as Error).message}; ${where}`, {
      cause: error,
      context,
    });
  }
}

/** The output of a download, whole or in shards. */
export const SLICE = 'slice';

/**
 * The identity of a download: the slice that it delivered, or all its shards, or that it delivered
 * none.
 */
export function identifyBy(
  step: Pick<StepDefinition, 'id' | 'version' | 'params'>,
): Uncommitted['identify'] {
  return (outputs) => {
    const slices = Object.entries(outputs).filter(([name]) => unsharded(name) === SLICE);
    const whole = { slice: null };
    const inputs =
      slices.length === 0
        ? whole
        : Object.fromEntries(slices.map(([name, { sha256 }]) => [name, [sha256]]));
    return {
      key: stepKey({ step: step.id, version: step.version, params: step.params ?? {}, inputs }),
      inputs,
    };
  };
}
