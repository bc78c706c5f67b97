import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newestManifests, readDeliveries } from '../../src/engine/records/ledger-reader.ts';
import { resolveDay } from '../../src/engine/plan/resolve-plan.ts';
import { countedAlone, mergeReceipts, newestDeliveries } from '../../src/pipelines/receipt.ts';
import type { Delivery, Receipt } from '../../src/pipelines/receipt.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { openOutageHost } from '../fixtures/outage-host.ts';
import type { Host } from '../fixtures/outage-host.ts';
import { runDay } from '../fixtures/run-day.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const DATE = '2026-03-02';
const HOUR_MS = 3_600_000;

let objects: MemoryObjectStore;
let documents: DocumentStore;
let publisher: TinyPublisher;
let clock: Date;
let revisions: number;
const hosts: Host[] = [];

beforeEach(async () => {
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  publisher = await startTinyPublisher([DATE]);
  clock = new Date('2026-03-04T10:00:00Z');
  revisions = 0;
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await publisher.close();
  await objects.dispose();
});

async function openHost(name: string): Promise<Host> {
  const host = await openOutageHost(
    { objects, documents, publisherUrl: publisher.url, now: () => clock },
    name,
  );
  hosts.push(host);
  return host;
}

/** The publisher revises the day, an hour later. */
function revise(): void {
  clock = new Date(clock.getTime() + HOUR_MS);
  revisions += 1;
  publisher.publish(DATE, { add: 1_000 * revisions });
}

async function readings(): Promise<string | undefined> {
  const state = (await newestManifests(documents, 'tiny', [DATE])).get(DATE)?.steps[
    'download/readings'
  ];
  return state?.state === 'done' ? state.key : undefined;
}

async function deliveryOf({ engine }: Host): Promise<Delivery | undefined> {
  const { name, parts } = tinyDataset({ baseUrl: publisher.url }).definition;
  return (await readDeliveries(engine.documents, { name, parts }, [DATE]))
    .get('readings')
    ?.get(DATE);
}

/** What a plan of the day says of its readings. */
async function planned({ engine }: Host): Promise<string | undefined> {
  const { plan } = await resolveDay(engine, { pipeline: 'tiny', dates: [DATE], options: {} });
  return plan.steps.find(({ step }) => step === 'download/readings')?.action;
}

const ask = (host: Host) => runDay(host.engine, 'tiny', DATE, { recheck: true });
const look = (host: Host) => runDay(host.engine, 'tiny', DATE, { offline: true });

