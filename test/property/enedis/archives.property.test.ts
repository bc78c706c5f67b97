import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { readArchive } from '../../../src/datasets/enedis/decode/read-archive.ts';
import { causeOf } from '../../../src/datasets/enedis/decode/refusal.ts';
import { auditSequences } from '../../../src/datasets/enedis/decode/sequences.ts';
import { cents, decimal, euros, roundHalfAway } from '../../../src/datasets/enedis/model/exact.ts';
import { wholeKwh } from '../../../src/datasets/enedis/flux/registers.ts';
import { textAt } from '../../../src/datasets/enedis/flux/shape.ts';
import { put } from '../../fixtures/enedis-archives.ts';
import { KEY_16, KEY_32, OTHER_KEY, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'enedis-archives-'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

const NAME = 'E_X12_S_00001_20251006050823.zip';

async function read(bytes: Uint8Array, ring = [KEY_16, KEY_32]): Promise<string[]> {
  const file = await put(home, NAME, bytes);
  const ids: string[] = [];
  await readArchive(
    { path: file, name: parseArchiveName(file) as ArchiveName },
    { ring, scratch: home },
    (records) => {
      ids.push(...records.map(({ record }) => textAt(record, '@id') ?? ''));
    },
  );
  return ids;
}

function affairs(ids: readonly string[]): Buffer {
  const content = `<affaires>${ids.map((id) => `<affaire id="${id}"/>`).join('')}</affaires>`;
  return zip([{ name: 'a.xml', content }]);
}

const ids = fc.array(fc.stringMatching(/^[A-Za-z0-9]{1,12}$/), { maxLength: 30 });
const key = fc.constantFrom(KEY_16, KEY_32);
const iv = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('sealed archives', () => {
  it('give back what was put in, with either key and any iv', async () => {
    await fc.assert(
      fc.asyncProperty(ids, key, iv, async (list, sealing, own) => {
        expect(await read(seal(affairs(list), sealing, own))).toEqual(list);
      }),
      { numRuns: 60 },
    );
  });

  it('are refused as a whole wherever they are cut off, or with the wrong key', async () => {
    await fc.assert(
      fc.asyncProperty(
        ids,
        key,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (list, sealing, share) => {
          const sealed = seal(affairs(list), sealing);
          const cut = read(sealed.subarray(0, Math.floor(sealed.length * share)));
          await expect(
            cut.catch((error: unknown) => Promise.reject(new Error(causeOf(error)))),
          ).rejects.toThrow(/no_key|broken_zip/);
          await expect(read(sealed, [OTHER_KEY])).rejects.toThrow('no key opens it (other: ');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('end in a refusal, never in anything else, when any byte is another', async () => {
    await fc.assert(
      fc.asyncProperty(
        ids,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (list, at, change) => {
          const bytes = Buffer.from(affairs(list));
          const place = at % bytes.length;
          bytes[place] = (bytes[place] ?? 0) ^ change;
          const outcome = await read(bytes).then(
            (found) => found,
            (error: unknown) => causeOf(error) ?? String(error),
          );
          // Bytes that say nothing about the content, such as times, may change without a trace.
          if (typeof outcome !== 'string') expect(outcome).toEqual(list);
          else
            expect(outcome).toMatch(
              /^(no_key|broken_zip|too_large|unsafe_name|ill_formed|unknown_(name|root|version|class))$/,
            );
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('auditSequences', () => {
  it('finds in a run of numbers exactly those that were left out', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 2 }), (numbers) => {
        const sorted = [...numbers].sort((a, b) => a - b);
        const archives = sorted.map((number, index) => ({
          timestamp: String(20_250_101_000_000 + index),
          sequence: { key: 'k', number },
        }));
        const [audit] = auditSequences(archives);
        const missing = audit!.gaps.flatMap((gap) => {
          const [from = 0, to = from] = gap.split('-').map(Number);
          return Array.from({ length: to - from + 1 }, (_, index) => from + index);
        });
        const all = Array.from(
          { length: sorted.at(-1)! - sorted[0]! + 1 },
          (_, index) => sorted[0]! + index,
        );
        expect([...missing, ...sorted].sort((a, b) => a - b)).toEqual(all);
      }),
    );
  });
});

describe('exact amounts', () => {
  it('are rounded half away from zero, the same on both sides of it', () => {
    expect(euros(cents(decimal('10.205')))).toBe('10.21');
    expect(euros(cents(decimal('-1.029')))).toBe('-1.03');
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (n, d) => {
          const rounded = roundHalfAway({ numerator: n, denominator: d });
          const off = rounded * d - n;
          const size = off < 0n ? -off : off;
          expect(2n * size <= d).toBe(true);
          expect(roundHalfAway({ numerator: -n, denominator: d })).toBe(-rounded);
        },
      ),
    );
  });

  it('cut Wh to whole kWh towards −∞', () => {
    expect([wholeKwh('15670608', 'Wh'), wholeKwh('-1999', 'Wh'), wholeKwh('10.0', 'kWh')]).toEqual([
      15_670, -2, 10,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), (wh) => {
        expect(wholeKwh(String(wh), 'Wh')).toBe(Math.floor(wh / 1_000));
      }),
    );
  });
});
