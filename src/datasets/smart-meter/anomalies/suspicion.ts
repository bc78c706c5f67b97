import { JUDGED_WEEKS, WEEKS } from './features.ts';
import type { ExcessByDay } from './features.ts';
import { WEEK_DAYS } from './week.ts';

/**
 * From what a meter lacks to a suspicion: what it lacks must be missing from the balance of its
 * transformer as well. Who travels or saves lacks energy that nobody took; who goes round the meter
 * lacks energy that the transformer gave.
 */

/** A meter that uses clearly less than it did. */
export interface Candidate {
  readonly meter_key: string;
  readonly segment: string;
  readonly transformer: string | null;
  /** Wh a day, median of the reference weeks. */
  readonly reference_wh: number;
  /**
   * Third smallest of the four judged weeks, over the reference and what the segment did meanwhile;
   * 1 is as usual.
   */
  readonly use_ratio: number;
  /** The same of the base load, of the evening and of the rest of the day. */
  readonly base_ratio: number;
  readonly evening_ratio: number;
  readonly other_ratio: number;
  /** Days of zeros in the judged weeks. */
  readonly zero_days: number;
  /** Wh a day that the meter lacks beside its reference, by week from the newest. */
  readonly short_wh: readonly number[];
  /** Which weeks the lists have, 0 is the newest. */
  readonly weeks: readonly number[];
  /** Mean Wh a day of these weeks, and the Wh of each of their days from the newest. */
  readonly week_wh: readonly number[];
  readonly use_days: readonly (readonly (number | null)[])[];
}

/** A candidate with how much speaks for it; energies are Wh. */
export interface Suspicion extends Omit<Candidate, 'short_wh' | 'weeks' | 'week_wh' | 'use_days'> {
  /** From 0 to 1. */
  readonly score: number;
  /** Share of what the meter lacks that its transformer lacks too; null without a balance. */
  readonly confirmed: number | null;
  /** When energy is missing: all day, in the evening, or as days of zeros. */
  readonly shape: 'all_day' | 'evening' | 'zeros';
  readonly missing_wh_per_day: number;
}

/** Below this third smallest of four weekly ratios a meter is looked at. */
export const CANDIDATE_RATIO = 0.9;
/**
 * From this score on a suspicion is told, when it was as high a week before. Chosen on made-up
 * worlds that no test judges.
 */
export const SUSPICION_THRESHOLD = 0.15;
/** Without a balance a drop is half of a reason. */
const UNCONFIRMED = 0.5;
const ZEROS_ALONE = 0.8;

/** The persistence rule alone, as a score that falls with the ratio. */
export function persistenceScore({ use_ratio: use, base_ratio: base }: Candidate): number {
  return Math.max(0, 1 - Math.max(use, base));
}

/** How far a meter is below what it was, from 0 to 1, and how the drop lies in the day. */
function dropOf({
  use_ratio: use,
  base_ratio: base,
  evening_ratio: evening,
  other_ratio: other,
  zero_days: zeros,
}: Candidate) {
  if (zeros >= 10) return { drop: 1 - Math.min(use, 0.5), shape: 'zeros' as const };
  if (evening < 0.75 && other > 0.85) return { drop: 1 - evening, shape: 'evening' as const };
  // Who is away leaves the base load as it was; who goes round the meter takes that past it too.
  return { drop: Math.max(0, 1 - Math.max(use, base)), shape: 'all_day' as const };
}

/** Suspicions of the candidates of all transformers, highest first. */
export function suspicionsOf(
  candidates: readonly Candidate[],
  excess: ReadonlyMap<string, ExcessByDay>,
): Suspicion[] {
  const byTransformer = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const name = candidate.transformer ?? '';
    byTransformer.set(name, [...(byTransformer.get(name) ?? []), candidate]);
  }
  const found = [...byTransformer].flatMap(([name, own]) => {
    const days = excess.get(name);
    const shares = days === undefined ? own.map(() => null) : sharesOf(own, days);
    return own.map((candidate, index) => suspicionOf(candidate, shares[index] ?? null));
  });
  return found.sort((a, b) => b.score - a.score || (a.meter_key < b.meter_key ? -1 : 1));
}

