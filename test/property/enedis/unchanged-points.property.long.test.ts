import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { makeHistory, previousOf, writeDeliveries } from '../../fixtures/enedis-history.ts';
import type { Deliveries } from '../../fixtures/enedis-history.ts';
import { randomSupplier } from '../../fixtures/enedis-random.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

const CONTRACTS = 8;
const FLUX = ['c15', 'r151', 'r64'] as const;
type Flux = (typeof FLUX)[number];
type Row = SupplierRows['c15'][number];

/** The rows of a supplier with a delivery and document of their own, as archives bring them. */
function delivered(rows: SupplierRows, at: string, document: string): SupplierRows {
  const of = (list: readonly Row[], flux: string): Row[] =>
    list.map((row) => ({
      ...row,
      archive: `${at}.zip`,
      archive_sha256: at,
      archive_timestamp: at,
      document: `${flux}-${document}`,
    }));
  return {
    ...rows,
    c15: of(rows.c15, 'c15'),
    r151: of(rows.r151, 'r151'),
    r64: of(rows.r64, 'r64'),
  };
}

function only(flux: Flux, rows: readonly Row[]): SupplierRows {
  return { c15: [], r151: [], r64: [], c12: [], depassements: [], [flux]: [...rows] };
}

function joined(one: SupplierRows, other: SupplierRows): SupplierRows {
  return {
    ...one,
    ...Object.fromEntries(FLUX.map((flux) => [flux, [...one[flux], ...other[flux]]])),
  };
}

/** Points may share a contract, as after a mistake of the distributor. */
function sharing(rows: SupplierRows, isShared: boolean): SupplierRows {
  if (!isShared) return rows;
  const [first, second] = [...new Set(rows.c15.map((row) => String(row['pdl'])))];
  const rename = (row: Row): Row =>
    row['pdl'] === second ? { ...row, ref_situation_contractuelle: `R${first}` } : row;
  return { ...rows, c15: rows.c15.map(rename) };
}

const change = fc.record({
  kind: fc.constantFrom('late', 'corrected', 'withdrawn', 'redelivered', 'forgotten'),
  flux: fc.constantFrom<Flux>('c15', 'r151', 'r64'),
  seed: fc.integer({ min: 0, max: 1_000 }),
  place: fc.nat(10_000),
  isShared: fc.boolean(),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** Months of deliveries before and after. */
interface Case {
  readonly before: Deliveries;
  readonly after: Deliveries;
}

/**
 * The deliveries before and after something came late, was corrected, withdrawn, delivered again or
 * forgotten.
 */
function deliveries({ kind, flux, seed, place, isShared }: Change): Case {
  const all = sharing(randomSupplier(CONTRACTS, seed), isShared);
  const given = { '2025-08': { ...only('c15', []), depassements: all.depassements } };
  const { before, after } = changed({ kind, flux, place }, all);
  return { before: { ...given, ...before }, after: { ...given, ...after } };
}

function changed(
  { kind, flux, place }: Omit<Change, 'seed' | 'isShared'>,
  all: SupplierRows,
): Case {
  const older = delivered({ ...all, r64: [], depassements: [] }, '20250901050000', 'a');
  const newer = delivered(only('r64', all.r64), '20251002050000', 'b');
  const list = (flux === 'r64' ? newer : older)[flux];
  const row = list[place % Math.max(1, list.length)] ?? {};
  const without = (rows: SupplierRows, drop: (one: Row) => boolean): SupplierRows => ({
    ...rows,
    ...Object.fromEntries(FLUX.map((name) => [name, rows[name].filter((one) => !drop(one))])),
  });
  const before = { '2025-09': older, '2025-10': newer };
  const late = (rows: readonly Row[], document: string): SupplierRows =>
    joined(newer, delivered(only(flux, rows), '20251015050000', document));
  const register = Object.keys(row).find(
    (name) => name.includes('index_') && typeof row[name] === 'number',
  );
  const other = register === undefined ? row : { ...row, [register]: Number(row[register]) + 1 };
  switch (kind) {
    case 'late':
      return {
        before: {
          '2025-09': without(older, (one) => one === row),
          '2025-10': without(newer, (one) => one === row),
        },
        after: { '2025-09': without(older, (one) => one === row), 'late-10': late([row], 'c') },
      };
    case 'corrected':
      return { before, after: { '2025-09': older, 'late-10': late([other], 'c') } };
    case 'redelivered':
      // The document of all rows comes once more with one point alone: the rows of all others are
      // gone.
      return { before, after: { '2025-09': older, 'late-10': late([other], 'a') } };
    case 'withdrawn':
      return {
        before,
        after: {
          'less-09': without(older, (one) => one === row),
          'less-10': without(newer, (one) => one === row),
        },
      };
    case 'forgotten':
      return {
        before,
        after: {
          'less-09': without(older, (one) => one['pdl'] === row['pdl']),
          'less-10': without(newer, (one) => one['pdl'] === row['pdl']),
        },
      };
  }
}

let runs = 0;

describe('a history that goes on from its newest version', () => {
  it('has the bytes of one that is made from everything, whatever came, changed or went', async () => {
    const gone = { partly: 0 };
    await fc.assert(
      fc.asyncProperty(change, async (one) => {
        const { before, after } = deliveries(one);
        await engine.session(async (sql) => {
          runs += 1;
          const folder = path.join(engine.folder, String(runs));
          const then = await makeHistory(
            sql,
            await writeDeliveries(sql, folder, before, '20251101'),
          );
          await engine.session(async (other) => {
            const now = await writeDeliveries(other, folder, after, '20251101');
            const whole = await engine.session((fresh) => makeHistory(fresh, now));
            const part = await makeHistory(other, now, previousOf(then, now));
            expect(part.hashes).toEqual(whole.hashes);
            expect(part.result.checks).toEqual(whole.result.checks);
            expect(part.result.facts).toEqual(whole.result.facts);
            if (part.told.some((note) => note.endsWith('are made again'))) gone.partly += 1;
          });
        });
      }),
      { numRuns: 20, seed: 11 },
    );
    expect(gone.partly).toBeGreaterThan(10);
  }, 600_000);
});
