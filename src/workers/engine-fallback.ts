import type { ReplayResult } from '../engine/contract.ts';
import type { EngineFallback, HostStanding, StoreBreaker } from '../engine/engine.ts';
import { asPipelineError } from '../errors.ts';
import { MANIFEST_TABLE } from '../pipelines/manifest.ts';
import { readBreakerNotes } from '../storage/outage/breaker-notes.ts';
import type { BreakerNote } from '../storage/outage/breaker-notes.ts';
import type { CacheStats } from '../storage/cache/cache-objects.ts';
import { describeConflict, listConflicts, reconcile } from '../storage/outage/reconcile.ts';
import type { ReconcileReport } from '../storage/outage/reconcile.ts';
import type { HostFallback } from './open-fallback.ts';

/** Conflicts that a result carries; `quotidien reconcile --dry-run` lists all of them. */
const MAX_LISTED = 20;

/** The task queue that only workers of one host listen to. */
export function hostQueue(queue: string, host: string): string {
  return `${queue}-host-${host}`;
}

/** A host's fallback as the activities see it. */
export function engineFallback(fallback: HostFallback, queue: string): EngineFallback {
  const { host, stores, parts } = fallback;
  return {
    host,
    queue: hostQueue(queue, host),
    forWork: () => stores.scope(),
    away(half) {
      const breakers = stores.breakers();
      const words = (half === undefined ? Object.values(breakers) : [breakers[half]]).flatMap(
        (breaker) => {
          const state = breaker.state();
          if (state.state === 'closed') return [];
          return `${breaker.name} is away since ${new Date(state.sinceMs).toISOString()}: ${state.reason}`;
        },
      );
      return words.length === 0 ? undefined : words.join('; ');
    },
    primary: { objects: parts.primary.objects, documents: parts.primary.documents },
    pending: async () => (await parts.journal.refresh()).pending.size,
    figures: () => ({
      cache: figuresOf(fallback.cacheStats()),
      away: Object.fromEntries(
        Object.entries(stores.breakers()).map(([name, breaker]) => [
          name,
          breaker.state().state !== 'closed',
        ]),
      ),
    }),
    standing: () => standingOf(fallback),
    async replay({ signal, progress }): Promise<ReplayResult> {
      try {
        const report = await reconcile(parts, {
          signal,
          progress: ({ done, total }) => {
            progress(`replayed ${done} of ${total} writes`);
          },
        });
        // Both stores have just taken writes, or said that they have them.
        if (report.applied + report.same + report.merged.length > 0)
          for (const breaker of Object.values(stores.breakers())) breaker.close();
        return resultOf(host, report);
      } catch (error) {
        const { code, message } = asPipelineError(error);
        if (code !== 'STORE_UNAVAILABLE') throw error;
        const { pending } = await parts.journal.refresh();
        const conflicts = await listConflicts(parts);
        return {
          ...resultOf(host, {
            applied: 0,
            same: 0,
            merged: [],
            conflicts,
            pending: pending.size,
            converged: false,
          }),
          away: message,
        };
      }
    },
  };
}

async function standingOf({ folder, stores, parts }: HostFallback): Promise<HostStanding> {
  const [{ pending, pendingSince = null }, conflicts, notes] = await Promise.all([
    stores.state(),
    listConflicts(parts),
    readBreakerNotes(folder),
  ]);
  const own = Object.values(stores.breakers()).map((breaker) => {
    return { pid: process.pid, name: breaker.name, state: breaker.state() };
  });
  const others = notes.filter(({ pid, state }) => pid !== process.pid && state.state !== 'closed');
  return {
    breakers: [...own, ...others].map(breakerOf),
    pending,
    pendingSince,
    conflicts: conflicts.map((conflict) => {
      return { id: conflict.id, text: describeConflict(conflict), remedy: conflict.remedy };
    }),
  };
}

function breakerOf({ pid, name, state }: BreakerNote): StoreBreaker {
  const known = { store: name, process: pid, state: state.state };
  if (state.state === 'closed') return { ...known, since: null, reason: null };
  return { ...known, since: new Date(state.sinceMs).toISOString(), reason: state.reason };
}

function figuresOf(stats: CacheStats | undefined): Record<string, number> {
  if (stats === undefined) return {};
  const { hits, staleHits, misses, hitBytes, fetchedBytes, evictions, evictedBytes, corrupt } =
    stats;
  const bytes = { hit_bytes: hitBytes, fetched_bytes: fetchedBytes, evicted_bytes: evictedBytes };
  return { hits, stale_hits: staleHits, misses, evictions, corrupt, ...bytes };
}

function resultOf(host: string, report: ReconcileReport): ReplayResult {
  const { applied, same, merged, pending, converged, conflicts } = report;
  const listed = conflicts.slice(0, MAX_LISTED).map(describeConflict);
  const overruled = merged.filter(
    ({ key }) => typeof key === 'string' || key.table === MANIFEST_TABLE,
  ).length;
  const counts = {
    applied,
    same,
    merged: merged.length,
    overruled,
    pending,
    conflicts: conflicts.length,
  };
  return { host, ...counts, converged, listed };
}
