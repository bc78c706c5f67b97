import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeRules } from '../../src/engine/upkeep/merge-records.ts';
import { cityflow } from '../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../src/storage/memory/memory.ts';
import type { DocumentKey, DocumentStore } from '../../src/ports/documents.ts';
import { planReconcile, reconcile } from '../../src/storage/outage/reconcile.ts';
import { collectText, sha256Of } from '../conformance/byte-streams.ts';
import { openTestHost, switched, temporaryFolder } from './storage/fallback-host.ts';
import type { Outage, TestHost } from './storage/fallback-host.ts';

const REPLACE = { mode: 'replace', mediaType: 'text/plain' } as const;
const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const fast = { entriesPerSecond: Number.POSITIVE_INFINITY };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let objects: MemoryObjectStore;
let documents: DocumentStore;
let outage: Outage;
let host: TestHost;

beforeEach(async () => {
  folder = await temporaryFolder();
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  outage = { code: undefined };
  const primary = { objects: switched(objects, outage), documents: switched(documents, outage) };
  host = await openTestHost(folder.path, primary, { rules: mergeRules({ cityflow, eco2mix }) });
});
afterEach(async () => {
  await host.close();
  await objects.dispose();
  await folder.remove();
});

interface Two {
  /** What both knew before. */
  readonly before?: object;
  /** Null: removed. */
  readonly ours: object | null;
  readonly theirs: object | null;
}

/** Has both hosts write a document, ours while the store is away. */
async function writeBoth(key: DocumentKey, { before, ours, theirs }: Two): Promise<void> {
  if (before !== undefined) await host.stores.documents.put(key, before);
  outage.code = 'STORE_UNAVAILABLE';
  if (ours === null) await host.stores.documents.delete(key);
  else await host.stores.documents.put(key, ours);
  outage.code = undefined;
  if (theirs === null) await documents.delete(key);
  else await documents.put(key, theirs);
}

