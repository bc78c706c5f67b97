import type { Delay } from '../../pipelines/definition.ts';

/** A length of time as a person writes it: `'10 minutes'`, `'1 hour'`, `'7 days'`. */
export type Duration = `${number} ${keyof typeof SECONDS | `${keyof typeof SECONDS}s`}`;

const SECONDS = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

function parse(duration: Duration): {
  readonly count: number;
  readonly unit: keyof typeof SECONDS;
} {
  const [count = '', unit = ''] = duration.split(' ');
  return { count: Number(count), unit: unit.replace(/s$/, '') as keyof typeof SECONDS };
}

/** In seconds; a day counts 24 hours. */
export function secondsOf(duration: Duration): number {
  const { count, unit } = parse(duration);
  return count * SECONDS[unit];
}

/** In minutes; a day counts 24 hours. */
export function minutesOf(duration: Duration): number {
  return secondsOf(duration) / SECONDS.minute;
}

/**
 * A time after the end of a data day: days are civil days of the pipeline's zone, 23 to 25 hours
 * long.
 */
export function delayOf(duration: Duration): Delay {
  const { count, unit } = parse(duration);
  return unit === 'day' ? { days: count } : { minutes: minutesOf(duration) };
}
