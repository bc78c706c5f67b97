import { metricMeter } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { EngineFallback } from '../engine/engine.ts';

/**
 * What the cache did and which stores are away, looked at after each activity: counters
 * `quotidien_cache_<what>`, and the gauge `quotidien_store_away` by store, 1 while its circuit
 * breaker is not closed.
 */
export function storeMetrics(
  fallback: Pick<EngineFallback, 'figures'>,
): ActivityInterceptorsFactory {
  let told: Readonly<Record<string, number>> = {};
  const tell = (): void => {
    const { cache, away } = fallback.figures();
    for (const [what, count] of Object.entries(cache)) {
      const more = count - (told[what] ?? 0);
      if (more > 0) metricMeter.createCounter(`quotidien_cache_${what}`).add(more);
    }
    told = cache;
    for (const [store, isAway] of Object.entries(away)) {
      metricMeter.createGauge('quotidien_store_away').set(isAway ? 1 : 0, { store });
    }
  };
  return () => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } finally {
          tell();
        }
      },
    },
  });
}