describe('the rules of a replay', () => {
  it.each([
    ['the later watch, here ours', 'watch', { checkedAt: '2026-01-03', value: 'c' }, 'ours'],
    ['the later watch, here theirs', 'watch', { checkedAt: '2026-01-01', value: 'a' }, 'theirs'],
    ['the later failure, here ours', 'failures', { failedAt: '2026-01-03' }, 'ours'],
    ['the later failure, here theirs', 'failures', { failedAt: '2026-01-01' }, 'theirs'],
    [
      'a failure that was recorded since, before our removal of an older one',
      'failures',
      null,
      'theirs',
    ],
    ['what is announced, before our removal', 'announcements', null, 'theirs'],
    ['the decision that was accepted first', 'decisions', { decision: 'reject' }, 'theirs'],
    ['a record of a day, which follows its manifest', 'cityflow-metrics', { n: 1 }, 'theirs'],
    ['the manifest that another host committed', 'manifests', { version: 1, steps: {} }, 'theirs'],
  ] as const)('keep %s', async (_, table, ours, kept) => {
    const key = { table, partition: 'eco2mix', sort: 'a' };
    const theirs = { checkedAt: '2026-01-02', failedAt: '2026-01-02', value: 'b' };
    await writeBoth(key, {
      before: { checkedAt: '2026-01-00', failedAt: '2026-01-00' },
      ours,
      theirs,
    });
    expect(await planReconcile(host.parts)).toMatchObject([{ outcome: { kind: 'merged' } }]);
    const report = await reconcile(host.parts, fast);
    expect(report).toMatchObject({ conflicts: [], converged: true, merged: [{ key: { table } }] });
    expect((await documents.get(key))?.body).toEqual(kept === 'ours' ? ours : theirs);
    expect(await host.stores.documents.get(key)).toEqual(await documents.get(key));
  });

  it('announce once more what another host was done with before ours', async () => {
    const key = { table: 'announcements', partition: 'eco2mix', sort: '2026-03-01/000001' };
    await writeBoth(key, {
      before: { version: 1 },
      ours: { version: 1, withdrawn: ['a'] },
      theirs: null,
    });
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect((await documents.get(key))?.body).toEqual({ version: 1, withdrawn: ['a'] });
  });

  it.each([
    [{ last: 7 }, { last: 5 }],
    [{ last: 5 }, { last: 7 }],
  ])('count on from the higher number of answers: %o here and %o there', async (ours, theirs) => {
    const key = { table: 'delivery-order', partition: 'eco2mix', sort: 'tr' };
    await writeBoth(key, { before: { last: 4 }, ours, theirs });
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect((await documents.get(key))?.body).toEqual({ last: 7 });
  });

  it('keep the marks of all who are giving another file to a name', async () => {
    const key = { table: 'replacing-names', partition: 'names', sort: 'raw/batch/comptages.csv' };
    await writeBoth(key, {
      before: { marks: [] },
      ours: { marks: ['ours'] },
      theirs: { marks: ['theirs'] },
    });
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect((await documents.get(key))?.body).toEqual({ marks: ['theirs', 'ours'] });
  });

  it('put the days of two answers for one window together, with what the later one says', async () => {
    const key = { table: 'receipts', partition: 'eco2mix/tr', sort: 'month/sha' };
    const receipt = { window: {}, rows: 10, columns: 3, kept: {} };
    const ours = {
      ...receipt,
      checkedAt: '2026-03-02',
      freshness: 'new',
      days: { '2026-03-01': 'k1', '2026-03-02': 'k2' },
    };
    const theirs = {
      ...receipt,
      checkedAt: '2026-03-01',
      freshness: 'old',
      days: { '2026-03-03': 'k3' },
    };
    await writeBoth(key, { ours, theirs });
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect((await documents.get(key))?.body).toEqual({
      ...ours,
      days: { ...theirs.days, ...ours.days },
    });
  });

  it('take over no version that builds on one which was not taken over, and go on when the replay is cut there', async () => {
    const key = (version: number) => ({
      table: 'manifests',
      partition: 'eco2mix/2026-03',
      sort: `2026-03-01/00000${version}`,
    });
    await writeBoth(key(1), { ours: { version: 1, by: 'us' }, theirs: { version: 1, by: 'them' } });
    outage.code = 'STORE_UNAVAILABLE';
    await host.stores.documents.put(key(2), { version: 2, by: 'us' }, { expectedVersion: 0 });
    outage.code = undefined;
    const stop = new AbortController();
    const cut = reconcile(host.parts, {
      ...fast,
      signal: stop.signal,
      progress: () => {
        stop.abort(new Error('cut'));
      },
    });
    await expect(cut).rejects.toThrow('cut');
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect((await documents.get(key(1)))?.body).toEqual({ version: 1, by: 'them' });
    expect(await documents.get(key(2))).toBeUndefined();
  });

  it('leave a published name as the other host left it', async () => {
    await host.stores.objects.put('reports/day.json', Buffer.from('known'), REPLACE);
    outage.code = 'STORE_UNAVAILABLE';
    await host.stores.objects.put('reports/day.json', Buffer.from('ours'), REPLACE);
    outage.code = undefined;
    await objects.put('reports/day.json', Buffer.from('theirs'), REPLACE);
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect(await collectText(await objects.get('reports/day.json'))).toBe('theirs');
  });

  it.each([
    [
      'a batch file',
      'raw/batch/comptages.csv',
      `archive/raw/batch/comptages/${sha256Of('ours')}.csv`,
    ],
    [
      'a piece of a day',
      'raw/api/bikes/dt=2025-11-03/hour=10/bikes_data.json',
      `raw/api/bikes/dt=2025-11-03/hour=10/bikes_data.${sha256Of('ours').slice(0, 8)}.json`,
    ],
  ])('keep both raw files of one name, here %s', async (_, name, beside) => {
    outage.code = 'STORE_UNAVAILABLE';
    await host.stores.objects.put(name, Buffer.from('ours'), REPLACE);
    outage.code = undefined;
    await objects.put(name, Buffer.from('theirs'), REPLACE);
    expect(await reconcile(host.parts, fast)).toMatchObject({ conflicts: [], converged: true });
    expect(await collectText(await objects.get(name))).toBe('theirs');
    expect(await collectText(await objects.get(beside))).toBe('ours');
  });

  it('remove no edition of a batch file, which may be the only copy by now', async () => {
    const edition = `archive/raw/batch/comptages/${sha256Of('edition')}.csv`;
    await host.stores.objects.put(edition, Buffer.from('edition'), CREATE);
    outage.code = 'STORE_UNAVAILABLE';
    await host.stores.objects.delete(edition);
    outage.code = undefined;
    expect(await reconcile(host.parts, fast)).toMatchObject({
      applied: 0,
      conflicts: [],
      converged: true,
    });
    expect(await collectText(await objects.get(edition))).toBe('edition');
  });

  it('leave to a person a step with other outputs', async () => {
    await writeBoth(
      { table: 'ledger', partition: 'p', sort: 'a' },
      { ours: { outputs: 1 }, theirs: { outputs: 2 } },
    );
    const report = await reconcile(host.parts, fast);
    expect(report.conflicts).toMatchObject([{ key: { table: 'ledger' } }]);
  });
});
