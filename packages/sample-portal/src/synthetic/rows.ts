import { COL, NUMERIC } from './columns.ts';
import { createExchanges, createGeneration, exchangeSlot } from './generation.ts';
import type { LoadDay } from './load.ts';
import { createLoadModel } from './load.ts';
import { hash, jitter, seriesKey, smooth } from './noise.ts';

/** Marks an empty cell in a row of values. */
export const EMPTY = -0x80000000;

/** How final the values of a row are: measured in real time, consolidated, definitive. */
type Finality = 0 | 1 | 2;

/** The values of single rows, in any order, for one seed. */
export interface RowModel {
  /**
   * Overwrites all of `row` (one number for each of `NUMERIC`, `EMPTY` where the publisher gives
   * nothing).
   */
  fill(row: Int32Array, day: LoadDay, quarter: number, state: RowState): void;
}

/** How much of a row is known at the portal's clock. */
export interface RowState {
  readonly finality: Finality;
  /** Identifies what publishers' revisions have changed on this day; 0 when nothing. */
  readonly salt: number;
  /** Whether the row has measured values, and each of the forecasts. */
  readonly measured: boolean;
  readonly dayAhead: boolean;
  readonly sameDay: boolean;
}

/** Columns that a publisher corrects, with the largest correction as a share of the value. */
const CORRECTED = [
  [COL.nucleaire, 0.0006],
  [COL.eolien, 0.012],
  [COL.solaire, 0.015],
  [COL.hydraulique, 0.006],
] as const;

/**
 * Grams of CO2 per kWh of each fuel, close to what RTE published for 2021 (checked on its
 * December).
 */
const CO2_G_PER_KWH = [
  [COL.fioul, 777],
  [COL.charbon, 986],
  [COL.gaz, 429],
  [COL.bioenergies, 494],
] as const;
const SOURCES = [
  COL.fioul,
  COL.charbon,
  COL.gaz,
  COL.nucleaire,
  COL.eolien,
  COL.solaire,
  COL.hydraulique,
  COL.bioenergies,
] as const;

function at(row: Int32Array, column: number): number {
  return row[column] ?? 0;
}

/**
 * One publication's worth of small corrections; `strength` 1 is the step from real time to
 * consolidated.
 */
function correct(row: Int32Array, key: number, quarter: number, strength: number): void {
  row[COL.consommation] =
    at(row, COL.consommation) +
    Math.round(strength * (190 * smooth(key, quarter, 12) + 60 * jitter(key ^ 1, quarter)));
  for (const [column, share] of CORRECTED) {
    row[column] = Math.round(
      at(row, column) * (1 + strength * share * jitter(key ^ (column + 2), quarter)),
    );
  }
}

/**
 * A revision that the publisher makes on purpose: every measured load of the day moves by 40–200
 * MW.
 */
function revise(row: Int32Array, key: number, quarter: number): void {
  const step = 40 + (hash(key, quarter) % 161);
  row[COL.consommation] =
    at(row, COL.consommation) + (hash(key ^ 1, quarter) % 2 === 0 ? step : -step);
  row[COL.nucleaire] = at(row, COL.nucleaire) + 1 + (hash(key ^ 2, quarter) % 90);
}

function co2(row: Int32Array): number {
  let grams = 0;
  let total = 0;
  for (const [column, factor] of CO2_G_PER_KWH) grams += factor * at(row, column);
  for (const column of SOURCES) total += at(row, column);
  return Math.round(grams / total);
}

/**
 * Closes a row after all corrections: exchanges balance it, exactly but for one row in a thousand
 * before 2025, within 5 MW since; onshore wind is the rest of the wind, within 1 MW.
 */
function close(row: Int32Array, key: number, quarter: number, year: number): void {
  let supply = at(row, COL.pompage);
  for (const column of SOURCES) supply += at(row, column);
  const draw = hash(key, quarter);
  let slack = draw % 1_000 === 0 ? -1 : 0;
  if (year >= 2025) {
    supply += at(row, COL.stockage_batterie) + at(row, COL.destockage_batterie);
    slack = (draw % 11) - 5;
    row[COL.eolien_terrestre] = Math.max(
      0,
      at(row, COL.eolien) - at(row, COL.eolien_offshore) + (draw % 3) - 1,
    );
  }
  row[COL.ech_physiques] = at(row, COL.consommation) - supply + slack;
}

/** Sources, exchanges and load of a row add up within the rounding that RTE's have. */
export function createRowModel(seed: number): RowModel {
  const load = createLoadModel(seed);
  const generation = createGeneration(seed);
  const corrections = [
    seriesKey(seed, 'correction/consolidated'),
    seriesKey(seed, 'correction/definitive'),
  ] as const;
  const slack = seriesKey(seed, 'slack');
  const missingCo2 = seriesKey(seed, 'co2/missing');
  const revisions = seriesKey(seed, 'revision');
  const exchanges = createExchanges(seed);
  const other = new Int32Array(NUMERIC.length);
  /** All that is measured, but the commercial schedules. */
  const measure = (
    row: Int32Array,
    day: LoadDay,
    quarter: number,
    { finality, salt }: RowState,
  ): void => {
    const moment = load.moment(day, quarter);
    row[COL.consommation] = load.measured(moment, quarter);
    generation(row, moment, quarter, day.year);
    if (finality >= 1) correct(row, corrections[0], quarter, 1);
    if (finality >= 2) correct(row, corrections[1], quarter, 0.3);
    if (salt !== 0) revise(row, revisions ^ salt, quarter);
    close(row, slack, quarter, day.year);
  };
  return {
    fill(row, day, quarter, state) {
      row.fill(EMPTY, 0, NUMERIC.length);
      const moment = load.moment(day, quarter);
      if (state.dayAhead) row[COL.prevision_j1] = load.dayAhead(moment, quarter);
      if (state.sameDay) row[COL.prevision_j] = load.sameDay(moment, quarter);
      if (!state.measured) return;
      const slot = exchangeSlot(quarter, day.year);
      // An hour has one schedule, that of its beginning.
      if (slot !== quarter) measure(other, day, slot, state);
      measure(row, day, quarter, state);
      exchanges(row, slot, at(slot === quarter ? row : other, COL.ech_physiques));
      // The provider writes 0 where it has no carbon intensity: about one hour in 300.
      row[COL.taux_co2] = hash(missingCo2, quarter >> 2) % 300 === 0 ? 0 : co2(row);
      // Commercial schedules are half-hourly before 2025.
      if (day.year < 2025 && quarter % 2 !== 0)
        row.fill(EMPTY, COL.ech_comm_angleterre, COL.fioul_tac);
    },
  };
}
