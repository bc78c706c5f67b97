import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeDocuments } from '../../src/engine/records/remove-documents.ts';
import { errorCodeOf } from '../../src/errors.ts';
import type { DocumentKey, DocumentQuery, DocumentStore } from '../../src/ports/documents.ts';
import { inParallel, toArray } from './byte-streams.ts';

export interface OpenedDocumentStore {
  readonly store: DocumentStore;
  /**
   * A second client of the same documents, as another process would have; the same one where there
   * can be no other.
   */
  readonly peer: DocumentStore;
  /** A table that exists and is empty. */
  readonly table: string;
  close(): Promise<void>;
}

/** Two clients of the same documents; `dispose` removes what is left when both are closed. */
export function openedTwice(
  store: DocumentStore & { close(): Promise<void> },
  peer: DocumentStore & { close(): Promise<void> },
  dispose: () => Promise<void>,
): OpenedDocumentStore {
  return {
    store,
    peer,
    table: 'conformance',
    async close() {
      await store.close();
      await peer.close();
      await dispose();
    },
  };
}

/** Where a server cannot do what the port promises. What differs is named in the titles. */
export interface DocumentServerLimits {
  /**
   * Several writers may win one version, so that the adapter must refuse compare-and-set with
   * `STORE_DENIED`.
   */
  readonly noCompareAndSet?: true;
  /** The server sorts text by UTF-16 units: characters beyond U+FFFF come before U+E000–U+FFFF. */
  readonly utf16Order?: true;
}

/**
 * What every document store must do, over the port alone. Each case keeps to a partition of its
 * own.
 */
