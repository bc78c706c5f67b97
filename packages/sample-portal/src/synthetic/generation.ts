import { COL } from './columns.ts';
import type { Moment } from './load.ts';
import { clamp, cosTurn, hash, jitter, seriesKey, smooth } from './noise.ts';

/**
 * The synthetic generation mix under a load: capacities grow with the years, wind follows the
 * weather, the sun its own geometry, hydro and pumping the shape of the day, thermal plants the
 * rest; exchanges with the neighbours close the balance.
 */

/**
 * Latitude and longitude of the middle of mainland France, 46.5° N 2.5° E, as sine, cosine and
 * share of a turn.
 */
const SIN_LATITUDE = 0.7254;
const COS_LATITUDE = 0.6884;
const LONGITUDE_TURN = 2.5 / 360;
/** Sine of the axial tilt, 23.44°. */
const SIN_TILT = 0.3978;
const EXPORT_LIMIT_MW = -17_000;
const IMPORT_LIMIT_MW = 13_000;

/**
 * Fills the generation columns of `row`, `consommation` being there already; leaves exchanges and
 * onshore wind to the end.
 */
export type GenerationModel = (
  row: Int32Array,
  moment: Moment,
  quarter: number,
  year: number,
) => void;

/** Sine of the sun's height above the horizon; 0 by night. */
function sunHeight(yearShare: number, quarter: number): number {
  const sinDeclination = -SIN_TILT * cosTurn(yearShare + 0.027);
  const cosDeclination = Math.sqrt(1 - sinDeclination * sinDeclination);
  const hourAngle = (quarter % 96) / 96 + LONGITUDE_TURN - 0.5;
  return Math.max(
    0,
    SIN_LATITUDE * sinDeclination + COS_LATITUDE * cosDeclination * cosTurn(hourAngle),
  );
}

function createRenewables(seed: number): GenerationModel {
  const key = (name: string): number => seriesKey(seed, name);
  const front = key('wind/front');
  const gust = key('wind/gust');
  const sea = key('wind/sea');
  const cloud = key('sun/cloud');
  const river = key('hydro/river');
  const lake = key('hydro/lake');
  const pump = key('hydro/pump');
  const bio = key('bio');
  const odd = key('parts');
  return (row, { shape, winter, yearShare }, quarter, year) => {
    const age = clamp(year + yearShare - 2012, 0, 18);
    const wind = 0.5 + 0.5 * (0.7 * smooth(front, quarter, 144) + 0.3 * smooth(gust, quarter, 32));
    row[COL.eolien] = Math.round(
      (7_500 + 1_250 * age) * (0.03 + 0.82 * wind * wind * (1 + 0.2 * winter)),
    );
    if (year >= 2025) {
      row[COL.eolien_offshore] = Math.round(
        1_500 * (0.05 + 0.4 * (1 + smooth(sea, quarter, 120))) * wind,
      );
    }
    const clearness = 0.6 + 0.3 * smooth(cloud, quarter, 40);
    row[COL.solaire] = Math.round(
      (3_500 + 1_750 * age) * sunHeight(yearShare, quarter) * clearness,
    );

    const flow = Math.round(
      4_700 + 900 * cosTurn(yearShare - 0.3) + 600 * smooth(river, quarter, 700),
    );
    const lakes = Math.round(
      Math.max(60, 1_700 + 9_000 * (shape - 1) + 500 * smooth(lake, quarter, 24)),
    );
    const turbines = Math.round(
      Math.max(0, 26_000 * (shape - 1.03) + 150 * smooth(pump, quarter, 12)),
    );
    row[COL.hydraulique_fil_eau_eclusee] = flow;
    row[COL.hydraulique_lacs] = lakes;
    row[COL.hydraulique_step_turbinage] = turbines;
    row[COL.hydraulique] = flow + lakes + turbines - 1 - (hash(odd, quarter) % 9);
    row[COL.pompage] = -Math.round(
      clamp(28_000 * (0.92 - shape) + 300 * smooth(pump, quarter, 20), 0, 4_200),
    );

    const waste = Math.round(170 + 5 * age + 20 * smooth(bio, quarter, 60));
    const biomass = Math.round(190 + 14 * age + 15 * smooth(bio ^ 1, quarter, 90));
    const biogas = Math.round(180 + 9 * age);
    row[COL.bioenergies_dechets] = waste;
    row[COL.bioenergies_biomasse] = biomass;
    row[COL.bioenergies_biogaz] = biogas;
    row[COL.bioenergies] = waste + biomass + biogas + 1 + (hash(odd ^ 1, quarter) % 3);
  };
}

/** Cogeneration runs from November to March only. */
function gasParts(row: Int32Array, gas: number, winter: number, odd: number): void {
  const cogeneration = Math.round(Math.min(gas * 0.8, winter > 0.2 ? 2_400 : 550));
  const turbines = Math.round(Math.max(0, gas - 7_500) * 0.4);
  row[COL.gaz] = gas;
  row[COL.gaz_cogen] = cogeneration;
  row[COL.gaz_tac] = turbines;
  row[COL.gaz_autres] = odd % 2;
  row[COL.gaz_ccg] = Math.max(0, gas - cogeneration - turbines - (odd % 7));
}

