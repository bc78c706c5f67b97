import type { SqlEngine, SqlSession } from '../../ports/sql.ts';

/**
 * Lets at most `limit` sessions run statements at the same time; later ones wait in order. Two
 * months of a step side by side fit the memory limit, sixteen do not. One that is finished counts
 * no more, though its files are still in use.
 */
export function limitSessions(engine: SqlEngine, limit: number): SqlEngine {
  const waiting: (() => void)[] = [];
  let free = limit;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async session(work, options) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let hasPlace = true;
      const leave = (): void => {
        if (hasPlace) release();
        hasPlace = false;
      };
      try {
        return await engine.session((sql) => work(leavingAtFinish(sql, leave)), options);
      } finally {
        leave();
      }
    },
  };
}

function leavingAtFinish(sql: SqlSession, leave: () => void): SqlSession {
  return {
    scratch: sql.scratch,
    borrowFolder: () => sql.borrowFolder(),
    run: (statement) => sql.run(statement),
    runOnOneThread: (statement) => sql.runOnOneThread(statement),
    rows: (statement) => sql.rows(statement),
    batches: (statement) => sql.batches(statement),
    atOnce: (items, work) => sql.atOnce(items, work),
    finish: () => sql.finish().finally(leave),
  };
}
