import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../../src/engine/upkeep/collect-garbage.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { endPromises, promiseScopes } from '../../../src/engine/records/promises.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { tombstoneKey } from '../../../src/pipelines/garbage.ts';
import { MANIFEST_TABLE, manifestKey } from '../../../src/pipelines/manifest.ts';
import type { ManifestStep } from '../../../src/pipelines/manifest.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { createRemoteStores, openRemoteEngine } from '../../fixtures/remote-engine.ts';
import type { RemoteEngine, RemoteStores } from '../../fixtures/remote-engine.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = datesBetween('2024-01-01', '2024-01-04');
const DAY = '2024-01-03';
const NO_GRACE = { graceDays: 0, dryRun: false };

let now: Date;
let publisher: TinyPublisher;

beforeEach(async () => {
  now = new Date('2024-03-01T00:00:00Z');
  publisher = await startTinyPublisher(DATES);
});
afterEach(() => publisher.close());

async function keysOf({ objects }: Pick<TestEngine, 'objects'>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of objects.list('')) found.push(key);
  return found;
}

describe('the garbage collection beside a run', () => {
  let engine: TestEngine;

  beforeEach(async () => {
    engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => now });
    await runDays(engine, 'tiny', DATES);
  });
  afterEach(() => engine.close());

  async function doneStep(step: string): Promise<Extract<ManifestStep, { state: 'done' }>> {
    const state = (await newestManifests(engine.documents, 'tiny', [DAY])).get(DAY)?.steps[
      step as 'metrics/day'
    ];
    if (state?.state !== 'done') throw new Error(`${step} of ${DAY} is not done`);
    return state;
  }

  it('leaves what a run was promised until it commits, without a grace as well', async () => {
    publisher.publish(DAY, { add: 7 });
    await promiseScopes(engine, testControl(), 'tiny', [DAY]);
    const documents: DocumentStore = storeWith(engine.documents, {
      createMany: (all) =>
        all.some(({ key }) => key.table === MANIFEST_TABLE)
          ? Promise.reject(new Error('stopped before its commit'))
          : engine.documents.createMany(all),
    });
    await expect(runDay({ ...engine, documents }, 'tiny', DAY, { recheck: true })).rejects.toThrow(
      /before its commit/,
    );
    now = new Date('2024-03-01T00:00:10Z');
    const made = await keysOf(engine);
    for (let time = 0; time < 2; time += 1) await collectGarbage(engine, NO_GRACE);
    expect(await keysOf(engine)).toEqual(made);
    await endPromises(engine, testControl(), 'tiny', [DAY]);
    expect((await collectGarbage(engine, NO_GRACE)).removed).toBeGreaterThan(0);
  });

  it('reads the references again before each deletion', async () => {
    const state = await doneStep('transform/readings');
    const [[output, ref]] = Object.entries(state.outputs) as [
      [string, (typeof state.outputs)[string]],
    ];
    const orphan = ref.key.replace(/[0-9a-f]{64}/, '0'.repeat(64));
    await engine.objects.put(orphan, Buffer.from('left by a crash'), {
      mediaType: ref.mediaType,
      mode: 'create',
    });
    await collectGarbage(engine, NO_GRACE);
    // While the collection lists what there is, a run commits a version that is made of it.
    const objects: ObjectStore = storeWith(engine.objects, {
      async *list(prefix) {
        for await (const head of engine.objects.list(prefix)) {
          if (head.key === orphan) {
            const manifest = (await newestManifests(engine.documents, 'tiny', [DAY])).get(DAY)!;
            const steps = {
              'transform/readings': { ...state, outputs: { [output]: { ...ref, key: orphan } } },
            };
            await engine.documents.put(manifestKey('tiny', DAY, 2), {
              ...manifest,
              version: 2,
              steps,
            });
          }
          yield head;
        }
      },
    });
    expect(await collectGarbage({ ...engine, objects }, NO_GRACE)).toMatchObject({ removed: 0 });
    expect(await keysOf(engine)).toContain(orphan);
    const removed = await collectGarbage(engine, NO_GRACE);
    expect(removed.unreferenced).toEqual([]);
  });

  it('has a run take what is being deleted for gone, and write it again only once it is', async () => {
    const [ref] = Object.values((await doneStep('metrics/day')).outputs);
    const key = ref?.key ?? '';
    await engine.documents.put(tombstoneKey(key), { key, at: now.toISOString() });
    const { plan, outcome } = await runDay(engine, 'tiny', DAY, { offline: true });
    expect(plan.steps.find(({ step }) => step === 'metrics/day')?.reason).toMatch(
      /is missing in the store/,
    );
    expect(outcome.failure).toMatchObject({ code: 'STORE_UNAVAILABLE', step: 'metrics/day' });
    // The tombstone of a collection that was killed is believed for a quarter of an hour.
    now = new Date('2024-03-01T00:15:01Z');
    const later = await runDay(engine, 'tiny', DAY, { offline: true });
    expect(later.plan.steps.find(({ step }) => step === 'metrics/day')?.action).toBe('reuse');
    expect(later.outcome.verdict).toBe('ok');
  });
});

describe('the garbage collection of remote stores', () => {
  let remote: RemoteStores;
  let maker: RemoteEngine;
  let fresh: RemoteEngine;

  beforeEach(async () => {
    remote = createRemoteStores();
    const datasets = [tinyDataset({ baseUrl: publisher.url })];
    maker = await openRemoteEngine(remote, datasets, { now: () => now });
    await runDays(maker, 'tiny', DATES);
    fresh = await openRemoteEngine(remote, datasets, { now: () => now });
  });
  afterEach(async () => {
    await maker.close();
    await fresh.close();
    await remote.dispose();
  });

  it('removes and journals nothing on a fresh host that cannot see the references', async () => {
    const before = await keysOf(remote);
    fresh.outages.documents.code = 'STORE_UNAVAILABLE';
    for (let time = 0; time < 2; time += 1) {
      await expect(collectGarbage(fresh, NO_GRACE)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
    }
    fresh.outages.documents.code = undefined;
    expect(await fresh.fallback?.pending()).toBe(0);
    expect(await keysOf(remote)).toEqual(before);
  });

  it('removes nothing while writes of its host wait to be replayed', async () => {
    fresh.outages.objects.code = 'STORE_UNAVAILABLE';
    for (let failed = 0; failed < 3; failed += 1)
      await fresh.objects.head('a.txt').catch(() => undefined);
    await fresh.objects.put('a.txt', Buffer.from('kept here'), {
      mode: 'create',
      mediaType: 'text/plain',
    });
    fresh.outages.objects.code = undefined;
    await expect(collectGarbage(fresh, NO_GRACE)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/nothing is removed/) as string,
    });
  });
});
