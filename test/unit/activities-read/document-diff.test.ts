import { describe, expect, it } from 'vitest';
import { MAX_CHANGES, diffDocuments, valueChanges } from '../../../src/pipelines/document-diff.ts';

describe('diffDocuments', () => {
  it('finds nothing in equal documents whatever the order of their members', () => {
    const diff = diffDocuments({ a: 1, b: { c: [1, null] } }, { b: { c: [1, null] }, a: 1 });
    expect(diff).toEqual({ added: 0, removed: 0, changed: 0, changes: [] });
  });

  it('names a changed leaf by its path, with the difference of numbers', () => {
    const diff = diffDocuments({ load: { mwh: [10, 20] } }, { load: { mwh: [10, 25.5] } });
    expect(diff.changes).toEqual([
      { path: 'load.mwh[1]', before: 20, after: 25.5, difference: 5.5 },
    ]);
  });

  it('tells null from absent', () => {
    const diff = diffDocuments({ a: null, b: 1 }, { b: 1, c: null });
    expect(diff).toMatchObject({ added: 1, removed: 1, changed: 0 });
    expect(diff.changes).toEqual([
      { path: 'a', before: null },
      { path: 'c', after: null },
    ]);
  });

  it('puts the largest numeric change first, and others in the order of the document', () => {
    const diff = diffDocuments({ a: 'x', b: 1, c: 'y', d: 100 }, { a: 'z', b: 3, c: 'w', d: 50 });
    expect(diff.changes.map(({ path }) => path)).toEqual(['d', 'b', 'a', 'c']);
  });

  it('keeps a bounded number of changes and counts all of them', () => {
    const list = (offset: number): number[] =>
      Array.from({ length: 500 }, (_, index) => index + offset);
    const diff = diffDocuments({ list: list(0) }, { list: list(1) });
    expect(diff.changed).toBe(500);
    expect(diff.changes).toHaveLength(MAX_CHANGES);
  });

  it('takes an object that became a list for what it is', () => {
    expect(valueChanges({ a: {} }, { a: [] })).toEqual([{ path: 'a', before: {}, after: [] }]);
    expect(valueChanges({ a: { b: 1 } }, { a: 7 })).toEqual([
      { path: 'a.b', before: 1 },
      { path: 'a', after: 7 },
    ]);
  });

  it('leaves out the noise of decimals', () => {
    expect(valueChanges(0.1, 0.3)).toEqual([
      { path: '', before: 0.1, after: 0.3, difference: 0.2 },
    ]);
  });

  it.each([
    [1_657_710.68, 1_657_710.75, 0.07],
    [60_000, 60_000.07, 0.07],
    [1e-9, 3e-9, 2e-9],
    [1e21, 1e21 + 2 ** 18, 2 ** 18],
  ])('subtracts %d from %d with the places that both have', (before, after, difference) => {
    expect(valueChanges(before, after)).toEqual([{ path: '', before, after, difference }]);
  });
});