export function documentStoreConformance(
  name: string,
  open: () => Promise<OpenedDocumentStore>,
  limits: DocumentServerLimits = {},
): void {
  describe(`${name} as a document store${limitsInWords(limits)}`, { timeout: 120_000 }, () => {
    let opened: OpenedDocumentStore;
    let store: DocumentStore;
    let cases = 0;
    const partition = (): ((sort: string) => DocumentKey) => {
      cases += 1;
      const own = `case ${cases}`;
      return (sort) => ({ table: opened.table, partition: own, sort });
    };
    const sorts = async (query: DocumentQuery): Promise<string[]> =>
      (await toArray(store.query(query))).map(({ sort }) => sort);

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(async () => {
      await opened.close();
    });

    describe('put and get', () => {
      it('gives back what was put, with key and version', async () => {
        const key = partition()('2024-01-15/transform/tr');
        const body = { pipeline: 'eco2mix', rows: 96 };
        expect(await store.get(key)).toBeUndefined();
        expect(await store.put(key, body)).toMatchObject({ version: 1 });
        expect(await store.get(key)).toEqual({ ...key, version: 1, body });
        expect(await opened.peer.get(key)).toEqual({ ...key, version: 1, body });
      });

      it('replaces without an expected version and counts the versions', async () => {
        const key = partition()('pointer');
        for (let version = 1; version <= 5; version += 1) {
          expect(await store.put(key, { version })).toMatchObject({ version });
        }
        expect(await store.get(key)).toMatchObject({ version: 5, body: { version: 5 } });
      });

      it('keeps partitions apart', async () => {
        const one = partition()('same');
        const two = partition()('same');
        await store.put(one, { which: 1 });
        expect(await store.get(two)).toBeUndefined();
        await store.put(two, { which: 2 });
        expect(await store.get(one)).toMatchObject({ body: { which: 1 } });
      });

      it('keeps numbers exactly; minus zero becomes zero, as in JSON', async () => {
        const key = partition()('numbers');
        const body = {
          tenth: 0.1,
          sum: 0.1 + 0.2,
          large: 1e21,
          largest: Number.MAX_VALUE,
          tiny: 5e-324,
          safe: Number.MAX_SAFE_INTEGER,
          negative: -39_947.25,
          beyond: '9007199254740993',
        };
        await store.put(key, { ...body, zero: -0 });
        const found = await store.get<typeof body & { zero: number }>(key);
        expect(found?.body).toEqual({ ...body, zero: 0 });
        expect(Object.is(found?.body.zero, 0)).toBe(true);
      });

      it('keeps every other kind of JSON value and any member name', async () => {
        const key = partition()('values');
        const body = {
          '': 'empty name',
          'a.b': 1,
          $set: { $gt: 2 },
          _id: 'mine',
          version: 'mine too',
          text: 'é \u{1F600} \u0000 "quoted" \\ \n',
          nothing: null,
          yes: true,
          no: false,
          list: [1, [2, [3, []]], {}, null, 'x'],
          deep: { er: { and: { deeper: {} } } },
          date: '2024-01-15T10:00:00Z',
        };
        await store.put(key, body);
        expect((await store.get(key))?.body).toEqual(body);
      });

      it('leaves undefined members out', async () => {
        const key = partition()('undefined');
        await store.put(key, { there: 1, missing: undefined });
        expect(Object.keys((await store.get(key))!.body)).toEqual(['there']);
      });

      it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [10n], [() => 1]])(
        'refuses a body with %s',
        async (value) => {
          const key = partition()('bad');
          await expectCode(store.put(key, { deep: [{ value }] }), 'INPUT_INVALID');
          await expectCode(store.createMany([{ key, body: { value } }]), 'INPUT_INVALID');
          expect(await store.get(key)).toBeUndefined();
        },
      );

      it('keeps a document of 1.07 MB, created, replaced and in a query', async () => {
        const key = partition()('large');
        const body = { rows: Array.from({ length: 18_500 }, (_, n) => `${n} ${'é'.repeat(25)}`) };
        expect(Buffer.byteLength(JSON.stringify(body))).toBeGreaterThan(1_070_000);
        await store.put(key, body, { expectedVersion: 0 });
        expect((await store.get(key))?.body).toEqual(body);
        const changed = { rows: [...body.rows, 'more'] };
        await store.put(key, changed, limits.noCompareAndSet ? {} : { expectedVersion: 1 });
        const [only] = await toArray(store.query({ table: key.table, partition: key.partition }));
        expect(only).toEqual({ ...key, version: 2, body: changed });
        await store.put(key, { small: true });
        expect((await store.get(key))?.body).toEqual({ small: true });
      });
    });

    describe('expected versions', () => {
      it('create only what does not exist', async () => {
        const key = partition()('ledger entry');
        expect(await store.put(key, { by: 1 }, { expectedVersion: 0 })).toMatchObject({
          version: 1,
        });
        await expectCode(store.put(key, { by: 2 }, { expectedVersion: 0 }), 'STORE_CONFLICT');
        await expectCode(opened.peer.put(key, { by: 3 }, { expectedVersion: 0 }), 'STORE_CONFLICT');
        expect(await store.get(key)).toMatchObject({ version: 1, body: { by: 1 } });
      });

      it.each([-1, 1.5, Number.NaN])('refuse %s', async (expectedVersion) => {
        await expectCode(store.put(partition()('x'), {}, { expectedVersion }), 'INPUT_INVALID');
      });

      it('let exactly one of 16 concurrent creators win, in each of 20 rounds', async () => {
        const key = partition();
        for (let round = 0; round < 20; round += 1) {
          const results = await Promise.allSettled(
            Array.from({ length: 16 }, (_, writer) => {
              const client = writer % 2 === 0 ? store : opened.peer;
              return client.put(key(`round ${round}`), { writer }, { expectedVersion: 0 });
            }),
          );
          const winners = results.flatMap((result, writer) =>
            result.status === 'fulfilled' ? [writer] : [],
          );
          const codes = results.flatMap((result) =>
            result.status === 'rejected' ? [errorCodeOf(result.reason)] : [],
          );
          expect(winners).toHaveLength(1);
          expect(new Set(codes)).toEqual(new Set(['STORE_CONFLICT']));
          expect((await store.get(key(`round ${round}`)))?.body).toEqual({ writer: winners[0] });
        }
      });
    });

    describe('compare-and-set', () => {
      if (limits.noCompareAndSet) {
        it('is refused on this server, and leaves the document as it was', async () => {
          const key = partition()('pointer');
          await store.put(key, { at: 1 });
          await expectCode(store.put(key, { at: 2 }, { expectedVersion: 1 }), 'STORE_DENIED');
          await expectCode(store.put(key, { at: 2 }, { expectedVersion: 7 }), 'STORE_DENIED');
          expect(await store.get(key)).toMatchObject({ version: 1, body: { at: 1 } });
        });
        return;
      }

      it('replaces exactly the version that was read', async () => {
        const key = partition()('pointer');
        await store.put(key, { at: 1 });
        expect(await store.put(key, { at: 2 }, { expectedVersion: 1 })).toMatchObject({
          version: 2,
        });
        await expectCode(store.put(key, { at: 3 }, { expectedVersion: 1 }), 'STORE_CONFLICT');
        await expectCode(store.put(key, { at: 3 }, { expectedVersion: 3 }), 'STORE_CONFLICT');
        expect(await store.get(key)).toMatchObject({ version: 2, body: { at: 2 } });
      });

      it('refuses to replace what does not exist', async () => {
        const key = partition()('nobody');
        await expectCode(store.put(key, {}, { expectedVersion: 1 }), 'STORE_CONFLICT');
        expect(await store.get(key)).toBeUndefined();
      });

      it('counts all of 20 concurrent increments', async () => {
        const key = partition()('counter');
        await store.put(key, { count: 0 });
        await Promise.all(
          Array.from({ length: 20 }, (_, writer) =>
            increment(writer % 2 === 0 ? store : opened.peer, key),
          ),
        );
        expect(await store.get(key)).toMatchObject({ version: 21, body: { count: 20 } });
      });
    });

    describe('query', () => {
      it('finds 3,000 documents by range, order and limit', async () => {
        const key = partition();
        const { table, partition: own } = key('x');
        const name = (n: number): string => `day ${String(n).padStart(4, '0')}`;
        const all = Array.from({ length: 3_000 }, (_, n) => name(n));
        await store.createMany(
          all
            .toReversed()
            .map((sort, n) => ({ key: key(sort), body: { n, text: 'x'.repeat(200) } })),
        );
        expect(await sorts({ table, partition: own })).toEqual(all);
        expect(await sorts({ table, partition: own, order: 'descending' })).toEqual(
          all.toReversed(),
        );
        const range = { from: name(10), to: name(2_990) };
        expect(await sorts({ table, partition: own, ...range })).toEqual(all.slice(10, 2_990));
        expect(await sorts({ table, partition: own, ...range, limit: 5 })).toEqual(
          all.slice(10, 15),
        );
        expect(
          await sorts({ table, partition: own, ...range, order: 'descending', limit: 1_234 }),
        ).toEqual(all.slice(2_990 - 1_234, 2_990).toReversed());
        expect(await sorts({ table, partition: own, limit: 2_999 })).toEqual(all.slice(0, 2_999));
        expect(await sorts({ table, partition: own, from: name(2_999) })).toEqual([name(2_999)]);
        expect(await sorts({ table, partition: own, to: name(1) })).toEqual([name(0)]);
        expect(await sorts({ table, partition: own, from: name(7), to: name(7) })).toEqual([]);
        expect(await sorts({ table, partition: own, from: name(8), to: name(7) })).toEqual([]);
        expect(await sorts({ table, partition: own, limit: 0 })).toEqual([]);
      });

      it('gives whole documents with their versions', async () => {
        const key = partition();
        await store.put(key('a'), { n: 1 });
        await store.put(key('a'), { n: 2 });
        await store.put(key('b'), { n: 3 });
        const { table, partition: own } = key('x');
        expect(await toArray(store.query({ table, partition: own }))).toEqual([
          { ...key('a'), version: 2, body: { n: 2 } },
          { ...key('b'), version: 1, body: { n: 3 } },
        ]);
      });

      it('finds nothing in a partition that does not exist', async () => {
        expect(await sorts({ table: opened.table, partition: 'nobody' })).toEqual([]);
      });

      it(`compares sort keys by their ${limits.utf16Order ? 'UTF-16 units' : 'UTF-8 bytes'}`, async () => {
        const key = partition();
        const names = [
          'z',
          'é',
          '\u{1F600}',
          '\uFFFD',
          '\uE000',
          'Z',
          'a',
          'a b',
          'a/b',
          'a-b',
          'a0',
          '~',
          '10',
          '9',
        ];
        for (const name of names) await store.put(key(name), { name });
        const inOrder = limits.utf16Order ? names.toSorted() : names.toSorted(compareUtf8);
        const { table, partition: own } = key('x');
        expect(await sorts({ table, partition: own })).toEqual(inOrder);
        expect(await sorts({ table, partition: own, from: '\uFFFD' })).toEqual(
          limits.utf16Order ? ['\uFFFD'] : ['\uFFFD', '\u{1F600}'],
        );
        expect(await sorts({ table, partition: own, from: 'a', to: 'a\u{10FFFF}' })).toEqual([
          'a',
          'a b',
          'a-b',
          'a/b',
          'a0',
        ]);
      });

      it('goes on in order, without twins or gaps, while others insert', async () => {
        const key = partition();
        const name = (n: number): string => String(n).padStart(5, '0');
        const before = Array.from({ length: 1_500 }, (_, n) => name(n * 10));
        await store.createMany(before.map((sort) => ({ key: key(sort), body: {} })));
        const { table, partition: own } = key('x');
        const seen: string[] = [];
        for await (const { sort } of store.query({ table, partition: own })) {
          if (seen.length % 100 === 0) {
            const at = Number(sort);
            for (const added of [at - 5, at + 5, at + 3_005]) {
              if (added > 0) await opened.peer.put(key(name(added)), { added: true });
            }
          }
          seen.push(sort);
        }
        expect(seen).toEqual([...new Set(seen)].sort());
        expect(before.filter((sort) => !seen.includes(sort))).toEqual([]);
      });

      it('stops early without harm', async () => {
        const key = partition();
        await store.createMany(
          Array.from({ length: 200 }, (_, n) => ({ key: key(`n${n}`), body: {} })),
        );
        const { table, partition: own } = key('x');
        for await (const { sort } of store.query({ table, partition: own })) {
          expect(sort).toBe('n0');
          break;
        }
        await opened.peer.put(key('n0'), { free: true });
      });

      it.each([-1, 0.5, Number.NaN])('refuses the limit %s', async (limit) => {
        await expectCode(
          toArray(store.query({ table: opened.table, partition: 'x', limit })),
          'INPUT_INVALID',
        );
      });
    });

    describe('partitions', () => {
      it('names every partition of the table once', async () => {
        const names = ['eco2mix', 'eco2mix 2024', 'é|%/#', 'a'].map(
          (name) => `named ${cases} ${name}`,
        );
        const documents = names.flatMap((partition) =>
          [1, 2, 3].map((n) => ({
            key: { table: opened.table, partition, sort: `${n}` },
            body: { n },
          })),
        );
        await store.createMany(documents);
        await store.put({ table: `${opened.table}-other`, partition: 'elsewhere', sort: '1' }, {});
        const found = await toArray(store.partitions(opened.table));
        expect(names.filter((name) => !found.includes(name))).toEqual([]);
        expect(new Set(found).size).toBe(found.length);
        expect(found).not.toContain('elsewhere');
        expect(await toArray(store.partitions(`${opened.table}-other`))).toEqual(['elsewhere']);
      });

      it('finds none in a table that nobody has written to', async () => {
        expect(await toArray(store.partitions('untouched'))).toEqual([]);
        await expectCode(toArray(store.partitions('my table')), 'INPUT_INVALID');
      });
    });

    describe('createMany', () => {
      it('creates what is missing, leaves what is there, and says which', async () => {
        const key = partition();
        await store.put(key('3'), { old: true });
        await store.put(key('7'), { old: true });
        const flags = await store.createMany(
          Array.from({ length: 10 }, (_, n) => ({ key: key(`${n}`), body: { n } })),
        );
        expect(flags).toEqual(Array.from({ length: 10 }, (_, n) => n !== 3 && n !== 7));
        expect(await store.get(key('3'))).toMatchObject({ version: 1, body: { old: true } });
        expect(await store.get(key('4'))).toMatchObject({ version: 1, body: { n: 4 } });
      });

      it('does nothing for an empty list', async () => {
        expect(await store.createMany([])).toEqual([]);
      });

      it('creates a key that is in the list twice once', async () => {
        const key = partition();
        const flags = await store.createMany(
          [1, 2].map((n) => ({ key: key('twin'), body: { n } })),
        );
        expect([...flags].sort()).toEqual([false, true]);
        expect((await store.get(key('twin')))?.body).toEqual({ n: flags[0] === true ? 1 : 2 });
      });

      it('gives each document to exactly one of several writers at once', async () => {
        const key = partition();
        const flags = await inParallel(4, 4, (writer) => {
          const client = writer % 2 === 0 ? store : opened.peer;
          return client.createMany(
            Array.from({ length: 300 }, (_, n) => ({ key: key(`${n}`), body: { writer } })),
          );
        });
        const winners = Array.from(
          { length: 300 },
          (_, n) => flags.filter((own) => own[n] === true).length,
        );
        expect(new Set(winners)).toEqual(new Set([1]));
      });
    });

    describe('delete', () => {
      it('removes a document once and then has nothing to do', async () => {
        const key = partition()('gone');
        await store.put(key, {});
        await store.delete(key);
        expect(await store.get(key)).toBeUndefined();
        await store.delete(key);
        await opened.peer.delete(key);
        expect(await store.put(key, { again: true }, { expectedVersion: 0 })).toMatchObject({
          version: 1,
        });
      });

      it('removes many documents together, whether they are there or not', async () => {
        const key = partition();
        const keys = Array.from({ length: 40 }, (_, n) => key(String(n).padStart(2, '0')));
        await store.createMany(keys.slice(0, 30).map((one, n) => ({ key: one, body: { n } })));
        await removeDocuments(store, keys.slice(2));
        await removeDocuments(opened.peer, []);
        const { table, partition: own } = key('');
        expect(
          (await toArray(store.query({ table, partition: own }))).map(({ sort }) => sort),
        ).toEqual(['00', '01']);
      });
    });

    describe('keys', () => {
      it('may be as long as the port says, in any alphabet', async () => {
        const own = `${cases} ${'é'.repeat(200)}`;
        const key = {
          table: opened.table,
          partition: own.padEnd(512 - 200, 'p'),
          sort: '\u{1F600}'.repeat(128),
        };
        expect([key.partition, key.sort].map((part) => Buffer.byteLength(part))).toEqual([
          512, 512,
        ]);
        await store.put(key, { long: true });
        expect(await store.get(key)).toMatchObject({ ...key, body: { long: true } });
      });

      it.each([
        ['an empty partition', { partition: '' }],
        ['an empty sort key', { sort: '' }],
        ['a partition of 513 bytes', { partition: 'p'.repeat(513) }],
        ['a sort key of 514 bytes', { sort: 'é'.repeat(257) }],
        ['half a surrogate pair', { sort: 'a\uDE00' }],
        ['a table name with a space', { table: 'my table' }],
        ['an empty table name', { table: '' }],
      ])('with %s are refused everywhere', async (_, wrong) => {
        const key = { table: opened.table, partition: 'p', sort: 's', ...wrong };
        await expectCode(store.get(key), 'INPUT_INVALID');
        await expectCode(store.put(key, {}), 'INPUT_INVALID');
        await expectCode(store.delete(key), 'INPUT_INVALID');
        await expectCode(store.createMany([{ key, body: {} }]), 'INPUT_INVALID');
      });
    });
  });
}

function limitsInWords(limits: DocumentServerLimits): string {
  const words = [
    ...(limits.noCompareAndSet ? ['without compare-and-set'] : []),
    ...(limits.utf16Order ? ['in UTF-16 order'] : []),
  ];
  return words.length === 0 ? '' : ` (${words.join(', ')}: limits of this server)`;
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Read, add one, write if nobody was faster, else again; each conflict means that another writer
 * advanced.
 */
async function increment(store: DocumentStore, key: DocumentKey): Promise<void> {
  for (;;) {
    const found = await store.get<{ count: number }>(key);
    try {
      await store.put(key, { count: found!.body.count + 1 }, { expectedVersion: found!.version });
      return;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    }
  }
}

async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'PipelineError', code });
}
