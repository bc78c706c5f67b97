import type { SectionName } from '../definition.ts';
import type { Thresholds } from '../thresholds.ts';

/** Which section a threshold judges, by how its name begins; all others judge roads. */
const BY_BEGINNING: readonly (readonly [beginning: string, section: SectionName])[] = [
  ['bike', 'bikes'],
  ['anomaly_', 'bikes'],
  ['disruption', 'traffic'],
  ['metro_', 'traffic'],
  ['rain_', 'weather'],
  ['wind_', 'weather'],
  ['cold_', 'weather'],
  ['hot_', 'weather'],
  ['roadworks_', 'chantiers'],
];

function sectionOf(threshold: string): SectionName {
  return BY_BEGINNING.find(([beginning]) => threshold.startsWith(beginning))?.[1] ?? 'comptages';
}

/**
 * The thresholds that sections with data were judged by; those of the others judged nothing of the
 * day.
 */
export function judgedBy(
  thresholds: Thresholds,
  hasData: (section: SectionName) => boolean,
): Partial<Thresholds> {
  const used = Object.entries(thresholds).filter(([name]) => hasData(sectionOf(name)));
  return Object.fromEntries(used);
}