function suspicionOf(candidate: Candidate, confirmed: number | null): Suspicion {
  const { drop, shape } = dropOf(candidate);
  const { short_wh: short, weeks } = candidate;
  const judged = short.filter((_, index) => (weeks[index] ?? WEEKS) < JUDGED_WEEKS);
  const missing = judged.reduce((sum, value) => sum + value, 0) / Math.max(1, judged.length);
  const strength = Math.min(1, drop / 0.4);
  // Nobody who is away switches the refrigerator off: days of zeros are a reason of their own.
  const known = confirmed === null ? UNCONFIRMED : Math.min(1, confirmed);
  const score = strength * (shape === 'zeros' ? Math.max(ZEROS_ALONE, known) : known);
  return {
    ...{
      meter_key: candidate.meter_key,
      segment: candidate.segment,
      transformer: candidate.transformer,
    },
    ...{
      reference_wh: candidate.reference_wh,
      use_ratio: candidate.use_ratio,
      base_ratio: candidate.base_ratio,
    },
    ...{
      evening_ratio: candidate.evening_ratio,
      other_ratio: candidate.other_ratio,
      zero_days: candidate.zero_days,
    },
    ...{ score, confirmed, shape, missing_wh_per_day: Math.round(missing) },
  };
}

const ROUNDS = 120;
/** A week counts as short when this share of the reference is missing. */
const SHORT_WEEK = 0.08;

/**
 * The shares of what each meter lacks that add up best to what the transformer lacks, each between
 * 0 and 1.5: least squares over the days, one share after the other, beside a loss of every day
 * that is as old as the data. Whoever takes energy past the meter takes more of it on days on which
 * he uses more: a week's lack is laid on its days by what the meter showed.
 */
function sharesOf(candidates: readonly Candidate[], excess: ExcessByDay): number[] {
  const days = excess.flatMap((value, day) => (value === undefined ? [] : [day]));
  const lost = Float64Array.from(days, (day) => excess[day] ?? 0);
  const lacking = candidates.map((candidate) => Float64Array.from(lackingByDay(candidate, days)));
  const columns = [...lacking, new Float64Array(days.length).fill(1)];
  const full = fit(columns, lost);
  const noise = Math.max(1, full.rest / Math.max(1, days.length - columns.length));
  return candidates.map((_, index) => {
    const share = full.shares[index] ?? 0;
    if (share === 0) return 0;
    // What the others cannot explain without this one, beside the noise: the F statistic of leaving
    // it out.
    const needed = (fit(columns, lost, index).rest - full.rest) / noise;
    return share * Math.min(1, needed / SURE);
  });
}

/** From this F statistic on a share is taken for sure. */
const SURE = 9;

/**
 * Loops over numbers alone: a fleet of a million meters has tens of thousands of candidates, each
 * fitted some times.
 */
function fit(columns: readonly Float64Array[], lost: Float64Array, leftOut?: number) {
  const sizes = columns.map((column) => product(column, column));
  const shares = columns.map(() => 0);
  const rest = Float64Array.from(lost);
  let isMoving = true;
  for (let round = 0; round < ROUNDS && isMoving; round += 1) {
    isMoving = false;
    for (const [index, own] of columns.entries()) {
      const size = sizes[index] ?? 0;
      if (size === 0 || index === leftOut) continue;
      const before = shares[index] ?? 0;
      const along = product(own, rest) / size;
      const share = Math.min(
        index < columns.length - 1 ? 1.5 : Infinity,
        Math.max(0, before + along),
      );
      if (share === before) continue;
      // Once nothing moves, no later round is another.
      isMoving = true;
      shares[index] = share;
      const step = share - before;
      for (let place = 0; place < own.length; place += 1)
        rest[place] = (rest[place] ?? 0) - step * (own[place] ?? 0);
    }
  }
  return { shares, rest: product(rest, rest) };
}

function product(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let place = 0; place < one.length; place += 1)
    sum += (one[place] ?? 0) * (other[place] ?? 0);
  return sum;
}

function lackingByDay(candidate: Candidate, days: readonly number[]): number[] {
  const place = new Map(candidate.weeks.map((week, index) => [week, index]));
  return days.map((day) => {
    const index = place.get(Math.floor(day / WEEK_DAYS));
    if (index === undefined) return 0;
    const [short = 0, mean = 0] = [candidate.short_wh[index], candidate.week_wh[index]];
    if (short < SHORT_WEEK * candidate.reference_wh) return 0;
    const shown = candidate.use_days[index]?.[day % WEEK_DAYS] ?? mean;
    return mean > 0 ? short * (shown / mean) : short;
  });
}
