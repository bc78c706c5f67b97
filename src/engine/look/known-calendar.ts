import type { CalendarDay, RunningDay } from '../../pipelines/calendar-of-days.ts';
import { monthOf } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { Engine } from '../engine.ts';
import { readFailures } from '../records/failures.ts';
import { calendarOfDays } from './day-calendar.ts';
import type { KnownVersions } from './known-versions.ts';

/**
 * What nothing tells of, such as an answer without rows or a day that is due by now, is seen after
 * at most this long.
 */
const READ_AGAIN_MS = 60_000;

interface KnownMonth {
  /** Versions and failures of its days: others make another calendar. */
  readonly sign: string | undefined;
  readonly readAt: number;
  readonly days: ReadonlyMap<CivilDate, CalendarDay>;
}

/**
 * How days stand, in memory, for many readers of the same months. Invariants:
 * 1. A month is made again when a version or a failure of one of its days is another, and after
 *    `READ_AGAIN_MS`.
 * 2. A month with days that run now is made for each reader.
 * 3. A day of the answer is what `calendarOfDays` says of it, or said within that time.
 */
export class KnownCalendar {
  readonly #engine: Engine;
  readonly #known: KnownVersions;
  readonly #months = new Map<string, KnownMonth>();

  constructor(engine: Engine, known: KnownVersions) {
    this.#engine = engine;
    this.#known = known;
  }

  /** In the order of the dates; days before the pipeline's first one are left out. */
  async of(
    pipeline: string,
    dates: readonly CivilDate[],
    running: ReadonlyMap<CivilDate, RunningDay>,
  ): Promise<CalendarDay[]> {
    const months = byMonth(dates);
    const signs = await this.#signsOf(pipeline, dates);
    const now = this.#engine.now().getTime();
    const missing = [...months].flatMap(([month, own]) => {
      const known = this.#months.get(`${pipeline}/${month}`);
      const isKnown =
        known !== undefined &&
        known.sign === signs.get(month) &&
        now - known.readAt < READ_AGAIN_MS;
      return isKnown && own.every((date) => !running.has(date)) ? [] : own;
    });
    const made =
      missing.length === 0 ? [] : await calendarOfDays(this.#engine, pipeline, missing, running);
    const found = new Map(made.map((day) => [day.date, day]));
    for (const [month, own] of byMonth(missing)) {
      const isRunning = own.some((date) => running.has(date));
      const days = new Map(
        made.filter(({ date }) => monthOf(date) === month).map((day) => [day.date, day]),
      );
      if (!isRunning)
        this.#months.set(`${pipeline}/${month}`, { sign: signs.get(month), readAt: now, days });
    }
    return dates.flatMap(
      (date) =>
        found.get(date) ?? this.#months.get(`${pipeline}/${monthOf(date)}`)?.days.get(date) ?? [],
    );
  }

  /**
   * By month; the dates that were asked for count, so that a part of a month is not taken for all
   * of it.
   */
  async #signsOf(pipeline: string, dates: readonly CivilDate[]): Promise<Map<string, string>> {
    const [versions, failures] = await Promise.all([
      this.#known.of(pipeline, dates),
      readFailures(this.#engine.documents, pipeline, dates),
    ]);
    const signs = new Map<string, string>();
    for (const date of dates) {
      const sign = `${date}@${versions.get(date)?.at(-1)?.version ?? 0}/${failures.get(date)?.failedAt ?? 'good'}`;
      const before = signs.get(monthOf(date));
      signs.set(monthOf(date), before === undefined ? sign : `${before} ${sign}`);
    }
    return signs;
  }
}

function byMonth(dates: readonly CivilDate[]): Map<string, CivilDate[]> {
  const months = new Map<string, CivilDate[]>();
  for (const date of dates) {
    const own = months.get(monthOf(date));
    if (own === undefined) months.set(monthOf(date), [date]);
    else own.push(date);
  }
  return months;
}
