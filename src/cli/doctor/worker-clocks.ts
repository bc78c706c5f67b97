import { readLedger } from '../../engine/records/ledger-reader.ts';
import { asPipelineError } from '../../errors.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { Finding } from './finding.ts';

const DAYS_READ = 7;
const WARN_MS = 30_000;

/**
 * The clocks of the hosts that made the last days, by the times that they wrote: a time to come is
 * that of a clock ahead of this one.
 */
export async function examineWorkerClocks(engine: OpenEngine): Promise<Finding[]> {
  const common = { area: 'clock', subject: 'workers' } as const;
  try {
    const newest = await newestTimes(engine);
    const ahead = [...newest].map(([host, at]) => ({ host, ms: at - engine.now().getTime() }));
    const wrong = ahead.filter(({ ms }) => ms > WARN_MS);
    if (newest.size === 0) return [];
    if (wrong.length === 0) {
      return [
        {
          ...common,
          status: 'ok',
          detail: `no record of ${[...newest.keys()].join(', ')} is of a time to come`,
        },
      ];
    }
    const words = wrong.map(
      ({ host, ms }) => `${host} is at least ${Math.round(ms / 1_000)} s ahead of this machine`,
    );
    const next =
      'Set the clocks of these hosts and keep them set (NTP): freshness and publication times go by them.';
    return [{ ...common, status: 'warn', detail: words.join('; '), next }];
  } catch (error) {
    // A store that does not answer is told of elsewhere.
    const { code, message, remedy } = asPipelineError(error);
    return code === 'STORE_UNAVAILABLE'
      ? []
      : [{ ...common, status: 'warn', detail: `${code}: ${message}`, next: remedy }];
  }
}

/** The last time that each host wrote, in milliseconds since 1970. */
async function newestTimes(engine: OpenEngine): Promise<Map<string, number>> {
  const newest = new Map<string, number>();
  for (const { definition } of Object.values(engine.datasets)) {
    const today = civilDateAt(engine.now(), definition.zone);
    const dates = datesBetween(addDays(today, -DAYS_READ), addDays(today, 1));
    const ledger = await readLedger(engine.documents, definition.name, dates, []);
    for (const { execution } of [...ledger.values()].flat()) {
      const at = Date.parse(execution.startedAt);
      newest.set(execution.host, Math.max(at, newest.get(execution.host) ?? at));
    }
  }
  return newest;
}
