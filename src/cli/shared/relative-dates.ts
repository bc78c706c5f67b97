import type { Dataset } from '../../pipelines/dataset.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';

/**
 * Dates as people say them, wherever a command takes a date: `today`, `yesterday`, and `-7d` (also
 * `today-7d`) for seven days ago. They are those of the pipeline's zone, and become explicit dates
 * before a command sees them.
 */

/** A shard of a day may follow, as in `yesterday.07-of-16`. */
const RELATIVE = /^(?:(today)|(yesterday)|(?:today)?-(\d{1,5})d)(\.\S+)?$/;

/** What commander would take for options. */
const WITH_DASH = /^-\d{1,5}d$/;

/** The arguments of a command line in which no date looks like an option. */
export function withoutDashes(argv: readonly string[]): string[] {
  return argv.map((argument) => (WITH_DASH.test(argument) ? `today${argument}` : argument));
}

/** The explicit date; any other text as it is. */
export function explicitDate(text: string, today: CivilDate): string {
  const match = RELATIVE.exec(text);
  if (match === null) return text;
  const [, isToday, isYesterday, days = '0', shard = ''] = match;
  const back = isToday !== undefined ? 0 : isYesterday !== undefined ? 1 : Number(days);
  return `${addDays(today, -back)}${shard}`;
}

const DATES = ['from', 'to', 'date', 'asOf'] as const;

/**
 * The arguments and options of a command, all of whose dates are explicit. A pipeline that nobody
 * knows is left to the command.
 */
export function withExplicitDates<T extends { readonly pipeline: string }>(
  { datasets }: { readonly datasets: Readonly<Record<string, Dataset>> },
  command: T,
  now = new Date(),
): T {
  const { pipeline } = command;
  const zone = Object.hasOwn(datasets, pipeline) ? datasets[pipeline]?.definition.zone : undefined;
  if (zone === undefined) return command;
  const today = civilDateAt(now, zone);
  const given = command as unknown as Readonly<Record<string, unknown>>;
  const dates = DATES.flatMap((name) => {
    const text = given[name];
    return typeof text === 'string' ? [[name, explicitDate(text, today)]] : [];
  });
  return { ...command, ...(Object.fromEntries(dates) as Partial<T>) };
}
