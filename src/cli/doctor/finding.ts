type Area =
  | 'machine'
  | 'settings'
  | 'stores'
  | 'sql'
  | 'temporal'
  | 'publishers'
  | 'sign-in'
  | 'clock'
  | 'datasets';

/** What the doctor found out about one thing. */
export interface Finding {
  readonly area: Area;
  readonly subject: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What a person does next; there for everything that is not ok. */
  readonly next?: string;
  /** A warning with which days still run, but with less than they should have. */
  readonly degrades?: boolean;
  /** How long the attempt took. */
  readonly durationMs?: number;
}

/** The message of anything thrown, for a finding. */
export function whyFailed(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs an attempt and says how long it took, in milliseconds. */
export async function timed<T>(
  attempt: () => Promise<T>,
): Promise<{ readonly value: T; readonly durationMs: number }> {
  const startedAt = performance.now();
  const value = await attempt();
  return { value, durationMs: Math.round((performance.now() - startedAt) * 10) / 10 };
}
