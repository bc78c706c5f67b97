import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/errors.ts';
import { MAX_KEY_BYTES } from '../../src/storage/shared/object-key.ts';
import type { ObjectBody, ObjectStore, PutOptions } from '../../src/ports/objects.ts';
import {
  MIB,
  collect,
  collectText,
  failingStream,
  inParallel,
  measure,
  patternBytes,
  patternStream,
  sha256Of,
  toArray,
} from './byte-streams.ts';

export interface OpenedObjectStore {
  readonly store: ObjectStore;
  /**
   * A second client of the same objects, as another process would have; the same one where there
   * can be no other.
   */
  readonly peer: ObjectStore;
  close(): Promise<void>;
}

const CREATE: PutOptions = { mode: 'create', mediaType: 'application/octet-stream' };
const REPLACE: PutOptions = { mode: 'replace', mediaType: 'application/octet-stream' };

/**
 * What every object store must do, over the port alone. `open` gives an empty store; each case
 * keeps to a prefix of its own.
 */
export function objectStoreConformance(name: string, open: () => Promise<OpenedObjectStore>): void {
  describe(`${name} as an object store`, { timeout: 120_000 }, () => {
    let opened: OpenedObjectStore;
    let store: ObjectStore;
    let folder: string;
    let cases = 0;
    const prefix = (): string => {
      cases += 1;
      return `case-${cases}/`;
    };
    const text = async (key: string): Promise<string> => collectText(await store.get(key));

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
      folder = await mkdtemp(path.join(tmpdir(), 'quotidien-objects-'));
    });
    afterAll(async () => {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    });

    describe('bodies', () => {
      it('says what it stored', async () => {
        const key = `${prefix()}a.txt`;
        const ref = await store.put(key, Buffer.from('daily'), {
          mode: 'create',
          mediaType: 'text/plain',
        });
        expect(ref).toEqual({ key, sha256: sha256Of('daily'), bytes: 5, mediaType: 'text/plain' });
        expect(await store.head(key)).toMatchObject({ key, bytes: 5 });
        expect(await text(key)).toBe('daily');
      });

      it.each([0, 1])('keeps a stream of %i bytes', async (bytes) => {
        const key = `${prefix()}small`;
        const content = Buffer.alloc(bytes, 7);
        async function* one(): AsyncGenerator<Uint8Array> {
          await Promise.resolve();
          yield content;
        }
        const ref = await store.put(key, one(), CREATE);
        expect(ref).toMatchObject({ bytes, sha256: sha256Of(content) });
        expect(await collect(await store.get(key))).toEqual(content);
        expect(await store.openLocal(ref)).toBeDefined();
      });

      it('keeps a stream of 64 MiB whose producer uses one buffer again and again', async () => {
        const key = `${prefix()}large`;
        const expected = await measure(patternStream(64, MIB));
        const ref = await store.put(key, patternStream(64, MIB), CREATE);
        expect(ref).toMatchObject(expected);
        const stream = await store.get(key);
        expect(await measure(stream!)).toEqual(expected);
        const across = await store.get(key, { start: 5 * MIB - 3, end: 5 * MIB + 4 });
        expect(await collect(across)).toEqual(patternBytes(MIB, 5 * MIB - 3, 5 * MIB + 4));
      });

      it('keeps a local file and leaves it where it is', async () => {
        const key = `${prefix()}copied`;
        const local = path.join(folder, 'local.bin');
        const content = patternBytes(MIB, 0, 3 * MIB + 17);
        await writeFile(local, content);
        expect(await store.put(key, { path: local }, CREATE)).toMatchObject({
          bytes: content.length,
          sha256: sha256Of(content),
        });
        expect(await measure((await store.get(key))!)).toMatchObject({ sha256: sha256Of(content) });
        expect(sha256Of(await readFile(local))).toBe(sha256Of(content));
      });

      it('refuses a local file that is not there', async () => {
        const key = `${prefix()}missing`;
        await expectCode(
          store.put(key, { path: path.join(folder, 'nobody') }, CREATE),
          'INPUT_INVALID',
        );
        expect(await store.head(key)).toBeUndefined();
      });

      it('leaves nothing visible when the body fails midway, and passes its error on', async () => {
        const at = prefix();
        const body = (): ObjectBody =>
          failingStream(
            [Buffer.alloc(6 * MIB), Buffer.alloc(MIB)],
            new PipelineError('SRC_TRUNCATED', 'cut off'),
          );
        await expectCode(store.put(`${at}new`, body(), CREATE), 'SRC_TRUNCATED');
        await expectCode(store.put(`${at}new`, body(), REPLACE), 'SRC_TRUNCATED');
        expect(await toArray(store.list(at))).toEqual([]);
        expect(await store.get(`${at}new`)).toBeUndefined();
        await store.put(`${at}old`, Buffer.from('before'), CREATE);
        await expectCode(store.put(`${at}old`, body(), REPLACE), 'SRC_TRUNCATED');
        expect(await text(`${at}old`)).toBe('before');
      });
    });

    describe('create and replace', () => {
      it('refuses to create a key that exists and leaves its bytes', async () => {
        const key = `${prefix()}once`;
        await store.put(key, Buffer.from('first'), CREATE);
        await expectCode(store.put(key, Buffer.from('second'), CREATE), 'STORE_CONFLICT');
        await expectCode(opened.peer.put(key, Buffer.from('third'), CREATE), 'STORE_CONFLICT');
        expect(await text(key)).toBe('first');
      });

      it('lets exactly one of 16 concurrent creators win, in each of 20 rounds', async () => {
        const at = prefix();
        for (let round = 0; round < 20; round += 1) {
          const key = `${at}round-${round}`;
          const results = await Promise.allSettled(
            Array.from({ length: 16 }, (_, writer) => {
              const client = writer % 2 === 0 ? store : opened.peer;
              return client.put(key, Buffer.from(`writer ${writer}`), CREATE);
            }),
          );
          const winners = results.flatMap((result, writer) =>
            result.status === 'fulfilled' ? [writer] : [],
          );
          const codes = results.flatMap((result) =>
            result.status === 'rejected' ? [codeOf(result.reason)] : [],
          );
          expect(winners).toHaveLength(1);
          expect(new Set(codes)).toEqual(new Set(['STORE_CONFLICT']));
          expect(await text(key)).toBe(`writer ${winners[0]}`);
        }
      });

      it('creates with replace what does not exist, and replaces what does', async () => {
        const key = `${prefix()}published`;
        await store.put(key, Buffer.from('one'), REPLACE);
        expect(await text(key)).toBe('one');
        await opened.peer.put(key, Buffer.from('three'), REPLACE);
        expect(await text(key)).toBe('three');
        expect(await store.head(key)).toMatchObject({ bytes: 5 });
      });

      it('lets a fenced writer replace a name, and refuses one whose version is not the newest any more', async () => {
        const key = `${prefix()}fenced`;
        let newest = 1;
        const put = (of: ObjectStore, version: number, body = `version ${version}`) =>
          of.put(key, Buffer.from(body), {
            ...REPLACE,
            fence: { version, holds: () => Promise.resolve(newest === version) },
          });
        await put(store, 1);
        await put(opened.peer, 1, 'once more');
        newest = 2;
        await expect(put(store, 1)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
        expect(await text(key)).toBe('once more');
        await put(opened.peer, 2);
        expect(await text(key)).toBe('version 2');
        const old = { version: 1, holds: () => Promise.resolve(false) };
        await expect(store.delete(key, { fence: old })).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        expect(await text(key)).toBe('version 2');
        await store.delete(key, { fence: { version: 2, holds: () => Promise.resolve(true) } });
        expect(await store.head(key)).toBeUndefined();
      });

      it.each(['new', 'replaced'])(
        'refuses a fenced writer of a %s name that stood still between its look and its write',
        async (kind) => {
          const key = `${prefix()}late`;
          if (kind === 'replaced') await store.put(key, Buffer.from('version 0'), REPLACE);
          let newest = 1;
          const holds = (version: number) => (): Promise<boolean> =>
            Promise.resolve(newest === version);
          const late = store.put(key, Buffer.from('version 1'), {
            ...REPLACE,
            fence: {
              version: 1,
              holds: async () => {
                if (newest === 2) return false;
                newest = 2;
                const fence = { version: 2, holds: holds(2) };
                await opened.peer.put(key, Buffer.from('version 2'), { ...REPLACE, fence });
                // What it saw before the other writer came.
                return true;
              },
            },
          });
          await expect(late).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
          expect(await text(key)).toBe('version 2');
        },
      );

      it('changes the etag with the bytes, also when their number stays', async () => {
        const key = `${prefix()}etag`;
        const etags = new Set<string>();
        for (let content = 0; content < 20; content += 1) {
          await store.put(key, Buffer.from(`content ${String(content).padStart(2, '0')}`), REPLACE);
          etags.add((await store.head(key))!.etag);
        }
        expect(etags.size).toBe(20);
        expect((await toArray(store.list(key)))[0]).toEqual(await store.head(key));
      });

      it('never gives a mixture of the old and the new bytes to a reader', async () => {
        const key = `${prefix()}swapped`;
        const contents = ['a', 'b'].map((letter) => Buffer.alloc(4 * MIB, letter));
        await store.put(key, contents[0]!, REPLACE);
        for (let round = 1; round <= 8; round += 1) {
          const stream = await store.get(key);
          const seen = new Set<number>();
          let replacing: Promise<unknown> | undefined;
          for await (const chunk of stream!) {
            replacing ??= opened.peer.put(key, contents[round % 2]!, REPLACE);
            for (const at of [0, chunk.length >> 1, chunk.length - 1]) seen.add(chunk[at]!);
            if (seen.size === 1) await replacing;
          }
          expect(seen.size).toBe(1);
        }
      });
    });

    describe('get and head', () => {
      it('know nothing of a key that does not exist', async () => {
        const key = `${prefix()}nothing/here`;
        expect(await store.get(key)).toBeUndefined();
        expect(await store.get(key, { start: 3 })).toBeUndefined();
        expect(await store.head(key)).toBeUndefined();
        expect(await store.openLocal({ key, sha256: sha256Of(''), bytes: 0 })).toBeUndefined();
      });

      it('know nothing of a folder', async () => {
        const at = prefix();
        await store.put(`${at}folder/file`, Buffer.from('x'), CREATE);
        expect(await store.get(`${at}folder`)).toBeUndefined();
        expect(await store.head(`${at}folder`)).toBeUndefined();
        await store.delete(`${at}folder`);
        expect(await text(`${at}folder/file`)).toBe('x');
      });

      it.each([
        [{ start: 0 }, '0123456789'],
        [{ start: 4 }, '456789'],
        [{ start: 2, end: 5 }, '234'],
        [{ start: 9, end: 10 }, '9'],
        [{ start: 8, end: 400 }, '89'],
        [{ start: 10 }, ''],
        [{ start: 99 }, ''],
        [{ start: 99, end: 100 }, ''],
        [{ start: 3, end: 3 }, ''],
      ])('reads the range %o', async (range, expected) => {
        const key = 'ranges/digits';
        if ((await store.head(key)) === undefined)
          await store.put(key, Buffer.from('0123456789'), CREATE);
        expect(await collectText(await store.get(key, range))).toBe(expected);
      });

      it('reads any range of an empty object as empty', async () => {
        const key = `${prefix()}empty`;
        await store.put(key, new Uint8Array(), CREATE);
        expect(await collectText(await store.get(key))).toBe('');
        expect(await collectText(await store.get(key, { start: 0, end: 1 }))).toBe('');
        expect(await collectText(await store.get(key, { start: 5 }))).toBe('');
      });

      it.each([{ start: -1 }, { start: 1.5 }, { start: 4, end: 3 }, { start: 0, end: Number.NaN }])(
        'refuses the range %o',
        async (range) => {
          const key = `${prefix()}bad-range`;
          await store.put(key, Buffer.from('x'), CREATE);
          await expectCode(store.get(key, range), 'INPUT_INVALID');
        },
      );
    });

    describe('list', () => {
      it('gives 1,100 keys in byte order, and only those of the prefix', async () => {
        const at = prefix();
        const keys = Array.from(
          { length: 1_100 },
          (_, n) => `${at}days/${n % 7}/${String(n).padStart(4, '0')}.json`,
        );
        await inParallel(keys.length, 16, (n) =>
          store.put(keys[n]!, Buffer.from(String(n)), CREATE),
        );
        await store.put(`${at}days-other`, Buffer.from('x'), CREATE);
        const listed = (await toArray(store.list(`${at}days/`))).map(({ key }) => key);
        expect(listed).toEqual(keys.sort());
        expect(await toArray(store.list(`${at}days/3/12`))).toHaveLength(
          keys.filter((key) => key.includes('/3/12')).length,
        );
      });

      it('sorts whole keys by bytes, across folders and alphabets', async () => {
        const at = prefix();
        const names = [
          'a-b/c',
          'a/b',
          'a.txt',
          'a0',
          'A',
          'a/b0',
          'é',
          'z',
          '\u{1F600}/x',
          '\uFFFD',
          '\uE000',
          '~',
          'a b',
          'a+b%2F',
        ];
        for (const name of names) await store.put(at + name, Buffer.from(name), CREATE);
        const inOrder = names
          .map((name) => Buffer.from(at + name))
          .sort((a, b) => Buffer.compare(a, b));
        expect((await toArray(store.list(at))).map(({ key }) => key)).toEqual(inOrder.map(String));
        for (const name of names) expect(await text(at + name)).toBe(name);
      });

      it('takes a prefix that ends within a part', async () => {
        const at = prefix();
        for (const name of ['2024-01/a', '2024-01/b', '2024-02/a', '2024']) {
          if (name !== '2024') await store.put(at + name, Buffer.from(name), CREATE);
        }
        const found = async (from: string): Promise<string[]> =>
          (await toArray(store.list(at + from))).map(({ key }) => key.slice(at.length));
        expect(await found('2024-0')).toEqual(['2024-01/a', '2024-01/b', '2024-02/a']);
        expect(await found('2024-01')).toEqual(['2024-01/a', '2024-01/b']);
        expect(await found('2024-01/b')).toEqual(['2024-01/b']);
        expect(await found('2025')).toEqual([]);
        expect(await found('nothing/at/all')).toEqual([]);
      });

      it('stops early without harm', async () => {
        const at = prefix();
        await inParallel(5, 5, (n) => store.put(`${at}${n}`, Buffer.from('x'), CREATE));
        for await (const { key } of store.list(at)) {
          expect(key).toBe(`${at}0`);
          break;
        }
      });
    });

    describe('keys', () => {
      it('may be as long as the port says', async () => {
        const at = prefix();
        const longest = [
          at + 'é'.repeat(120) + 'x'.repeat(255 - 240),
          'b'.repeat(255),
          'c'.repeat(255),
        ].join('/');
        const parts = [
          ...at.split('/').slice(0, -1),
          'é'.repeat(127) + 'x',
          'b'.repeat(255),
          'c'.repeat(255),
        ];
        const key = `${parts.join('/')}/`;
        const full = key + 'd'.repeat(MAX_KEY_BYTES - Buffer.byteLength(key));
        expect(Buffer.byteLength(full)).toBe(MAX_KEY_BYTES);
        for (const long of [longest, full]) {
          await store.put(long, Buffer.from('long'), CREATE);
          expect(await text(long)).toBe('long');
        }
        expect((await toArray(store.list(key))).map((head) => head.key)).toEqual([full]);
      });

      it.each([
        ['empty', ''],
        ['an empty part', 'a//b'],
        ['a leading slash', '/a'],
        ['a trailing slash', 'a/'],
        ['a dot', 'a/./b'],
        ['two dots', '../a'],
        ['a backslash', 'a\\b'],
        ['a NUL', 'a\0b'],
        ['half a surrogate pair', 'a\uD83D'],
        ['a part of 256 bytes', 'é'.repeat(128)],
        ['1,001 bytes', `${'a'.repeat(250)}/`.repeat(3) + 'b'.repeat(248)],
        ['the staging folder', '.incoming/x'],
        ['the folder of dictionaries', '.dictionaries/x'],
      ])('that are %s are refused everywhere', async (_, key) => {
        await expectCode(store.put(key, Buffer.from('x'), CREATE), 'INPUT_INVALID');
        await expectCode(store.get(key), 'INPUT_INVALID');
        await expectCode(store.head(key), 'INPUT_INVALID');
        await expectCode(store.delete(key), 'INPUT_INVALID');
        await expectCode(store.openLocal({ key, sha256: '', bytes: 0 }), 'INPUT_INVALID');
      });

      it.each(['../', 'a/../b', 'a//b', '/a', 'a\\b', 'a\0', '.incoming/'])(
        'refuses to list the prefix %j',
        async (bad) => {
          await expectCode(toArray(store.list(bad)), 'INPUT_INVALID');
        },
      );
    });

    describe('delete', () => {
      it('removes an object once and then has nothing to do', async () => {
        const key = `${prefix()}deep/down/gone`;
        await store.put(key, Buffer.from('x'), CREATE);
        await store.delete(key);
        expect(await store.head(key)).toBeUndefined();
        expect(await store.get(key)).toBeUndefined();
        await store.delete(key);
        await opened.peer.delete(key);
        await store.put(key, Buffer.from('again'), CREATE);
        expect(await text(key)).toBe('again');
      });

      it('does not disturb those who put into the same folder', async () => {
        const at = prefix();
        await inParallel(200, 16, async (n) => {
          const client = n % 2 === 0 ? store : opened.peer;
          await client.put(`${at}shared/${n}`, Buffer.from('x'), CREATE);
          if (n % 5 !== 0) await client.delete(`${at}shared/${n}`);
        });
        expect(await toArray(store.list(at))).toHaveLength(40);
      });
    });

    describe('openLocal', () => {
      it('gives a file with exactly the bytes of the artefact, every time', async () => {
        const key = `${prefix()}day.parquet`;
        const rows = 'rows '.repeat(100);
        const ref = await store.put(key, Buffer.from(rows), CREATE);
        for (let open = 0; open < 3; open += 1) {
          const local = await store.openLocal(ref);
          expect(await readFile(local!, 'utf8')).toBe(rows);
        }
        expect(await readFile((await opened.peer.openLocal(ref))!, 'utf8')).toBe(rows);
      });

      it('refuses bytes with another hash or length', async () => {
        const key = `${prefix()}day.parquet`;
        const ref = await store.put(key, Buffer.from('rows'), CREATE);
        await store.openLocal(ref);
        await expectCode(store.openLocal({ ...ref, sha256: sha256Of('lies') }), 'STORE_CORRUPT');
        await expectCode(store.openLocal({ ...ref, bytes: 5 }), 'STORE_CORRUPT');
      });

      it('reads a fresh file from the store itself, and finds what became of the object since', async () => {
        const key = `${prefix()}${sha256Of('rows')}.parquet`;
        const ref = await store.put(key, Buffer.from('rows'), CREATE);
        expect(await readFile((await store.openLocal(ref, { fresh: true }))!, 'utf8')).toBe('rows');
        await opened.peer.put(key, Buffer.from('lies'), REPLACE);
        await expectCode(store.openLocal(ref, { fresh: true }), 'STORE_CORRUPT');
        await opened.peer.delete(key);
        expect(await store.openLocal(ref, { fresh: true })).toBeUndefined();
      });

      it('never gives other bytes, after the object was replaced by as many', async () => {
        const key = `${prefix()}day.parquet`;
        const ref = await store.put(key, Buffer.from('rows'), CREATE);
        await store.openLocal(ref);
        await opened.peer.put(key, Buffer.from('lies'), REPLACE);
        for (const client of [store, opened.peer]) {
          // A store that keeps copies by their hash may still have the right one.
          const local = await client.openLocal(ref).catch((error: unknown) => codeOf(error));
          const given =
            typeof local === 'string' && local.startsWith('/')
              ? await readFile(local, 'utf8')
              : local;
          expect(['rows', 'STORE_CORRUPT']).toContain(given);
        }
      });
    });

    describe('inspect', () => {
      it('says what the store itself has now, whoever changed it', async () => {
        const key = `${prefix()}${sha256Of('rows')}.parquet`;
        const ref = { key, sha256: sha256Of('rows'), bytes: 4 };
        expect(await store.inspect(ref)).toEqual({ state: 'missing' });
        await store.put(key, Buffer.from('rows'), CREATE);
        await store.openLocal(ref);
        expect(await store.inspect(ref)).toEqual({ state: 'intact' });
        expect(await opened.peer.inspect(ref)).toEqual({ state: 'intact' });
        await opened.peer.put(key, Buffer.from('lies'), REPLACE);
        expect(await store.inspect(ref)).toEqual({ state: 'damaged' });
        await opened.peer.put(key, Buffer.from('cut'), REPLACE);
        expect(await store.inspect(ref)).toEqual({ state: 'damaged' });
        await opened.peer.delete(key);
        expect(await store.inspect(ref)).toEqual({ state: 'missing' });
      });

      it('knows an object without bytes', async () => {
        const ref = await store.put(`${prefix()}empty`, new Uint8Array(), CREATE);
        expect(await store.inspect(ref)).toEqual({ state: 'intact' });
      });

      it('refuses keys that no store can hold', async () => {
        await expectCode(store.inspect({ key: '../a', sha256: '', bytes: 0 }), 'INPUT_INVALID');
      });
    });
  });
}

async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'PipelineError', code });
}

function codeOf(reason: unknown): unknown {
  return (reason as { code?: unknown }).code;
}