function oilParts(row: Int32Array, oil: number, odd: number): void {
  const cogeneration = 24 + (odd % 9);
  const other = Math.min(150, oil - cogeneration - 1 - (odd % 3));
  row[COL.fioul] = oil;
  row[COL.fioul_cogen] = cogeneration;
  row[COL.fioul_autres] = other;
  row[COL.fioul_tac] = Math.max(0, oil - cogeneration - other - 4);
}

function createThermal(seed: number): GenerationModel {
  const key = (name: string): number => seriesKey(seed, name);
  const outage = key('nuclear/outage');
  const modulation = key('nuclear/modulation');
  const gasNoise = key('gas');
  const parts = key('thermal/parts');
  return (row, { load, winter, yearShare }, quarter, year) => {
    const age = clamp(year + yearShare - 2012, 0, 18);
    let nuclear =
      41_000 +
      6_500 * winter +
      1_800 * smooth(outage, quarter, 1_100) +
      500 * smooth(modulation, quarter, 40);
    const renewable =
      (row[COL.eolien] ?? 0) +
      (row[COL.solaire] ?? 0) +
      (row[COL.hydraulique] ?? 0) +
      (row[COL.bioenergies] ?? 0);
    const rest = load - nuclear - renewable - (row[COL.pompage] ?? 0);
    const gas = clamp(3_600 + 0.42 * rest + 350 * smooth(gasNoise, quarter, 30), 480, 9_200);
    const coal = clamp(900 + 0.12 * rest, 0, Math.max(12, 3_600 - 300 * age));
    const oil = clamp(190 + 0.06 * (rest - 11_000), 120, 2_500);
    const exchange = rest - gas - coal - oil;
    // Reactors follow the load where the lines to the neighbours are full.
    nuclear += exchange - clamp(exchange, EXPORT_LIMIT_MW, IMPORT_LIMIT_MW);
    row[COL.nucleaire] = Math.round(nuclear);
    row[COL.charbon] = Math.round(coal);
    gasParts(row, Math.round(gas), winter, hash(parts, quarter));
    oilParts(row, Math.round(oil), hash(parts ^ 1, quarter));
  };
}

/** `share` is that of the lines to the neighbour in those to all of them. */
const BORDERS = [
  { column: COL.ech_comm_angleterre, mean: -900, swing: 2_000, share: 0.17 },
  { column: COL.ech_comm_espagne, mean: -300, swing: 2_900, share: 0.17 },
  { column: COL.ech_comm_italie, mean: -1_900, swing: 1_400, share: 0.16 },
  { column: COL.ech_comm_suisse, mean: -1_400, swing: 1_700, share: 0.16 },
  { column: COL.ech_comm_allemagne_belgique, mean: -600, swing: 4_800, share: 0.34 },
] as const;
/** What flows without a contract, over all borders together. */
const UNSCHEDULED_MW = 180;

/**
 * Fills the commercial schedules of a row, which add up to about the physical flow of the time that
 * they hold for.
 */
export type ExchangeModel = (row: Int32Array, slot: number, physical: number) => void;

/**
 * The quarter from which on the commercial schedules of a quarter hold: for an hour before 2025,
 * for a quarter since.
 */
export function exchangeSlot(quarter: number, year: number): number {
  return year >= 2025 ? quarter : quarter - (quarter % 4);
}

/**
 * Each neighbour buys and sells in its own rhythm; together they take what the balance of the
 * country leaves.
 */
export function createExchanges(seed: number): ExchangeModel {
  const borders = BORDERS.map((border) => ({
    ...border,
    key: seriesKey(seed, `border/${border.column}`),
  }));
  const unscheduled = seriesKey(seed, 'unscheduled');
  return (row, slot, physical) => {
    const wishes = borders.map(
      ({ mean, swing, key }) =>
        mean + swing * (0.75 * smooth(key, slot, 36) + 0.25 * jitter(key ^ 1, slot)),
    );
    const scheduled = physical + UNSCHEDULED_MW * smooth(unscheduled, slot, 20);
    const rest = scheduled - wishes.reduce((sum, wish) => sum + wish, 0);
    for (const [index, { column, share }] of borders.entries()) {
      row[column] = Math.round((wishes[index] ?? 0) + share * rest);
    }
  };
}

/** Batteries are known since 2025. */
function createBatteries(seed: number): GenerationModel {
  const battery = seriesKey(seed, 'battery');
  return (row, { shape }, quarter, year) => {
    if (year < 2025) return;
    const flow = Math.round(900 * (shape - 1) + 160 * smooth(battery, quarter, 10));
    row[COL.stockage_batterie] = Math.min(0, flow);
    row[COL.destockage_batterie] = Math.max(0, flow);
  };
}

/** The whole mix under a load, the same for all datasets of a seed. */
export function createGeneration(seed: number): GenerationModel {
  const models = [createRenewables(seed), createThermal(seed), createBatteries(seed)];
  return (row, moment, quarter, year) => {
    for (const model of models) model(row, moment, quarter, year);
  };
}
