import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import {
  c15Archive,
  octoberArchives,
  OCTOBER_DAYS,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { randomSupplier } from '../../fixtures/enedis-random.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';

/** Deliveries of the same archives through the SFTP source, in whatever way they come. */

const BATCHES = 3;
const SCOPES = [...OCTOBER_DAYS, '2025-10', '2025-11', 'all'];

/** Four archives of events on two days, the readings of two firsts, and readings on demand. */
function archivesOf(first: number): SampleArchive[] {
  const supplier = randomSupplier(6, first);
  const { c15 } = supplier;
  const quarter = Math.ceil(c15.length / 4);
  const stamps = ['20251021050000', '20251021060000', '20251101050000', '20251101060000'];
  const events = stamps.map((at, index) =>
    c15Archive(index + 1, at, c15.slice(index * quarter, (index + 1) * quarter)),
  );
  return [...events, ...octoberArchives(supplier).slice(2)];
}

/** How an archive comes: when, cut off at first, and in a second folder too. */
interface Coming {
  readonly batch: number;
  readonly cutAt: number | undefined;
  readonly isTwice: boolean;
}

/** A way in which archives come; the connection may break in each batch. */
interface Delivery {
  readonly comings: readonly Coming[];
  readonly order: readonly number[];
  readonly breaks: readonly (number | undefined)[];
}

const coming: fc.Arbitrary<Coming> = fc.record({
  batch: fc.integer({ min: 0, max: BATCHES - 1 }),
  cutAt: fc.option(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { nil: undefined, freq: 3 }),
  isTwice: fc.boolean(),
});

const COUNT = archivesOf(0).length;
const deliveries: fc.Arbitrary<Delivery> = fc.record({
  comings: fc.array(coming, { minLength: COUNT, maxLength: COUNT }),
  order: fc.shuffledSubarray([...Array(COUNT).keys()], { minLength: COUNT }),
  breaks: fc.array(fc.option(fc.integer({ min: 1, max: 4_000 }), { nil: undefined }), {
    minLength: BATCHES + 1,
    maxLength: BATCHES + 1,
  }),
});

/** Everything at once, in order. */
const ALL_AT_ONCE: Delivery = {
  comings: Array.from({ length: COUNT }, () => ({ batch: 0, cutAt: undefined, isTwice: false })),
  order: [...Array(COUNT).keys()],
  breaks: [],
};

function putAgain(server: SftpServer, { name, bytes }: SampleArchive): void {
  server.put({ path: `/flux_enedis/REPRISE/${name}`, bytes });
}

/**
 * What lies on the server from a batch on; one batch more than archives have brings those that were
 * cut.
 */
function deliver(
  server: SftpServer,
  archives: readonly SampleArchive[],
  { comings, order }: Delivery,
  batch: number,
): void {
  for (const index of order) {
    const [archive, how] = [archives[index]!, comings[index]!];
    const isCut = how.cutAt !== undefined && how.batch === batch;
    const wholeFrom = how.cutAt === undefined ? how.batch : how.batch + 1;
    if (isCut) {
      const bytes = archive.bytes.subarray(0, Math.ceil(archive.bytes.length * how.cutAt));
      putArchives(server, [{ name: archive.name, bytes }]);
    }
    if (wholeFrom !== batch) continue;
    putArchives(server, [archive]);
    if (how.isTwice) putAgain(server, archive);
  }
}

/** The hash of every output of every day and period. */
async function madeBy(
  archives: readonly SampleArchive[],
  delivery: Delivery,
): Promise<Record<string, string>> {
  const server = await startDistributor([]);
  const engine = await openTestEngine(enedisAt(server));
  try {
    for (let batch = 0; batch <= BATCHES; batch += 1) {
      deliver(server, archives, delivery, batch);
      const afterBytes = delivery.breaks[batch];
      const mend =
        afterBytes === undefined ? undefined : server.behave({ kind: 'cut', afterBytes });
      if (mend !== undefined) await runDays(engine, 'enedis', OCTOBER_DAYS, { recheck: true });
      mend?.();
      await runDays(engine, 'enedis', OCTOBER_DAYS, { recheck: true });
      await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
    }
    return await hashesIn(engine);
  } finally {
    await engine.close();
    await server.close();
  }
}

async function hashesIn(engine: TestEngine): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [scope, { steps }] of await newestManifests(engine.documents, 'enedis', SCOPES)) {
    for (const [step, state] of Object.entries(steps)) {
      if (state.state !== 'done') continue;
      for (const [output, { sha256 }] of Object.entries(state.outputs))
        hashes[`${scope} ${step} ${output}`] = sha256;
    }
  }
  return hashes;
}

describe('archives of a supplier on a server', () => {
  it('give the same bytes in any order, in parts, cut off, over a broken connection, and when they come twice', async () => {
    const reference = new Map<number, Record<string, string>>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 400), deliveries, async (first, delivery) => {
        const archives = archivesOf(first);
        const expected = reference.get(first) ?? (await madeBy(archives, ALL_AT_ONCE));
        reference.set(first, expected);
        expect(Object.keys(expected).length).toBeGreaterThan(50);
        expect(await madeBy(archives, delivery)).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  }, 300_000);
});
