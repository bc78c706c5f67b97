/**
 * Taxes as data. CTA: a share of the fixed part of the network tariff (ministerial orders; the last
 * one is in force until it is replaced). Accise: €/MWh by subscribed power (code of taxes on goods
 * and services, article L312-37 and its orders).
 */

/** In percent, from a date on. */
export const CTA_RATES: readonly { readonly from: string; readonly percent: string }[] = [
  { from: '2020-01-01', percent: '27.04' },
  { from: '2021-08-01', percent: '21.93' },
  { from: '2026-02-01', percent: '15' },
];

/** In €/MWh for at most 36 kVA, at most 250 kVA, and above. */
export const ACCISE_RATES: readonly {
  readonly from: string;
  readonly perMwh: readonly [string, string, string];
}[] = [
  { from: '2024-02-01', perMwh: ['21', '20.50', '20.50'] },
  { from: '2025-02-01', perMwh: ['33.70', '26.23', '22.50'] },
  { from: '2025-08-01', perMwh: ['29.98', '25.79', '25.79'] },
  { from: '2026-02-01', perMwh: ['30.85', '26.58', '26.58'] },
];

/** Powers up to which the first and the second rate of the accise hold, in kVA. */
export const ACCISE_POWERS_KVA = [36, 250] as const;

/**
 * The rate of the accise in €/MWh on a day for a subscribed power; null before the first known
 * rate, and for an unknown power.
 */
export function acciseRateOf(day: string, powerKva: number | null): number | null {
  const rate = ACCISE_RATES.findLast(({ from }) => from <= day);
  if (rate === undefined || powerKva === null) return null;
  const band = ACCISE_POWERS_KVA.findIndex((most) => powerKva <= most);
  return Number(rate.perMwh.at(band));
}
