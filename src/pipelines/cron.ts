import { required } from '../given.ts';
import { PipelineError } from '../errors.ts';

/**
 * Five-field cron as sets of numbers, so that two ways to write the same times compare as equal.
 * Ours, because Temporal keeps times as such sets; croner computes next runs, which nobody asks for
 * here.
 */

/** Every minute, hour and day that an expression names, ascending: `*` is written out. */
export interface CronTimes {
  readonly minute: readonly number[];
  readonly hour: readonly number[];
  readonly dayOfMonth: readonly number[];
  /** 1–12. */
  readonly month: readonly number[];
  /** 0 is Sunday. */
  readonly dayOfWeek: readonly number[];
}

const FIELDS = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['dayOfMonth', 1, 31],
  ['month', 1, 12],
  ['dayOfWeek', 0, 6],
] as const satisfies readonly (readonly [keyof CronTimes, number, number])[];

/**
 * The times of `minute hour day-of-month month day-of-week`; each is `*`, numbers, ranges `a-b`,
 * steps `/n`, and lists. `INPUT_INVALID` otherwise.
 */
export function parseCron(cron: string): CronTimes {
  const texts = cron.trim().split(/\s+/);
  if (texts.length !== FIELDS.length) {
    throw new PipelineError(
      'INPUT_INVALID',
      `cron ${JSON.stringify(cron)} has ${texts.length} fields instead of five`,
    );
  }
  const [minute = [], hour = [], dayOfMonth = [], month = [], dayOfWeek = []] = FIELDS.map(
    ([name, min, max], index) => parseField(required(texts[index], name), name, min, max),
  );
  return { minute, hour, dayOfMonth, month, dayOfWeek };
}

/** What is wrong with a cron text; undefined when it can be read. */
export function cronProblem(cron: string): string | undefined {
  try {
    parseCron(cron);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function parseField(text: string, name: string, min: number, max: number): number[] {
  const numbers = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item);
    const from = Number(match?.[1] ?? min);
    const to = Number(
      match?.[2] ?? (match?.[1] === undefined || match[3] !== undefined ? max : from),
    );
    const step = Number(match?.[3] ?? 1);
    if (match === null || from < min || to > max || from > to || step < 1) {
      throw new PipelineError(
        'INPUT_INVALID',
        `${name} ${JSON.stringify(item)} is not within ${min}-${max}`,
      );
    }
    for (let number = from; number <= to; number += step) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** The same times as text, fields that allow everything as `*`. */
export function formatCron(times: CronTimes): string {
  return FIELDS.map(([name, min, max]) =>
    times[name].length === max - min + 1 ? '*' : times[name].join(','),
  ).join(' ');
}
