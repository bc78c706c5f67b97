import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { expectTheOraclesMonths } from '../../fixtures/enedis-oracle.ts';

let home: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'enedis-oracle-'));
  engine = createDuckDbEngine({ memoryLimitMb: 1_024, threads: 2, scratchRoot: home });
});

afterAll(async () => {
  await engine.close();
  await rm(home, { recursive: true, force: true });
});

describe('the months of random suppliers', () => {
  it('are those of a script that was written apart, for 40 suppliers', async () => {
    await expectTheOraclesMonths(engine, 40);
  });
});
