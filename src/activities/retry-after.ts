const LONGEST_WAIT_MS = 6 * 3_600_000;

/** Milliseconds to wait, from seconds or an HTTP date (RFC 9110 §10.2.3); never longer than six hours. */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_WAIT_MS) : undefined;
}
