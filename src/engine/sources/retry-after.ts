const LONGEST_WAIT_MS = 6 * 3_600_000;
/**
 * "0" asks for another try, not for one without any pause; Temporal takes a delay of zero for none
 * given.
 */
const SHORTEST_WAIT_MS = 1_000;

/**
 * Milliseconds to wait, from seconds or an HTTP date (RFC 9110 §10.2.3); between one second and six
 * hours.
 */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms)
    ? Math.min(Math.max(ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
    : undefined;
}
