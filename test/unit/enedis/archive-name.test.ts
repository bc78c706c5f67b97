import { describe, expect, it } from 'vitest';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { auditCounters, auditSequences } from '../../../src/datasets/enedis/decode/sequences.ts';

const TS = '20251006050823';

describe('parseArchiveName', () => {
  it.each([
    [`17XEMIT0_C15_17XSUPP0_GRD-F_0327_00042_${TS}.zip`, 'C15', 'C15/GRD-F/0327', 42],
    [`17XEMIT0_R15_17XSUPP0_GRD-F_0327_00001_${TS}.zip`, 'R15', 'R15/GRD-F/0327', 1],
    [
      `17XEMIT0_F15_17XSUPP0_GRD-F_0327_C_M_1_P_00007_${TS}.zip`,
      'F15',
      'F15/17XSUPP0/GRD-F/0327/C/M/1',
      7,
    ],
    [`17XEMIT0_F12_17XSUPP0_GRD-F_0327_00003_D_30_${TS}.zip`, 'F12', 'F12/17XSUPP0/GRD-F/0327', 3],
    [`17XEMIT0_R151_17XSUPP0_GRD-F_5073_00794_Q_00001_00002_${TS}.zip`, 'R151', 'R151/5073', 794],
    [`17XEMIT0_C12_17XSUPP0_GRD-F_00005_${TS}.zip`, 'C12', 'C12/GRD-F', 5],
    [`17XEMIT0_X12_17XSUPP0_00009_${TS}.zip`, 'X12', 'X12/17XSUPP0', 9],
    [`17XEMIT0_X13_17XSUPP0_00010_${TS}.zip`, 'X13', 'X13/17XSUPP0', 10],
  ])('reads flux, key and number of %s', (name, flux, key, number) => {
    expect(parseArchiveName(`/flux_enedis/x/${name}`)).toMatchObject({
      flux,
      date: '2025-10-06',
      timestamp: TS,
      sequence: { key, number },
    });
  });

  it('reads the counter of R151 and the day of what was asked for on demand', () => {
    expect(parseArchiveName(`E_R151_S_C_5073_00794_Q_00001_00002_${TS}.zip`)).toMatchObject({
      counter: { rank: 1, total: 2 },
    });
    const onDemand = parseArchiveName(`ENEDIS_R64_P_INDEX_M0_00001_${TS}.zip`);
    expect(onDemand).toMatchObject({ flux: 'R64', date: '2025-10-06' });
    expect(onDemand).not.toHaveProperty('sequence');
  });

  it.each([
    [`17XEMIT0_R17_17XSUPP0_GRD-F_0327_00042_${TS}.zip`, 'noted'],
    [`17XEMIT0_C15_17XSUPP0_GRD-F_0327_42_${TS}.zip`, 'unknown'],
    ['17XEMIT0_C15_17XSUPP0_GRD-F_0327_00042_20251306050823.zip', 'unknown'],
    [`17XEMIT0_C15_17XSUPP0_GRD-F_0327_extra_00042_${TS}.zip`, 'unknown'],
    [`E_R151_S_C_5073_00794_Q_00003_00002_${TS}.zip`, 'unknown'],
    ['holiday.zip', 'unknown'],
    ['17XEMIT0_C15.txt', 'unknown'],
  ])('says of %s that it is %s', (name, other) => {
    expect(parseArchiveName(name)).toEqual({ name, other });
  });
});

function series(...numbers: readonly number[]) {
  return numbers.map((number, index) => ({
    timestamp: `202510060508${String(index).padStart(2, '0')}`,
    sequence: { key: 'C15/GRD-F/0327', number },
  }));
}

describe('auditSequences', () => {
  it.each([
    [[1, 2, 4], ['00003'], '00004'],
    [[1, 2, 6], ['00003-00005'], '00006'],
    [[99_999, 1], [], '00001'],
    [[7, 8, 9], [], '00009'],
    [[7, 3, 5], ['00004'], '00005'],
    [[7, 7, 8], [], '00008'],
  ])('finds in %j the gaps %j and the tail %s', (numbers, gaps, tail) => {
    expect(auditSequences(series(...numbers))).toEqual([
      { key: 'C15/GRD-F/0327', archives: numbers.length, gaps, tail },
    ]);
  });

  it('keeps keys apart and does not hang on the order of arrival', () => {
    const archives = [
      ...series(1, 2, 4),
      ...series(5).map((one) => ({ ...one, sequence: { key: 'other', number: 5 } })),
    ];
    expect(auditSequences([...archives].reverse())).toEqual(auditSequences(archives));
    expect(auditSequences(archives).map(({ key, gaps }) => [key, gaps])).toEqual([
      ['C15/GRD-F/0327', ['00003']],
      ['other', []],
    ]);
  });

  it('says which zip of a delivery of R151 is missing, and when two totals are claimed', () => {
    const one = (rank: number, total: number, number = 794) => ({
      timestamp: TS,
      sequence: { key: 'R151/5073', number },
      counter: { rank, total },
    });
    expect(auditCounters([one(1, 2), one(2, 2)])).toEqual([]);
    expect(auditCounters([one(1, 3), one(3, 3)])).toMatchObject([
      { number: '00794', missing: [2], totals: [3] },
    ]);
    expect(auditCounters([one(1, 1), one(2, 2)])).toMatchObject([{ missing: [], totals: [1, 2] }]);
  });
});
