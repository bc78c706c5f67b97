import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodeOf } from '../../../src/errors.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { DocumentKey, DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { isUnknown, openHost } from './faulty-host.ts';
import type { CallFate, Death, Host } from './faulty-host.ts';

const KEYS = [0, 1, 2] as const;
const PARTITIONS = ['created', 'counted', 'replaced'] as const;
const OBJECTS = KEYS.map((n) => `published/${n}.json`);

type Write =
  | {
      readonly write: 'create' | 'count' | 'replace' | 'delete' | 'create many';
      readonly key: number;
    }
  | { readonly write: 'put object' | 'create object' | 'delete object'; readonly key: number };

type Happening =
  | Write
  | { readonly event: 'faults'; readonly fates: readonly CallFate[] }
  | { readonly event: 'death'; readonly death: Death }
  | { readonly event: 'restart' }
  | { readonly event: 'read' }
  | {
      readonly event: 'reconcile';
      readonly stopAfter: number | undefined;
      readonly beside: boolean;
    };

const write = fc.record({
  write: fc.constantFrom<Write['write']>(
    'create',
    'count',
    'count',
    'replace',
    'delete',
    'create many',
    'put object',
    'put object',
    'create object',
    'delete object',
  ),
  key: fc.constantFrom(...KEYS),
});
const fates = fc.array(
  fc.constantFrom<CallFate>('done', 'refused', 'refused', 'refused', 'unanswered', 'slow'),
  {
    maxLength: 40,
  },
);
const outage = fc.nat(60).map((calls) => Array<CallFate>(calls).fill('refused'));
/** The store does everything and says nothing, then is away. */
const silence = fc
  .tuple(fc.nat(6), fc.nat(20))
  .map(([done, refused]) => [
    ...Array<CallFate>(done).fill('unanswered'),
    ...Array<CallFate>(refused).fill('refused'),
  ]);
const death = fc.record({
  afterCalls: fc.integer({ min: 1, max: 12 }),
  moment: fc.constantFrom<Death['moment']>('before', 'torn', 'done'),
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: write },
  {
    weight: 3,
    arbitrary: fc
      .oneof(fates, outage, silence)
      .map((list) => ({ event: 'faults' as const, fates: list })),
  },
  { weight: 2, arbitrary: death.map((one) => ({ event: 'death' as const, death: one })) },
  { weight: 1, arbitrary: fc.constant({ event: 'restart' as const }) },
  { weight: 2, arbitrary: fc.constant({ event: 'read' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      event: fc.constant('reconcile' as const),
      stopAfter: fc.option(fc.nat(4), { nil: undefined }),
      beside: fc.boolean(),
    }),
  },
);

interface Stores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
}

/**
 * One write as a caller does it that may have done it before: what it finds of its own counts as
 * done.
 */
async function perform(
  { objects, documents }: Stores,
  { write: kind, key: n }: Write,
  id: string,
): Promise<string> {
  const key = (partition: string): DocumentKey => ({
    table: 'records',
    partition,
    sort: `key ${n}`,
  });
  const name = OBJECTS[n] ?? '';
  const bytes = Buffer.from(`written by ${id}`);
  switch (kind) {
    case 'create':
      try {
        await documents.put(key('created'), { by: id }, { expectedVersion: 0 });
        return 'created';
      } catch (error) {
        if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
        const found = await documents.get<{ by: string }>(key('created'));
        return found?.body.by === id ? 'created' : 'there';
      }
    case 'create many': {
      const keys = KEYS.map((at) => ({ ...key('created'), sort: `key ${at}` }));
      await documents.createMany(keys.map((one) => ({ key: one, body: { by: id } })));
      return 'there';
    }
    case 'count':
      for (;;) {
        const found = await documents.get<{ ids: string[] }>(key('counted'));
        if (found?.body.ids.includes(id) === true) return 'counted';
        const ids = [...(found?.body.ids ?? []), id];
        try {
          await documents.put(key('counted'), { ids }, { expectedVersion: found?.version ?? 0 });
          return 'counted';
        } catch (error) {
          if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
        }
      }
    case 'replace':
      await documents.put(key('replaced'), { by: id });
      return 'replaced';
    case 'delete':
      await documents.delete(key('replaced'));
      return 'deleted';
    case 'put object':
      await objects.put(name, bytes, { mode: 'replace', mediaType: 'text/plain' });
      return 'put';
    case 'create object':
      try {
        await objects.put(name, bytes, { mode: 'create', mediaType: 'text/plain' });
        return 'put';
      } catch (error) {
        if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
        return (await textOf(objects, name)) === String(bytes) ? 'put' : 'there';
      }
    case 'delete object':
      await objects.delete(name);
      return 'deleted';
  }
}

