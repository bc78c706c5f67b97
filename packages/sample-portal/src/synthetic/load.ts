import { clamp, cosTurn, jitter, seriesKey, smooth } from './noise.ts';
import type { ParisDay } from './paris-days.ts';
import { wallQuarters } from './paris-days.ts';

/**
 * The synthetic national load and its forecasts: a daily shape that moves with the season, weekdays
 * and holidays, heating below 15 °C, cooling above 21 °C, and noise. Plausible, not calibrated:
 * 30–90 GW.
 */

/** Load of each local hour over the mean of the day. */
const WINTER_SHAPE = [
  0.93, 0.9, 0.88, 0.86, 0.85, 0.87, 0.93, 1.02, 1.07, 1.07, 1.06, 1.06, 1.06, 1.05, 1.02, 1.0,
  0.99, 1.02, 1.09, 1.12, 1.07, 1.02, 1.02, 0.99,
];
const SUMMER_SHAPE = [
  0.91, 0.86, 0.82, 0.8, 0.8, 0.81, 0.86, 0.96, 1.04, 1.07, 1.08, 1.1, 1.12, 1.1, 1.07, 1.05, 1.03,
  1.03, 1.05, 1.06, 1.04, 1.02, 1.04, 0.98,
];
/** From Sunday to Saturday. */
const WEEKDAY_FACTOR = [0.86, 0.985, 1, 1, 1, 0.99, 0.91];
const HOLIDAYS = new Set(['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25']);
const MEAN_MW = 49_000;
const MW_PER_COLD_DEGREE = 1_700;
const MW_PER_HOT_DEGREE = 550;

/** A Paris day with what the load of all its quarters shares. */
export interface LoadDay extends ParisDay {
  /**
   * Factor of the day, and at the midnights before and after it, so that the load never jumps at
   * midnight.
   */
  readonly factors: readonly [number, number, number];
}

function factorOf(monthDay: string, weekday: number): number {
  const holiday = HOLIDAYS.has(monthDay) ? 0.87 : (WEEKDAY_FACTOR[weekday] ?? 1);
  const month = Number(monthDay.slice(0, 2));
  const dayOfMonth = Number(monthDay.slice(3));
  if (month === 8) return holiday * (dayOfMonth >= 5 && dayOfMonth <= 20 ? 0.92 : 0.95);
  return (month === 12 && dayOfMonth > 23) || (month === 1 && dayOfMonth === 1)
    ? holiday * 0.95
    : holiday;
}

/** Factors of the day and of the midnights around it, so that the load has no jump there. */
export function loadDay(day: ParisDay, before: ParisDay, after: ParisDay): LoadDay {
  const [previous, own, next] = [before, day, after].map((each) =>
    factorOf(each.text.slice(5), each.weekday),
  ) as [number, number, number];
  return { ...day, factors: [(previous + own) / 2, own, (own + next) / 2] };
}

function factorAt(day: LoadDay, hour: number): number {
  const [before, own, after] = day.factors;
  if (hour < 3) return before + ((own - before) * hour) / 3;
  return hour > 21 ? own + ((after - own) * (hour - 21)) / 3 : own;
}

/**
 * What the weather and the clock are at one quarter; generation depends on the same values as the
 * load.
 */
export interface Moment {
  /** Local hour with its fraction. */
  hour: number;
  /** 1 in mid-January, −1 in mid-July. */
  winter: number;
  /** Load of the hour over the mean of a day. */
  shape: number;
  /** Share of the year gone, as counted from 1 January. */
  yearShare: number;
  /** Load without the noise of the single quarter, in MW. */
  load: number;
}

/** Any quarter can be asked alone; power in MW. */
export interface LoadModel {
  /** The moment of a quarter of `day`; the same object each time, overwritten by the next call. */
  moment(day: LoadDay, quarter: number): Moment;
  /** Measured load of a moment in whole MW, before any correction by the publisher. */
  measured(moment: Moment, quarter: number): number;
  /** Forecasts in whole MW: multiples of 100 on the half-hour, of 50 between, as published. */
  dayAhead(moment: Moment, quarter: number): number;
  sameDay(moment: Moment, quarter: number): number;
}

function published(load: number, quarter: number): number {
  const step = quarter % 2 === 0 ? 100 : 50;
  return Math.round(load / step) * step;
}

function shapeAt(table: readonly number[], hour: number): number {
  const from = Math.floor(hour);
  const a = table[from] ?? 1;
  return a + ((table[(from + 1) % 24] ?? 1) - a) * (hour - from);
}

/** Equal seeds give equal loads on every machine. */
export function createLoadModel(seed: number): LoadModel {
  const key = (name: string): number => seriesKey(seed, name);
  const spell = key('temperature/spell');
  const season = key('temperature/season');
  const swing = key('load/swing');
  const quarterly = key('load/quarter');
  const errors = {
    dayAhead: key('forecast/day-ahead'),
    drift: key('forecast/drift'),
    sameDay: key('forecast/same-day'),
  };
  const moment: Moment = { hour: 0, winter: 0, shape: 1, yearShare: 0, load: 0 };
  return {
    moment(day, quarter) {
      const hour = wallQuarters(day, quarter) / 4;
      const yearShare = (day.dayOfYear + hour / 24) / 365.25;
      const winter = cosTurn(yearShare - 0.055);
      const cold = (1 + winter) / 2;
      const shape = shapeAt(WINTER_SHAPE, hour) * cold + shapeAt(SUMMER_SHAPE, hour) * (1 - cold);
      const temperature =
        12.5 - 8.5 * winter + 4 * smooth(spell, quarter, 384) + 2.5 * smooth(season, quarter, 1344);
      const comfort =
        MW_PER_COLD_DEGREE * Math.max(0, 15 - temperature) +
        MW_PER_HOT_DEGREE * Math.max(0, temperature - 21);
      const load =
        MEAN_MW * shape * factorAt(day, hour) + comfort + 500 * smooth(swing, quarter, 8);
      moment.hour = hour;
      moment.winter = winter;
      moment.shape = shape;
      moment.yearShare = yearShare;
      moment.load = clamp(load, 30_300, 89_500);
      return moment;
    },
    measured: ({ load }, quarter) => Math.round(load + 240 * jitter(quarterly, quarter)),
    dayAhead: ({ load }, quarter) =>
      published(
        load +
          1_600 * smooth(errors.dayAhead, quarter, 24) +
          900 * smooth(errors.drift, quarter, 96),
        quarter,
      ),
    sameDay: ({ load }, quarter) =>
      published(load + 800 * smooth(errors.sameDay, quarter, 10), quarter),
  };
}
