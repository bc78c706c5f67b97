import { rounded } from '../statistics.ts';
import type { BikeHours, CounterSums } from './bike-hours.ts';
import type { StudyLimits } from './limits.ts';

/** Hours of the day that stand out from the counter's own sixty days. */

/** An hour with more than the share `seuil_pct` of the counter's own mean. */
export interface CongestedHour {
  readonly compteur_id: string;
  readonly date_heure: string;
  /** Bikes of the hour. */
  readonly comptage_horaire: number;
  /** The counter's own mean. */
  readonly debit_moyen: number;
  readonly seuil_pct: number;
  /** Above the mean, %. */
  readonly depassement_pct: number;
}

const CONGESTED_LISTED = 500;
const ANOMALIES_LISTED = 200;

function byId({ counters }: BikeHours): ReadonlyMap<string, CounterSums> {
  return new Map(counters.map((sums) => [sums.counter_id, sums]));
}

/** Hours of the day above the share of the counter's own mean, the furthest above first. */
export function congestedHours(
  hours: BikeHours,
  limits: StudyLimits,
  most = CONGESTED_LISTED,
): CongestedHour[] {
  const own = byId(hours);
  return hours.today
    .flatMap(({ counter_id: id, hour_start_at: at, bikes }): CongestedHour[] => {
      const { total = 0, n = 1 } = own.get(id) ?? {};
      const mean = total / n;
      if (mean === 0 || bikes <= (mean * limits.bike_congestion_pct) / 100) return [];
      return [
        {
          ...{
            compteur_id: id,
            date_heure: at,
            comptage_horaire: bikes,
            debit_moyen: rounded(mean, 3),
          },
          seuil_pct: limits.bike_congestion_pct,
          depassement_pct: rounded((bikes / mean - 1) * 100, 2),
        },
      ];
    })
    .sort((a, b) => b.depassement_pct - a.depassement_pct || inOrder(a, b))
    .slice(0, most);
}

/** An hour far from the counter's own mean, by its standard deviation. */
export interface CounterAnomaly {
  readonly compteur_id: string;
  readonly date_heure: string;
  readonly comptage_horaire: number;
  /** Of all its hours of the window, bikes per hour, as is `std`. */
  readonly mean: number;
  readonly std: number;
  readonly zscore: number;
  readonly type_anomalie: 'pic_exceptionnel' | 'creux_exceptionnel';
}

/**
 * Hours of the day far from the counter's own mean, by its standard deviation, the furthest first.
 */
export function anomalies(
  hours: BikeHours,
  limits: StudyLimits,
  most = ANOMALIES_LISTED,
): CounterAnomaly[] {
  const own = byId(hours);
  return hours.today
    .flatMap(({ counter_id: id, hour_start_at: at, bikes }): CounterAnomaly[] => {
      const { total = 0, n = 1, squares = 0 } = own.get(id) ?? {};
      const mean = total / n;
      const deviation = n < 2 ? 0 : Math.sqrt((squares - (total * total) / n) / (n - 1));
      const z = deviation === 0 ? 0 : (bikes - mean) / deviation;
      if (Math.abs(z) <= limits.counter_anomaly_z) return [];
      return [
        {
          ...{ compteur_id: id, date_heure: at, comptage_horaire: bikes },
          ...{ mean: rounded(mean, 3), std: rounded(deviation, 3), zscore: rounded(z, 3) },
          type_anomalie: z > 0 ? 'pic_exceptionnel' : 'creux_exceptionnel',
        },
      ];
    })
    .sort((a, b) => Math.abs(b.zscore) - Math.abs(a.zscore) || inOrder(a, b))
    .slice(0, most);
}

function inOrder(
  a: { compteur_id: string; date_heure: string },
  b: { compteur_id: string; date_heure: string },
): number {
  const [left, right] = [`${a.compteur_id} ${a.date_heure}`, `${b.compteur_id} ${b.date_heure}`];
  return left < right ? -1 : 1;
}
