import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { MANIFEST_TABLE } from '../../../src/pipelines/manifest.ts';
import { VERIFICATION_TABLE } from '../../../src/pipelines/verification.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../../src/ports/objects.ts';
import { collect, toArray } from '../../conformance/byte-streams.ts';
import { createRemoteStores, openRemoteEngine } from '../../fixtures/remote-engine.ts';
import type { RemoteEngine, RemoteStores } from '../../fixtures/remote-engine.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { testControl } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * The host that made the days has all their bytes in its cache: what it says of them must come from
 * the primary stores all the same.
 */

const DATES = datesBetween('2024-01-01', '2024-01-04');
const DAY = '2024-01-03';

let publisher: TinyPublisher;
let remote: RemoteStores;
let engine: RemoteEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  remote = createRemoteStores();
  engine = await openRemoteEngine(remote, [tinyDataset({ baseUrl: publisher.url })], {
    now: () => new Date('2024-03-01T00:00:00Z'),
  });
  await runDays(engine, 'tiny', DATES);
});
afterEach(async () => {
  await engine.close();
  await remote.dispose();
  await publisher.close();
});

/** The first output of a step of the day. */
async function outputOf(step: StepId): Promise<ArtefactRef> {
  const state = (await newestManifests(engine.documents, 'tiny', [DAY])).get(DAY)?.steps[step];
  const [ref] = state?.state === 'done' ? Object.values(state.outputs) : [];
  if (ref === undefined) throw new Error(`${step} of ${DAY} has no output`);
  return ref;
}

async function flipByte({ key, mediaType }: ArtefactRef): Promise<void> {
  const bytes = await collect(await remote.objects.get(key));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await remote.objects.put(key, bytes, { mediaType, mode: 'replace' });
}

async function rawOf(): Promise<ArtefactRef> {
  const manifest = (await newestManifests(engine.documents, 'tiny', [DAY])).get(DAY);
  return manifest!.origins[0]!.raw;
}

async function verified() {
  const { days } = await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: DATES });
  return Object.fromEntries(days.map(({ scope, result }) => [scope, result]));
}

async function actions() {
  const { plans } = await planFromStores(engine, engine.datasets['tiny']!.definition, [DAY], {
    offline: true,
  });
  return Object.fromEntries(
    plans[0]!.steps.map(({ step, action, reason }) => [step, `${action}: ${reason}`]),
  );
}

describe('verify on the host that made the days', () => {
  it('finds an output that was deleted from the primary store', async () => {
    expect(await verified()).toMatchObject({ [DAY]: 'identical' });
    await remote.objects.delete((await outputOf('metrics/day')).key);
    expect(await verified()).toMatchObject({ [DAY]: 'different', '2024-01-01': 'identical' });
  });

  it('finds a byte that was flipped in the primary store', async () => {
    await flipByte(await outputOf('transform/readings'));
    expect(await verified()).toMatchObject({ [DAY]: 'different', '2024-01-01': 'identical' });
  });

  it('finds a raw file that was deleted from the primary store', async () => {
    await remote.objects.delete((await rawOf()).key);
    expect(await verified()).toMatchObject({ [DAY]: 'not_rebuildable' });
  });

  it('says nothing of bytes that it cannot see, because the primary store is away', async () => {
    engine.outages.objects.code = 'STORE_UNAVAILABLE';
    await expect(verified()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('verify on a host that takes its document store for away', () => {
  beforeEach(async () => {
    engine.outages.documents.code = 'STORE_UNAVAILABLE';
    const manifests = { table: MANIFEST_TABLE, partition: 'tiny/2024-01' };
    for (let calls = 0; calls < 3; calls += 1)
      await engine.documents.get({ ...manifests, sort: 'nothing' }).catch(() => undefined);
    await remote.documents.delete({ ...manifests, sort: `${DAY}/000001` });
    engine.outages.documents.code = undefined;
  });

  it('believes no record that the host has seen before, although the store answers by now', async () => {
    await expect(verified()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    for (const breaker of Object.values(engine.stores.fallback!.stores.breakers())) breaker.close();
    expect(Object.keys(await verified())).toEqual(DATES.filter((date) => date !== DAY));
  });

  it('leaves no verdict behind that comes from such records', async () => {
    await verified().catch(() => undefined);
    expect(await toArray(engine.documents.partitions(VERIFICATION_TABLE))).toEqual([]);
  });
});

describe('a plan on the host that made the days', () => {
  it('runs a step again whose output is gone from the primary store', async () => {
    expect(await actions()).toMatchObject({ 'metrics/day': 'reuse: same inputs, same version' });
    await remote.objects.delete((await outputOf('metrics/day')).key);
    expect((await actions())['metrics/day']).toMatch(/^run: .*is missing in the store/);
  });

  it('runs a step again whose output has other bytes in the primary store', async () => {
    await flipByte(await outputOf('transform/readings'));
    expect((await actions())['transform/readings']).toMatch(
      /^run: .*no longer matches its recorded hash/,
    );
    await runDay(engine, 'tiny', DAY, { offline: true });
    expect(await verified()).toMatchObject({ [DAY]: 'identical' });
  });

  it('goes on with its copies while the primary store is away', async () => {
    engine.outages.objects.code = 'STORE_UNAVAILABLE';
    expect(await actions()).toMatchObject({ 'metrics/day': 'reuse: same inputs, same version' });
  });
});

describe('a plan that goes back to an earlier version', () => {
  it('looks at the outputs of that version before it relies on them', async () => {
    const before = await outputOf('metrics/day');
    publisher.publish(DAY, { add: 5 });
    await runDay(engine, 'tiny', DAY, { recheck: true });
    publisher.publish(DAY);
    await remote.objects.delete(before.key);
    const { version, outcome } = await runDay(engine, 'tiny', DAY, { recheck: true });
    expect([version, outcome.verdict]).toEqual([3, 'ok']);
    expect(await verified()).toMatchObject({ [DAY]: 'identical' });
  });
});
