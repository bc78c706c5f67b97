import { describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../../../src/pipelines/ledger.ts';
import { madeOf } from '../../../src/pipelines/made-of.ts';
import { inputHash } from '../../../src/pipelines/step-key.ts';

type Given = Pick<LedgerEntry, 'scope' | 'step' | 'inputs'> & { readonly gives: readonly string[] };

function entry({ scope, step, inputs, gives }: Given): LedgerEntry {
  const outputs: Record<string, unknown> = {};
  for (const sha256 of gives) {
    outputs[sha256] = {
      key: `${step}/date=${scope}/${sha256}`,
      sha256,
      bytes: 1,
      mediaType: 'text/plain',
    };
  }
  return { scope, step, inputs, outputs, facts: {}, checks: [] } as unknown as LedgerEntry;
}

const slice = entry({
  scope: '2024-01-01',
  step: 'download/a',
  inputs: { slice: ['s'] },
  gives: ['s'],
});
const table = entry({
  scope: '2024-01-01',
  step: 'transform/a',
  inputs: { slice: ['s'] },
  gives: ['t', 'empty'],
});
const month = entry({
  scope: '2024-01',
  step: 'rollup/month',
  inputs: { days: ['t', 'u'] },
  gives: ['m'],
});
const other = entry({
  scope: '2024-01-02',
  step: 'transform/a',
  inputs: { slice: ['v'] },
  gives: ['u', 'empty'],
});

function of(
  entries: readonly LedgerEntry[],
  withFacts: readonly LedgerEntry['step'][] = [],
): string[] {
  const { objects } = madeOf(entries, new Set(['s']), new Set(withFacts));
  return objects.map(({ sha256 }) => sha256).sort();
}

describe('what was made of a slice', () => {
  it('is everything that read it, by whatever way and in whatever order it is looked at', () => {
    expect(of([month, table, slice, other])).toEqual(['m', 's', 't']);
    expect(madeOf([month, table, slice, other], new Set(['s']), new Set()).entries).not.toContain(
      other,
    );
  });

  it('is not what a step without it gave as well', () => {
    expect(of([slice, table])).toContain('empty');
    expect(of([slice, table, other])).not.toContain('empty');
  });

  it('is also what has the same bytes as its source', () => {
    // A history of one month is that month.
    const history = entry({
      scope: 'all',
      step: 'rollup/history',
      inputs: { months: ['m'] },
      gives: ['m'],
    });
    const later = entry({
      scope: '2024',
      step: 'rollup/year',
      inputs: { history: ['m'] },
      gives: ['y'],
    });
    expect(of([slice, table, month, history, later, other])).toEqual(['m', 'm', 's', 't', 'y']);
  });

  it('ends where a step gave the same as it does without it, and what reads that is free of it too', () => {
    const early = entry({
      scope: '2024-01-01',
      step: 'metrics/a',
      inputs: { table: ['empty'] },
      gives: ['e'],
    });
    expect(of([slice, table, early])).toContain('e');
    expect(of([slice, table, early, other])).not.toContain('e');
  });

  it('goes on where facts are read, though the output is the same', () => {
    const counted = { ...table, facts: { rows: 3 } };
    const hash = inputHash('empty', counted);
    const reader = entry({
      scope: '2024-01-01',
      step: 'metrics/a',
      inputs: { table: [hash] },
      gives: ['f'],
    });
    expect(of([slice, counted, reader, other], ['transform/a'])).toContain('f');
  });
});
