import { describe, expect, it } from 'vitest';
import { enedis } from '../../../src/datasets/enedis/index.ts';
import { calculateTurpe } from '../../../src/datasets/enedis/model/turpe-calculator.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import { expiringRates } from '../../../src/datasets/enedis/rates/expiry.ts';

function line(formula: string, debut: string, fin: string, rest: object) {
  return calculateTurpe({ formule_tarifaire_acheminement: formula, debut, fin, ...rest });
}

function energies(hph: number, hch: number, hpb: number, hcb: number) {
  return { energie_hph_kwh: hph, energie_hch_kwh: hch, energie_hpb_kwh: hpb, energie_hcb_kwh: hcb };
}

function powers(hph: number, hch: number, hpb: number, hcb: number) {
  return {
    puissance_souscrite_hph_kva: hph,
    puissance_souscrite_hch_kva: hch,
    puissance_souscrite_hpb_kva: hpb,
    puissance_souscrite_hcb_kva: hcb,
  };
}

interface LineChange {
  readonly formula?: string;
  readonly debut?: string;
  readonly fin?: string;
  readonly rest?: object;
}

const YEAR = ['2025-08-01', '2026-08-01'] as const;

describe('calculateTurpe', () => {
  it.each([
    ['BTINFCUST', '2025-09-01', '2025-10-01', { energie_base_kwh: 1_000 }, '48.40'],
    ['BTINFCU4', '2025-09-01', '2025-10-01', energies(100, 50, 200, 80), '13.72'],
    // A tie: 1,020.5 cents.
    ['BTINFCU4', '2025-09-01', '2025-10-01', energies(100, 50, 30, 20), '10.21'],
    [
      'BTSUPCU',
      '2025-09-01',
      '2025-10-01',
      { ...energies(100, 50, 30, 20), depassement_puissance_h: 5 },
      '72.01',
    ],
    [
      'BTSUPCU4',
      '2025-09-01',
      '2025-10-01',
      { ...energies(100, 50, 200, 80), depassement_puissance_h: 5 },
      undefined,
    ],
  ])('makes of %s from %s to %s the variable part', (formula, debut, fin, rest, expected) => {
    const answer = line(formula, debut, fin, rest);
    if (expected === undefined) expect(answer).not.toHaveProperty('erreur');
    else expect(answer).toMatchObject({ turpe_variable_eur: expected, turpe_fixe_eur: null });
  });

  it.each([
    ['BTINFCUST', '2024-11-01', '2024-12-01', { puissance_souscrite_kva: '6' }, '8.20'],
    ['BTINFCU4', '2024-01-01', '2024-02-01', { puissance_souscrite_kva: 9 }, '9.89'],
    ['BTINFCU4', '2024-11-01', '2024-12-01', { puissance_souscrite_kva: 9 }, '9.97'],
    ['BTSUPCU', ...YEAR, powers(60, 60, 60, 60), '1557.67'],
    ['BTSUPCU', ...YEAR, powers(36, 36, 60, 60), '1484.47'],
    ['BTSUPCU', ...YEAR, { puissance_souscrite_kva: 60 }, '1557.67'],
  ] as const)('makes of %s from %s to %s the fixed part', (formula, debut, fin, rest, expected) => {
    expect(line(formula, debut, fin, rest)).toMatchObject({
      turpe_fixe_eur: expected,
      turpe_variable_eur: null,
    });
  });

  it('divides a line that lies over a change of rates, and says so', () => {
    const answer = line('BTINFCUST', '2025-07-15', '2025-08-15', {
      puissance_souscrite_kva: 6,
      energie_base_kwh: 310,
    });
    expect(answer).toMatchObject({
      est_partage: true,
      turpe_fixe_eur: '9.03',
      parts: [
        {
          debut: '2025-07-15',
          fin: '2025-08-01',
          nb_jours: 17,
          turpe_fixe_eur: '4.99',
          turpe_variable_eur: '8.38',
        },
        {
          debut: '2025-08-01',
          fin: '2025-08-15',
          nb_jours: 14,
          turpe_fixe_eur: '4.04',
          turpe_variable_eur: '6.78',
        },
      ],
    });
  });

  it.each([
    [{ formula: 'BTINFNONE' }, 'BTINFNONE is not a known formula (line from 2025-09-01)'],
    [{ debut: '2023-07-01' }, 'BTINFCU4 has no rates for 2023-07-01'],
    [{ debut: '2026-07-01', fin: '2026-09-01' }, 'BTINFCU4 has no rates for 2026-08-01'],
    [{ formula: 'BTSUPCU', debut: '2025-07-01' }, 'BTSUPCU has no rates for 2025-07-01'],
    [
      { rest: { energie_base_kwh: 5 } },
      'BTINFCU4 from 2025-09-01 needs energy for hph, hch, hpb, hcb; the line’s is coarser',
    ],
    [{ fin: '2025-09-01' }, 'BTINFCU4 from 2025-09-01: fin 2025-09-01 is not after it'],
    [{ debut: '2025-02-30' }, 'BTINFCU4: debut is not a date YYYY-MM-DD'],
    [
      { rest: { puissance_souscrite_kva: 'six' } },
      'BTINFCU4: puissance_souscrite_kva is not a decimal',
    ],
    [
      { rest: { depassement_puissance_h: 2 } },
      'BTINFCU4 has no rate for hours over the power on 2025-09-01',
    ],
    [{ formula: 'BTSUPCU', rest: powers(60, 36, 60, 60) }, 'the powers must not fall'],
    [
      { formula: 'BTSUPCU', rest: { puissance_souscrite_hph_kva: 3 } },
      'one of the four powers is missing',
    ],
  ])('answers %j with an error', (change, words) => {
    const {
      formula = 'BTINFCU4',
      debut = '2025-09-01',
      fin = '2025-10-01',
      rest = {},
    } = change as LineChange;
    expect(line(formula, debut, fin, rest)).toEqual({
      erreur: expect.stringContaining(words) as string,
    });
  });

  it('answers a line the same after more other powers and dates than it remembers', () => {
    const own = (): unknown =>
      line('BTINFCUST', '2025-07-15', '2025-08-15', {
        puissance_souscrite_kva: '6',
        energie_base_kwh: '310',
      });
    const before = own();
    const others = Array.from({ length: 12_000 }, (_, index) => {
      const debut = addDays('2025-08-01', index % 150);
      const rest = { puissance_souscrite_kva: `${index}.5`, energie_base_kwh: index };
      return line('BTINFCUST', debut, addDays(debut, 1 + Math.floor(index / 150)), rest);
    });
    expect(own()).toEqual(before);
    // 3 days of 38.80 € and 300.5 kVA at 11.07 €; 300 kWh at 4.84 c€.
    expect(others[300]).toMatchObject({ turpe_fixe_eur: '27.66', turpe_variable_eur: '14.52' });
  });
});

describe('expiringRates', () => {
  it('warns of lists that the last 1 August or 1 February may have replaced', () => {
    expect(expiringRates('2026-07-31').map(({ rates }) => rates)).toEqual(['TURPE']);
    expect(expiringRates('2025-10-31')).toEqual([]);
    expect(
      expiringRates('2026-08-01').map(({ rates, lookedAtSince }) => [rates, lookedAtSince]),
    ).toEqual([
      ['TURPE', '2026-08-01'],
      ['CTA', '2026-08-01'],
      ['accise', '2026-08-01'],
    ]);
  });

  it('has the doctor say of them since when, and what to do', () => {
    expect(enedis.agedLists?.('2025-10-31')).toEqual([]);
    expect(enedis.agedLists?.('2026-02-10')).toMatchObject([
      { subject: 'rates of TURPE', detail: expect.stringContaining('2026-02-01') as string },
    ]);
  });
});