async function textOf(objects: ObjectStore, key: string): Promise<string | undefined> {
  const stream = await objects.get(key);
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Everything that can be read: documents by query and by key, objects by key. */
async function contentsOf({ objects, documents }: Stores) {
  const queried: Record<string, unknown> = {};
  for (const partition of PARTITIONS) {
    for await (const { sort, version, body } of documents.query({ table: 'records', partition })) {
      // A write without an expected version counts each time that it got through, also when its
      // answer did not.
      const counted = partition === 'replaced' ? { body } : { version, body };
      expect(await documents.get({ table: 'records', partition, sort })).toMatchObject(counted);
      queried[`${partition} ${sort}`] = counted;
    }
  }
  for (const name of OBJECTS) queried[name] = await textOf(objects, name);
  return queried;
}

/** Does the work until it is known to be done, with a new process whenever one has died. */
async function insist<T>(host: Host, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const result = await work();
      // The answer of a dead process reached nobody.
      if (!host.dead) return result;
    } catch (error) {
      if (!isUnknown(error) && !host.dead) throw error;
    }
    if (host.dead) await host.restart();
  }
}

class Schedule {
  readonly #host: Host;
  readonly #undisturbed: Stores;
  #beside: Promise<unknown> = Promise.resolve();

  constructor(host: Host, undisturbed: Stores) {
    this.#host = host;
    this.#undisturbed = undisturbed;
  }

  async run(happenings: readonly Happening[]): Promise<void> {
    for (const [at, one] of happenings.entries()) await this.#happen(one, `op ${at}`);
    await this.#beside;
    this.#host.suffer([]);
    this.#host.dieAt(undefined);
    await this.#host.restart();
    const report = await insist(this.#host, () => this.#host.reconcile());
    expect(report).toMatchObject({ pending: 0, conflicts: [], converged: true });
    expect(await contentsOf(this.#host.primary)).toEqual(await contentsOf(this.#undisturbed));
    expect((await this.#host.stores.state()).pending).toBe(0);
  }

  async #happen(one: Happening, id: string): Promise<void> {
    const host = this.#host;
    if ('write' in one) {
      const got = await insist(host, () => perform(host.stores, one, id));
      const expected = await perform(this.#undisturbed, one, id);
      expect([one.write, got]).toEqual([one.write, expected]);
      return;
    }
    switch (one.event) {
      case 'faults':
        host.suffer(one.fates);
        return;
      case 'death':
        host.dieAt(one.death);
        return;
      case 'restart':
        await host.restart();
        return;
      case 'read':
        expect(await insist(host, () => contentsOf(host.stores))).toEqual(
          await contentsOf(this.#undisturbed),
        );
        return;
      case 'reconcile':
        await this.#reconcile(one.stopAfter, one.beside);
    }
  }

  async #reconcile(stopAfter: number | undefined, beside: boolean): Promise<void> {
    const stop = new AbortController();
    const replay = this.#host
      .reconcile({
        signal: stop.signal,
        progress: ({ done }) => {
          if (stopAfter !== undefined && done > stopAfter) stop.abort();
        },
      })
      .catch((error: unknown) => {
        // Another one is at work beside, the store is away, the process died, or it was stopped: it
        // goes on later.
        const expected =
          isUnknown(error) || stop.signal.aborted || errorCodeOf(error) === 'STORE_CONFLICT';
        if (!expected) throw error;
      });
    if (beside) this.#beside = Promise.all([this.#beside, replay]);
    else await replay;
    if (!beside && this.#host.dead) await this.#host.restart();
  }
}

describe('a host with a fallback', () => {
  it('loses and doubles nothing in any schedule of faults, and converges to what an undisturbed run gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), async (happenings) => {
        const host = await openHost();
        const undisturbed = {
          objects: createMemoryObjectStore(),
          documents: createMemoryDocumentStore(),
        };
        try {
          await new Schedule(host, undisturbed).run(happenings);
        } finally {
          await host.dispose();
        }
      }),
      { numRuns: 600 },
    );
  });
});
