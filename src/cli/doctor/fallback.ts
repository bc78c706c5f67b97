import { asPipelineError } from '../../errors.ts';
import { readBreakerNotes } from '../../storage/outage/breaker-notes.ts';
import { formatBytes } from '../shared/measures.ts';
import type { HostFallback } from '../../workers/open-fallback.ts';
import type { Finding } from './finding.ts';

/**
 * What this host has that the primary stores do not have yet, and which of its processes finds a
 * store away.
 */
export async function examineFallback(fallback: HostFallback): Promise<Finding[]> {
  try {
    return [
      ...(await breakerFindings(fallback)),
      await journalFinding(fallback),
      ...cacheFinding(fallback),
    ];
  } catch (error) {
    const { code, message, remedy } = asPipelineError(error);
    return [
      {
        area: 'stores',
        subject: 'fallback',
        status: 'fail',
        detail: `${code}: ${message}`,
        next: remedy,
      },
    ];
  }
}

async function breakerFindings({ folder }: HostFallback): Promise<Finding[]> {
  const notes = await readBreakerNotes(folder);
  if (notes.length === 0) {
    return [
      {
        area: 'stores',
        subject: 'circuit breakers',
        status: 'ok',
        detail: 'closed in every process of this host',
      },
    ];
  }
  return notes.flatMap(({ pid, name, state }): Finding[] => {
    if (state.state === 'closed') return [];
    const since = new Date(state.sinceMs).toISOString();
    return [
      {
        area: 'stores',
        subject: 'circuit breakers',
        status: 'warn',
        detail: `process ${pid} finds ${name} away (${state.state} since ${since}): ${state.reason}`,
        next: 'Bring the store back; days go on here meanwhile and are degraded until "quotidien reconcile".',
        degrades: true,
      },
    ];
  });
}

async function journalFinding({ stores, host }: HostFallback): Promise<Finding> {
  const { pending, pendingSince, conflicts } = await stores.state();
  const common = { area: 'stores', subject: `journal of ${host}` } as const;
  if (pending + conflicts === 0) return { ...common, status: 'ok', detail: 'nothing waits' };
  const waits = pending === 0 ? '' : `${pending} writes wait since ${pendingSince ?? ''}`;
  const asks = conflicts === 0 ? '' : `${conflicts} conflicts wait for a decision`;
  return {
    ...common,
    status: 'warn',
    detail: [waits, asks].filter((text) => text !== '').join('; '),
    next: 'Run "quotidien reconcile"; with --dry-run it lists them and what to do about each conflict.',
    degrades: true,
  };
}

function cacheFinding(fallback: HostFallback): Finding[] {
  const stats = fallback.cacheStats();
  if (stats === undefined) return [];
  const { folder, maxBytes } = fallback.cache;
  return [
    {
      area: 'stores',
      subject: 'object cache',
      status: 'ok',
      detail: `up to ${formatBytes(maxBytes)} in ${folder}`,
    },
  ];
}
