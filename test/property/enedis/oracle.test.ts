import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectTheOraclesMonths } from '../../fixtures/enedis-oracle.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 1_024, threads: 2 });
});
afterAll(() => engine.close());

describe('the months of random suppliers', () => {
  it('are those of a script that was written apart, for 40 suppliers', async () => {
    await expectTheOraclesMonths(engine, 40);
  });
});
