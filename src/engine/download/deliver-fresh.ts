import { asPipelineError } from '../../errors.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { noteSeen } from '../sources/arrivals.ts';
import type { DueFile } from '../sources/arrivals.ts';
import { bringDay, joinedRaw, noteCame, originOf } from './bring-files.ts';
import type { Delivering, Gathered } from './bring-files.ts';
import { deliverTogether } from './cut-together.ts';
import type { NewDay, NewDays } from './cut-together.ts';

/**
 * Days in one batch, and the bytes of their files unless one day has more: what they decode to lies
 * on the scratch disk together.
 */
const [DAYS_TOGETHER, BYTES_TOGETHER] = [31, 2 ** 26];

/** What came of days that nothing was known of. */
export interface FreshDays {
  readonly answers: readonly (StepDone | StepFailed)[];
  /** Days whose files came and that are to be cut by themselves. */
  readonly left: ReadonlyMap<CivilDate, Gathered>;
}

interface DueDay {
  readonly date: CivilDate;
  readonly files: readonly DueFile[];
}

/**
 * Delivers days that nothing is known of, many at once: a session of the SQL engine, a decoding and
 * a commit for all of them. A run that breaks off leaves files that are kept and that the journal
 * does not call landed: their days are no longer fresh, and the next run makes each by itself.
 */
export async function deliverFresh(
  delivering: Delivering,
  dates: readonly CivilDate[],
  due: readonly DueFile[],
): Promise<FreshDays> {
  const { engine, dataset } = delivering;
  const answers: (StepDone | StepFailed)[] = [];
  const left = new Map<CivilDate, Gathered>();
  for (const batch of batchesOf(dates, due)) {
    const files = batch.flatMap((day) => day.files);
    await noteSeen(engine, dataset.definition.name, files);
    const days = new Map<CivilDate, Gathered>();
    for (const day of batch) days.set(day.date, await bringDay(delivering, day.date, day.files));
    const made = await deliverBatch(delivering, days);
    answers.push(...made);
    const ended = new Set(made.map(({ date }) => date));
    for (const [date, gathered] of days) if (!ended.has(date)) left.set(date, gathered);
  }
  return { answers, left };
}

function batchesOf(dates: readonly CivilDate[], due: readonly DueFile[]): DueDay[][] {
  const batches: DueDay[][] = [];
  let free = 0;
  for (const date of dates) {
    const files = due.filter(({ day }) => day.date === date);
    const bytes = files.reduce((sum, { file }) => sum + file.bytes, 0);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === DAYS_TOGETHER || bytes > free) {
      batches.push([{ date, files }]);
      free = BYTES_TOGETHER;
    } else batch.push({ date, files });
    free -= bytes;
  }
  return batches;
}

async function deliverBatch(
  delivering: Delivering,
  days: ReadonlyMap<CivilDate, Gathered>,
): Promise<NewDays['days']> {
  const full = [...days].filter(([, { files }]) => files.length > 0);
  if (full.length < 2) return [];
  const fresh: NewDay[] = [];
  for (const [date, { files }] of full) {
    const raw = await joinedRaw(delivering, date, files);
    fresh.push({ date, origin: originOf(delivering, files[0], raw) });
  }
  const { days: made, decoded } = await deliverOrLeave(delivering, fresh);
  for (const { date } of made) {
    const gathered = days.get(date);
    if (gathered !== undefined) await noteCame(delivering, gathered, decoded);
  }
  return made;
}

/** What is wrong with one of the days is to be its own failure: then each is cut by itself. */
async function deliverOrLeave(delivering: Delivering, days: readonly NewDay[]): Promise<NewDays> {
  try {
    return await deliverTogether(delivering, days);
  } catch (error) {
    delivering.control.signal.throwIfAborted();
    if (asPipelineError(error).retryable) throw error;
    return { days: [], decoded: [] };
  }
}
