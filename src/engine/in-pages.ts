import { lastOf } from '../given.ts';
import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import type { StepControl } from './engine.ts';

/**
 * A month of days: what is known of them comes with one query per table, and is looked at well
 * within the time of a heartbeat.
 */
const DAYS_PER_PAGE = 31;

/** All that paged work needs of its surroundings. */
export type PageControl = Pick<StepControl, 'progress' | 'checkpoint'>;

/** For work in a process of its own, which nobody watches. */
export const SILENT: PageControl = { progress: () => undefined };

interface Page {
  /** Of which days: another try may be asked about others. */
  readonly of: string;
  readonly done: number;
  readonly found: readonly unknown[];
}

/**
 * Looks at many days a month at a time, tells after each how far it is, and goes on there when it
 * is tried again. What is found must be small plain data: it travels with the heartbeat.
 */
export async function inPages<R extends object | string>(
  { progress, checkpoint }: PageControl,
  dates: readonly CivilDate[],
  look: (dates: readonly CivilDate[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const of = sha256Hex(canonicalJson(dates));
  const before = checkpoint?.before as Page | undefined;
  const start = before?.of === of ? before : undefined;
  const found = [...((start?.found ?? []) as readonly R[])];
  for (let at = start?.done ?? 0; at < dates.length; at += DAYS_PER_PAGE) {
    const page = dates.slice(at, at + DAYS_PER_PAGE);
    found.push(...(await look(page)));
    progress(`looked at ${at + page.length} of ${dates.length} days, up to ${lastOf(page)}`);
    checkpoint?.save({ of, done: at + page.length, found } satisfies Page);
  }
  return found;
}

/**
 * Looks once at what `of` says (plain data), tells it, and does not look again in the next try.
 * What is found must be small plain data.
 */
export async function once<R extends object>(
  { progress, checkpoint }: PageControl,
  of: unknown,
  look: () => Promise<R>,
  told: string,
): Promise<R> {
  const name = sha256Hex(canonicalJson(of));
  const before = checkpoint?.before as { readonly once?: string; readonly found?: R } | undefined;
  const known = before?.once === name ? before.found : undefined;
  const found = known ?? (await look());
  progress(told);
  checkpoint?.save({ once: name, found });
  return found;
}
