import { addDays } from '../../kit/index.ts';
import { clamp, pearson, rounded } from '../statistics.ts';
import { quarterOf } from '../transport/slices.ts';
import type { DayFigures, FigureName } from './figures.ts';
import type { StudyLimits } from './limits.ts';

/**
 * Pearson's r between two figures of the days, the first of them some days earlier, with Fisher's
 * interval of 95 %: tanh(artanh r ± 1.96 / √(n − 3)). Days that follow each other are alike, so
 * that the true interval is wider; what is published by the quarter counts once a quarter, however
 * many days share it.
 */

/** Two figures of a day that are held against each other. */
export interface Pair {
  readonly name: string;
  /** The figure that is taken some days before the other. */
  readonly left: FigureName;
  readonly right: FigureName;
  /** The publisher gives the left one a quarter at a time. */
  readonly quarterly?: true;
}

/** Signs are not expected: what goes along with what is for the reader to judge. */
export const PAIRS: readonly Pair[] = [
  { name: 'température × véhicules', left: 'temp_c', right: 'vehicles' },
  { name: 'précipitations × véhicules', left: 'precip_mm', right: 'vehicles' },
  { name: 'vent × véhicules', left: 'wind_kmh', right: 'vehicles' },
  { name: 'précipitations × temps perdu', left: 'precip_mm', right: 'lost_minutes' },
  { name: 'perturbations × véhicules', left: 'disruptions', right: 'vehicles' },
  { name: 'perturbations × temps perdu', left: 'disruptions', right: 'lost_minutes' },
  { name: 'fiabilité du métro × véhicules', left: 'metro_reliability', right: 'vehicles' },
  { name: 'chantiers × vélos', left: 'works_active', right: 'bikes' },
  {
    name: 'qualité de service × validations',
    left: 'quality_pct',
    right: 'validations',
    quarterly: true,
  },
];

/** The left figure is that of the same day, or of so many days before. */
export const LAGS: readonly number[] = [0, 1, 2, 3];

/** Of the normal distribution: 95 % lie within so many standard deviations. */
export const Z_95 = 1.959964;

/** One pair at one lag. */
export interface Link {
  readonly nom: string;
  readonly gauche: FigureName;
  readonly droite: FigureName;
  /** The left figure is that of so many days before. */
  readonly decalage_jours: number;
  /** Days that have both. */
  readonly n: number;
  /** Independent values: days, or quarters of what is published by the quarter. */
  readonly n_independants: number;
  readonly r: number | null;
  /** 95 %. */
  readonly ic_bas: number | null;
  /** Upper bound; both are null where `r` is. */
  readonly ic_haut: number | null;
  /** Why there is no r. */
  readonly note: string | null;
}

/** Every pair at every lag; `days` in any order, each date once. */
export function linksOf(days: readonly DayFigures[], limits: StudyLimits): Link[] {
  const byDate = new Map(days.map((day) => [day.date, day]));
  const sorted = [...byDate.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
  return PAIRS.flatMap((pair) => LAGS.map((lag) => linkOf(pair, lag, sorted, byDate, limits)));
}

function linkOf(
  { name, left, right, quarterly }: Pair,
  lag: number,
  days: readonly DayFigures[],
  byDate: ReadonlyMap<string, DayFigures>,
  limits: StudyLimits,
): Link {
  const both = days.flatMap(
    (day): { readonly from: string; readonly pair: readonly [number, number] }[] => {
      const from = addDays(day.date, -lag);
      const [x, y] = [byDate.get(from)?.[left] ?? null, day[right]];
      return x === null || y === null ? [] : [{ from, pair: [x, y] }];
    },
  );
  const n = both.length;
  const independent =
    quarterly === true ? new Set(both.map(({ from }) => quarterOf(from))).size : n;
  const found = {
    nom: name,
    gauche: left,
    droite: right,
    decalage_jours: lag,
    n,
    n_independants: independent,
  };
  const without = (note: string): Link => ({
    ...found,
    r: null,
    ic_bas: null,
    ic_haut: null,
    note,
  });
  if (n < limits.correlation_least_days) return without('pas assez de jours');
  if (independent < limits.correlation_least_quarters) return without('pas assez de trimestres');
  const r = pearson(both.map(({ pair }) => pair));
  if (r === null) return without('une des deux grandeurs ne varie pas');
  const [low, high] = fisherInterval(r, independent);
  return {
    ...found,
    r: rounded(r, 4),
    ic_bas: rounded(low, 4),
    ic_haut: rounded(high, 4),
    note: null,
  };
}

/** Fisher's interval of 95 % of a correlation of n independent values, n > 3. */
export function fisherInterval(r: number, n: number): readonly [low: number, high: number] {
  const z = Math.atanh(clamp(r, -0.999999999, 0.999999999));
  const half = Z_95 / Math.sqrt(n - 3);
  return [Math.tanh(z - half), Math.tanh(z + half)];
}
