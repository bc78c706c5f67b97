import { createHash } from 'node:crypto';

export const hashOf = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex');

/**
 * As the metrics of a day: names that all days have, and figures of its own. Every seventh is of
 * another kind.
 */
export function dayText(n: number): string {
  const own = hashOf(`day ${n}`);
  const hours = Array.from({ length: 24 }, (_, hour) => ({
    heure: `2024-01-01T${String(hour).padStart(2, '0')}:00:00+01:00`,
    vehicules: Number.parseInt(own.slice(hour, hour + 4), 16),
    taux_occupation_moyen: hour * 1.5,
    troncons_satures: hour % 5,
  }));
  const others = n % 7 === 0 ? Array.from({ length: 20 }, (_, at) => hashOf(`${n} ${at}`)) : [];
  return `${JSON.stringify({ schema: 'tiny.roads/1', day: n, key: own, hours, others })}\n`;
}

/** The key under which a step keeps it. */
export function dayKey(n: number, text = dayText(n)): string {
  return `metrics/tiny/roads/date=${n}/${hashOf(text)}.json`;
}