describe('two hosts of which one could not see the document store', () => {
  it('keep the version of the one that was cut off, whose answer counts as older although it is newer', async () => {
    const [alone, other, third] = [
      await openHost('alone'),
      await openHost('other'),
      await openHost('third'),
    ];
    await ask(other);
    await alone.engine.documents.get({
      table: 'delivery-order',
      partition: 'tiny',
      sort: 'readings',
    });
    await look(alone);
    await alone.cutOff('documents');
    for (let asks = 0; asks < 3; asks += 1) await ask(other);
    revise();
    expect(await ask(alone)).toMatchObject({ version: 2 });
    await alone.cutOff('none');
    // Its writes still wait, and it sees what the other host wrote.
    expect(await look(alone)).toMatchObject({ version: 2, plan: { upToDate: true } });
    expect(await planned(alone)).toBe('recheck');
    expect(await alone.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    const revised = await readings();
    expect(await look(third)).toMatchObject({ version: 2, plan: { upToDate: true } });
    expect(await planned(third)).toBe('recheck');
    expect(await runDay(third.engine, 'tiny', DATE)).toMatchObject({ version: 2 });
    expect(await planned(third)).toBe('reuse');
    expect(await readings()).toBe(revised);
    expect((await deliveryOf(third))?.rivals).toBeUndefined();
  });

  it('keep the version of the one that saw the store, whose answer is the newer one', async () => {
    const [alone, other, third] = [
      await openHost('alone'),
      await openHost('other'),
      await openHost('third'),
    ];
    await ask(other);
    await look(alone);
    await alone.cutOff('documents');
    for (let asks = 0; asks < 4; asks += 1) {
      revise();
      await ask(alone);
    }
    revise();
    expect(await ask(other)).toMatchObject({ version: 2 });
    const newest = await readings();
    await alone.cutOff('none');
    expect(await alone.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    expect(await readings()).toBe(newest);
    expect(await runDay(third.engine, 'tiny', DATE)).toMatchObject({ version: 2 });
    expect(await readings()).toBe(newest);
    expect(await planned(third)).toBe('reuse');
  });

  it('are not hidden from each other while the same bytes wait to be replayed', async () => {
    const [alone, other] = [await openHost('alone'), await openHost('other')];
    await ask(other);
    await look(alone);
    const first = await readings();
    revise();
    await alone.cutOff('documents');
    await ask(alone);
    clock = new Date(clock.getTime() + HOUR_MS);
    publisher.publish(DATE, { add: 500 });
    await ask(other);
    publisher.publish(DATE, { add: 1_000 });
    expect(await ask(other)).toMatchObject({ version: 3 });
    const newest = await readings();
    expect(newest).not.toBe(first);
    await alone.cutOff('none');
    expect((await deliveryOf(alone))?.key).toBe(newest);
    expect(await alone.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    expect((await deliveryOf(other))?.key).toBe(newest);
  });

  it('need no second look when nobody else counted meanwhile', async () => {
    const [alone, other] = [await openHost('alone'), await openHost('other')];
    await ask(other);
    await look(alone);
    await alone.cutOff('documents');
    revise();
    await ask(alone);
    revise();
    expect(await ask(alone)).toMatchObject({ version: 3 });
    expect(await planned(alone)).toBe('reuse');
    await alone.cutOff('none');
    expect(await planned(alone)).toBe('reuse');
    await alone.reconcile();
    expect(await deliveryOf(other)).not.toHaveProperty('rivals');
    expect(await planned(other)).toBe('reuse');
    for await (const { body } of documents.query<Receipt>({
      table: 'receipts',
      partition: 'tiny/readings',
    }))
      expect(body).not.toHaveProperty('alone');
  });
});

describe('an answer that a host numbered alone', () => {
  const receipt = (key: string, sequence: number, more: Partial<Receipt> = {}): Receipt => {
    const raw = { key: `raw/${key}`, sha256: key, bytes: 1, mediaType: 'text/csv' };
    const origin = {
      part: 'p',
      url: 'u',
      etag: null,
      lastModified: null,
      processedAt: null,
      retrievedAt: '',
      raw,
    };
    const window = { from: DATE, to: DATE };
    const facts = {
      status: 200,
      freshness: null,
      rows: 1,
      columns: 1,
      checkedAt: '2026-03-04T10:00:00Z',
    };
    return {
      pipeline: 'tiny',
      part: 'p',
      window,
      origin,
      sequence,
      days: { [DATE]: key },
      ...facts,
      ...more,
    };
  };
  const rivalsOf = (...receipts: Receipt[]) =>
    newestDeliveries(receipts)
      .get(DATE)
      ?.rivals?.map(({ key }) => key);

  it.each<[string, Receipt[], string[] | undefined]>([
    [
      'by what came before it',
      [receipt('a', 3), receipt('b', 4, { alone: { upTo: 9 } })],
      undefined,
    ],
    [
      'by what came while it was away',
      [receipt('a', 4, { alone: { upTo: 9 } }), receipt('b', 8)],
      ['a'],
    ],
    ['by what has the same number', [receipt('a', 4), receipt('b', 4)], ['a']],
    [
      'by what came after it was brought',
      [receipt('a', 4, { alone: { upTo: 9 } }), receipt('b', 10)],
      undefined,
    ],
    ['while it waits', [receipt('a', 4, { alone: { upTo: null } }), receipt('b', 99)], ['a']],
    [
      'by the same host',
      [
        receipt('a', 4, { alone: { upTo: 9, host: 'x' } }),
        receipt('b', 5, { alone: { upTo: 9, host: 'x' } }),
      ],
      undefined,
    ],
    ['by the same content', [receipt('a', 4, { alone: { upTo: 9 } }), receipt('a', 8)], undefined],
  ])('has rivals %s: %#', (_, receipts, expected) => {
    const found = rivalsOf(...receipts);
    // Of two with one number either counts as the newest.
    if (expected !== undefined && receipts[0]?.sequence === receipts[1]?.sequence)
      expect(found).toHaveLength(1);
    else expect(found).toEqual(expected);
  });

  it('is certain again once the same bytes are confirmed behind it, and not before', () => {
    const unsure = countedAlone(receipt('a', 4), 9, 'x');
    expect(unsure.alone).toEqual({ upTo: 9, host: 'x' });
    expect(mergeReceipts(unsure, receipt('a', 7))).toMatchObject({
      sequence: 7,
      alone: { upTo: 9 },
    });
    expect(mergeReceipts(unsure, receipt('a', 7)).alone).not.toHaveProperty('host');
    expect(mergeReceipts(unsure, receipt('a', 10))).not.toHaveProperty('alone');
    expect(countedAlone(receipt('a', 4), 4, 'x')).not.toHaveProperty('alone');
  });
});
