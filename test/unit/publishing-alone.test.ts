import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishDays } from '../../src/engine/publish/publish-versions.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { collectText, toArray } from '../conformance/byte-streams.ts';
import { openOutageHost } from '../fixtures/outage-host.ts';
import type { Host } from '../fixtures/outage-host.ts';
import { runDay } from '../fixtures/run-day.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const DATE = '2026-03-02';

let objects: MemoryObjectStore;
let documents: DocumentStore;
let publisher: TinyPublisher;
const hosts: Host[] = [];

beforeEach(async () => {
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  publisher = await startTinyPublisher([DATE]);
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await publisher.close();
  await objects.dispose();
});

async function openHost(name: string): Promise<Host> {
  const now = () => new Date('2026-03-04T10:00:00Z');
  const host = await openOutageHost({ objects, documents, publisherUrl: publisher.url, now }, name);
  hosts.push(host);
  return host;
}

/** What the published files of the day say, by name. */
async function published(): Promise<Record<string, string>> {
  const names = (await toArray(objects.list('reports/tiny/daily_report'))).map(({ key }) => key);
  const texts = await Promise.all(
    names.map(async (key) => [key, await collectText(await objects.get(key))]),
  );
  return Object.fromEntries(texts) as Record<string, string>;
}

describe('a host that cannot see the document store', () => {
  it.each(['directly', 'while its writes wait'])(
    'puts no older version under published names, %s',
    async (how) => {
      const [alone, other] = [await openHost('alone'), await openHost('other')];
      await runDay(other.engine, 'tiny', DATE);
      await runDay(alone.engine, 'tiny', DATE, { offline: true });
      const first = await published();
      await alone.cutOff('documents');
      publisher.publish(DATE, { add: 1_000 });
      expect(await runDay(other.engine, 'tiny', DATE, { recheck: true })).toMatchObject({
        version: 2,
      });
      const newest = await published();
      expect(newest).not.toEqual(first);
      // As the promise of a run would.
      if (how !== 'directly')
        await alone.engine.documents.put(
          { table: 'garbage', partition: 'promises', sort: 'x' },
          {},
        );
      await publishDays(alone.engine, 'tiny', [DATE]).catch(() => undefined);
      expect(await published()).toEqual(newest);
      await alone.cutOff('none');
      await alone.reconcile();
      expect(await published()).toEqual(newest);
    },
  );
});
