import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { forgetPerson } from '../../src/engine/upkeep/forget-person.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { collectText, toArray } from '../conformance/byte-streams.ts';
import { openOutageHost } from '../fixtures/outage-host.ts';
import type { Host } from '../fixtures/outage-host.ts';
import { rollUpDays, runDay } from '../fixtures/run-day.ts';
import { testControl } from '../fixtures/test-engine.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const [DATE, NEXT, OTHER] = ['2026-03-02', '2026-03-03', '2026-03-10'] as const;
const DAYS = [DATE, NEXT, OTHER];
/** A reading that stands for a person. */
const SOMEBODY = '7654.25';
const request = { pipeline: 'tiny', id: SOMEBODY, reason: 'asked for', by: 'test', dryRun: false };

let objects: MemoryObjectStore;
let documents: DocumentStore;
let publisher: TinyPublisher;
let host: Host;

beforeEach(async () => {
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  publisher = await startTinyPublisher(DAYS);
  publisher.publish(DATE, { hours: { 5: Number(SOMEBODY) } });
  const dataset: Dataset = {
    ...tinyDataset({ baseUrl: publisher.url }),
    persons: {
      called: 'reading',
      keyOf: (id) => Promise.resolve(id),
      keySql: (_part, columns) => (columns.includes('value') ? 'value' : undefined),
    },
  };
  const clock = new Date('2026-03-12T10:00:00Z');
  const shared = { objects, documents, publisherUrl: publisher.url, now: () => clock, dataset };
  host = await openOutageHost(shared, 'alone');
  for (const date of DAYS) await runDay(host.engine, 'tiny', date);
  await rollUpDays(host.engine, 'tiny', DAYS);
});
afterEach(async () => {
  await host.close();
  await publisher.close();
  await objects.dispose();
});

/**
 * Objects of the store, and files of the cache, that have the reading as text; tables of the tiny
 * pipeline are named by what reads them.
 */
async function textsWith(word: string): Promise<string[]> {
  const found: string[] = [];
  for (const { key } of await toArray(objects.list('')))
    if ((await collectText(await objects.get(key))).includes(word)) found.push(key);
  const cache = path.join(host.home, 'cache');
  for (const entry of await readdir(cache, { recursive: true, withFileTypes: true }).catch(
    () => [],
  )) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(file, 'latin1')).includes(word)) found.push(file);
  }
  return found;
}

async function verified(): Promise<unknown[]> {
  const { days } = await verifyDays(host.engine, testControl(), { pipeline: 'tiny', dates: DAYS });
  const periods = ['2026-03', 'all'].map((period) =>
    verifyPeriod(host.engine, testControl(), 'tiny', period),
  );
  return [...days, ...(await Promise.all(periods))].map((one) => one?.result);
}

const versionsOf = async (date: string): Promise<number> => {
  const range = { table: 'manifests', partition: 'tiny/2026-03', from: `${date}/`, to: `${date}0` };
  return (await toArray(documents.query(range))).length;
};

it('makes days, comparisons, months and the history again, and no other day', async () => {
  expect(await textsWith(SOMEBODY)).not.toEqual([]);
  const result = await forgetPerson(host.engine, testControl(), request);
  expect(result).toMatchObject({ state: 'done', left: [], scopes: ['2026-03', DATE, NEXT, 'all'] });
  expect(await textsWith(SOMEBODY)).toEqual([]);
  expect(await versionsOf(OTHER)).toBe(1);
  expect(await verified()).toEqual(Array.from({ length: 5 }, () => 'identical'));
});

it('waits while a store is away, says so, and is ended by reconcile', async () => {
  await host.cutOff('all');
  const waiting = await forgetPerson(host.engine, testControl(), request);
  expect(waiting).toMatchObject({ state: 'waiting', scopes: [] });
  expect(waiting.why).toContain('is away since');
  expect(await textsWith(SOMEBODY)).not.toEqual([]);
  await host.cutOff('none');
  expect(await host.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
  expect(await textsWith(SOMEBODY)).toEqual([]);
  expect(await verified()).toEqual(Array.from({ length: 5 }, () => 'identical'));
});
