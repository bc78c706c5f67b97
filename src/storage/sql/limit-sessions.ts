import type { SqlEngine } from '../../ports/sql.ts';

/**
 * Lets at most `limit` sessions run at the same time; later ones wait in order. Two months of a step side by side fit the memory
 * limit, sixteen do not.
 */
export function limitSessions(engine: SqlEngine, limit: number): SqlEngine {
  const waiting: (() => void)[] = [];
  let free = limit;
  return {
    async session(work, options) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await engine.session(work, options);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
