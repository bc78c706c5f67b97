import { describe, expect, it } from 'vitest';
import {
  checkResult,
  csvText,
  flatTable,
  headerReader,
  plainName,
} from '../../../src/datasets/kit/index.ts';

describe('headerReader', () => {
  const reader = headerReader([
    { name: 'at', aliases: ['Date et heure', 'date_heure'], title: 'instant' },
    { name: 'load', aliases: ['Consommation'] },
  ]);

  it('finds columns by any alias, without case, accents and punctuation, and lists those it does not know', () => {
    const header = reader.read(['CONSOMMATION', 'date - heure', 'Autre'], 'the file');
    expect([...header.known]).toEqual([
      ['load', 'CONSOMMATION'],
      ['at', 'date - heure'],
    ]);
    expect(header.unknown).toEqual(['Autre']);
    expect(plainName("Taux d'occupation (%)")).toBe('tauxdoccupation');
  });

  it('refuses two columns of one meaning, and names a column that is missed with what is there', () => {
    expect(() => reader.read(['load', 'Consommation'], 'the file')).toThrow(/two columns for load/);
    const header = reader.read(['load', 'x'], 'the file');
    expect(() => reader.require(header, 'at', 'the file')).toThrow(
      'has no column at (instant); its columns are "load", "x"',
    );
  });
});

describe('csvText', () => {
  it('quotes what would end a field or a row, doubles quotes, and leaves null empty', () => {
    const rows = [
      ['a;b', 'say "x"', 'line\nend', null, 1.5],
      ['plain', '', ',', 'tab\t', 0],
    ];
    expect(csvText(rows)).toBe('"a;b";"say ""x""";"line\nend";;1.5\nplain;;,;tab\t;0\n');
    expect(csvText([['a,b', 'c;d']], { delimiter: ',', lineEnd: '\r\n' })).toBe('"a,b",c;d\r\n');
  });
});

describe('checkResult', () => {
  it('counts all failing rows and keeps three of them for a person', () => {
    const failing = [1, 2, 3, 4].map((row) => ({ row }));
    const result = checkResult({ id: 'grid', title: 'on the grid', severity: 'hold' }, 9, failing);
    expect(result).toEqual({
      check: 'grid',
      severity: 'hold',
      tested: 9,
      failed: 4,
      examples: failing.slice(0, 3),
    });
  });
});

describe('flatTable', () => {
  it('takes each value from its row', () => {
    const table = flatTable<{ at: string; mw: number }>(
      [
        { name: 'at', type: 'instant', valueOf: ({ at }) => at },
        { name: 'mw', type: 'number', valueOf: ({ mw }) => mw },
      ],
      [{ at: '2024-01-15T00:00:00Z', mw: 3 }],
    );
    expect(table.columns).toEqual([
      { name: 'at', type: 'instant' },
      { name: 'mw', type: 'number' },
    ]);
    expect(table.rows).toEqual([['2024-01-15T00:00:00Z', 3]]);
  });
});
