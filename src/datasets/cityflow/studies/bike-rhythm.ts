import { addDays, nthOf, weekdayOf } from '../../kit/index.ts';
import { mean, rounded, sum } from '../statistics.ts';
import type { CounterDaySums, ProfileSums } from './bike-hours.ts';
import type { StudyLimits } from './limits.ts';

/** The rhythm of all counters together: typical days, peak hours, weeks and weekends. */

/** One clock hour of one weekday. */
export interface ProfileHour {
  readonly jour: string;
  /** 0–23, local. */
  readonly heure: number;
  /** Mean of the hourly counts of all counters. */
  readonly debit_moyen: number;
}

const WEEKDAYS = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
] as const;

/** The typical day of each weekday, in the order of the week and the clock. */
export function profileOf(profile: readonly ProfileSums[]): ProfileHour[] {
  return profile.map(({ weekday, clock, n, total }) => ({
    jour: nthOf(WEEKDAYS, weekday - 1),
    heure: clock,
    debit_moyen: rounded(total / n, 3),
  }));
}

/** A clock hour above the share `seuil_pct` of the mean of the 24 hourly means. */
export interface PeakHour {
  readonly heure: number;
  readonly debit_moyen: number;
  readonly seuil_pct: number;
  /** Mean of the hourly means, which a peak hour is held against. */
  readonly debit_global_moyen: number;
}

/** The clock hours whose mean is above the share of the mean of all hourly means. */
export function peakHours(
  profile: readonly ProfileSums[],
  { peak_hour_pct: share }: StudyLimits,
): PeakHour[] {
  const clocks = [...new Set(profile.map(({ clock }) => clock))].sort((a, b) => a - b);
  const means = clocks.map((clock) => {
    const own = profile.filter((one) => one.clock === clock);
    return { heure: clock, mean: sum(own.map(({ total }) => total)) / sum(own.map(({ n }) => n)) };
  });
  const overall = mean(means.map((one) => one.mean)) ?? 0;
  return means
    .filter((one) => one.mean > (overall * share) / 100)
    .map((one) => ({
      heure: one.heure,
      debit_moyen: rounded(one.mean, 3),
      seuil_pct: share,
      debit_global_moyen: rounded(overall, 3),
    }));
}

/** A week of the window beside the week before; bikes of all counters. */
export interface WeekChange {
  /** Monday and Sunday: `2025-11-03/2025-11-09`. */
  readonly periode: string;
  /** Days of the week that are in the window and have bikes. */
  readonly jours: number;
  readonly debit_total: number;
  /** Of the week before; null for the first week of the window. */
  readonly debit_precedent: number | null;
  readonly variation_absolue: number | null;
  /** Null also where the week before has no bikes. */
  readonly taux_croissance_pct: number | null;
  /**
   * Ours: the mean of a day against that of the week before, which a week without all its days does
   * not bend.
   */
  readonly taux_croissance_jour_pct: number | null;
}

/** Totals of all counters by week, each against the week before it. */
export function weeklyChange(days: readonly CounterDaySums[]): WeekChange[] {
  const weeks = new Map<string, { total: number; days: Set<string> }>();
  for (const { day, total } of days) {
    const monday = addDays(day, -((weekdayOf(day) + 6) % 7));
    const week = weeks.get(monday) ?? { total: 0, days: new Set<string>() };
    weeks.set(monday, { total: week.total + total, days: week.days.add(day) });
  }
  const sorted = [...weeks].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([monday, week], index) => {
    const before = sorted[index - 1]?.[1];
    return {
      periode: `${monday}/${addDays(monday, 6)}`,
      jours: week.days.size,
      debit_total: week.total,
      debit_precedent: before?.total ?? null,
      variation_absolue: before === undefined ? null : week.total - before.total,
      taux_croissance_pct: growth(week.total, before?.total),
      taux_croissance_jour_pct: growth(
        week.total / week.days.size,
        before === undefined ? undefined : before.total / before.days.size,
      ),
    };
  });
}

function growth(value: number, before: number | undefined): number | null {
  return before === undefined || before === 0 ? null : rounded((value / before - 1) * 100, 2);
}

/** Weekends beside working days of the window; bikes of all counters. */
export interface WeekendRatio {
  /** Bikes of Saturdays and Sundays of the window; null when none of them has a count. */
  readonly debit_weekend: number | null;
  /** Bikes of its other days; null when none of them has a count. */
  readonly debit_semaine: number | null;
  /** Null without days of both kinds, or without bikes on working days; so are the next two. */
  readonly ratio_weekend_semaine: number | null;
  readonly difference_pct: number | null;
  /**
   * Ours: a mean day of the weekend over a mean working day; the totals compare two days with five.
   */
  readonly ratio_par_jour: number | null;
}

/** Null without a day. */
export function weekendRatio(days: readonly CounterDaySums[]): WeekendRatio | null {
  if (days.length === 0) return null;
  const isWeekend = ({ day }: CounterDaySums): boolean => [0, 6].includes(weekdayOf(day));
  const weekend = totalsOf(days.filter(isWeekend));
  const working = totalsOf(days.filter((day) => !isWeekend(day)));
  const share = ratio(weekend?.bikes, working?.bikes);
  const perDay = ratio(weekend?.bikesPerDay, working?.bikesPerDay);
  return {
    debit_weekend: weekend?.bikes ?? null,
    debit_semaine: working?.bikes ?? null,
    ratio_weekend_semaine: share === null ? null : rounded(share, 3),
    difference_pct: share === null ? null : rounded((share - 1) * 100, 2),
    ratio_par_jour: perDay === null ? null : rounded(perDay, 3),
  };
}

/** Undefined without a day: a sum of nothing would be 0, which reads as a count. */
function totalsOf(
  days: readonly CounterDaySums[],
): { bikes: number; bikesPerDay: number } | undefined {
  if (days.length === 0) return undefined;
  const bikes = sum(days.map(({ total }) => total));
  return { bikes, bikesPerDay: bikes / new Set(days.map(({ day }) => day)).size };
}

function ratio(above: number | undefined, below: number | undefined): number | null {
  return above === undefined || below === undefined || below === 0 ? null : above / below;
}
