/**
 * The network tariff (TURPE) as data, by formula and validity `[from, to)`. Source of all figures:
 * the price lists "TURPE HTA-BT" of the energy regulator (CRE) for the dates given; a list is not
 * extended past the date at which the next one is due.
 *
 * Units: `cg` (management), `cc` (metering) in €/year; `b` (power) in €/kVA/year; `c` (energy) in
 * c€/kWh. Decimals are text: they are exact.
 */

/** By register of the network's own calendar: one, two, or four with seasons. */
export type Energies =
  | { readonly base: string }
  | { readonly hp: string; readonly hc: string }
  | { readonly hph: string; readonly hch: string; readonly hpb: string; readonly hcb: string };

/** One formula over one validity. */
export interface TurpeRate {
  readonly formula: string;
  readonly from: string;
  /** Excluded. */
  readonly to: string;
  readonly cg: string;
  readonly cc: string;
  /** One coefficient, or four in the order hph, hch, hpb, hcb for powers that rise. */
  readonly b: readonly string[];
  readonly c: Energies;
  /** €/hour over the subscribed power; only above 36 kVA. */
  readonly cmdps?: string;
}

/**
 * `6.67/4.56/1.43/0.88` in the order hph, hch, hpb, hcb; `4.47 3.16` for hp and hc; one number for
 * all hours.
 */
function energies(text: string): Energies {
  const [first = '', second = '', third = '', fourth = ''] = text.split(/[/ ]/);
  if (text.includes('/')) return { hph: first, hch: second, hpb: third, hcb: fourth };
  return text.includes(' ') ? { hp: first, hc: second } : { base: first };
}

interface PriceList {
  readonly from: string;
  readonly to: string;
  readonly cg: string;
  readonly cc: string;
  /** By formula without its prefix `BTINF`: power and energies. */
  readonly formulas: Readonly<Record<string, readonly [b: string, c: string]>>;
  /** Collective self-consumption: its own management, the metering of everybody. */
  readonly shared: { readonly cg: string; readonly formulas: PriceList['formulas'] };
}

const LISTS: readonly PriceList[] = [
  {
    from: '2023-08-01',
    to: '2024-11-01',
    cg: '15.48',
    cc: '19.92',
    formulas: {
      CUST: ['9.96', '4.37'],
      LU: ['81.24', '1.10'],
      MUDT: ['12.24', '4.47 3.16'],
      CU4: ['9', '6.67/4.56/1.43/0.88'],
      MU4: ['10.56', '6.12/4.24/1.39/0.87'],
    },
    shared: {
      cg: '12.19',
      formulas: {
        CU4ACCAUTO: ['9', '1.64/1.29/0.77/0.37'],
        CU4ACCALLO: ['9', '7.23/4.42/2.29/0.86'],
        MU4ACCAUTO: ['10.68', '1.64/1.29/0.77/0.37'],
        MU4ACCALLO: ['10.68', '6.60/4.23/2.22/0.86'],
      },
    },
  },
  {
    from: '2024-11-01',
    to: '2025-02-01',
    cg: '16.20',
    cc: '20.88',
    formulas: {
      CUST: ['10.44', '4.58'],
      LU: ['84.96', '1.15'],
      MUDT: ['12.72', '4.68 3.31'],
      CU4: ['9.36', '6.96/4.76/1.48/0.92'],
      MU4: ['11.04', '6.39/4.43/1.46/0.91'],
    },
    shared: {
      cg: '12.77',
      formulas: {
        CU4ACCAUTO: ['9.36', '1.72/1.34/0.81/0.39'],
        CU4ACCALLO: ['9.36', '7.56/4.62/2.39/0.90'],
        MU4ACCAUTO: ['11.16', '1.72/1.34/0.81/0.39'],
        MU4ACCALLO: ['11.16', '6.88/4.41/2.32/0.90'],
      },
    },
  },
  {
    from: '2025-02-01',
    to: '2025-08-01',
    cg: '16.92',
    cc: '22.44',
    formulas: {
      CUST: ['11.28', '4.93'],
      LU: ['91.44', '1.24'],
      MUDT: ['13.80', '5.04 3.57'],
      CU4: ['10.08', '7.50/5.13/1.60/1'],
      MU4: ['11.88', '6.89/4.77/1.57/0.98'],
    },
    shared: {
      cg: '21.60',
      formulas: {
        CU4ACCAUTO: ['10.08', '1.86/1.44/0.87/0.42'],
        CU4ACCALLO: ['10.08', '8.14/4.98/2.57/0.97'],
        MU4ACCAUTO: ['12', '1.86/1.44/0.87/0.42'],
        MU4ACCALLO: ['12', '7.41/4.75/2.50/0.97'],
      },
    },
  },
  {
    from: '2025-08-01',
    to: '2026-08-01',
    cg: '16.80',
    cc: '22',
    formulas: {
      CUST: ['11.07', '4.84'],
      LU: ['93.13', '1.25'],
      MUDT: ['13.49', '4.94 3.50'],
      CU4: ['10.11', '7.49/3.97/1.66/1.16'],
      MU4: ['12.12', '7/3.73/1.61/1.11'],
    },
    shared: {
      cg: '21.27',
      formulas: {
        CU4ACCAUTO: ['10.11', '2.86/1.28/0.76/0.49'],
        CU4ACCALLO: ['10.11', '7.52/4.03/1.73/1.21'],
        MU4ACCAUTO: ['12.12', '2.60/1.23/0.75/0.49'],
        MU4ACCALLO: ['12.12', '7.04/3.76/1.61/1.15'],
      },
    },
  },
];

/** Above 36 kVA, with four powers. */
const ABOVE_36_KVA: readonly TurpeRate[] = (
  [
    ['BTSUPCU', '17.61/15.96/14.56/11.98', '6.91/4.21/2.13/1.52'],
    ['BTSUPLU', '30.16/21.18/16.64/12.37', '5.69/3.47/2.01/1.49'],
  ] as const
).map(([formula, b, c]) => ({
  formula,
  from: '2025-08-01',
  to: '2026-08-01',
  cg: '217.80',
  cc: '283.27',
  b: b.split('/'),
  c: energies(c),
  cmdps: '12.41',
}));

function ratesOf({ from, to, cg, cc, formulas, shared }: PriceList): TurpeRate[] {
  const rates = (own: PriceList['formulas'], management: string): TurpeRate[] =>
    Object.entries(own).map(([name, [b, c]]) => {
      return { formula: `BTINF${name}`, from, to, cg: management, cc, b: [b], c: energies(c) };
    });
  return [...rates(formulas, cg), ...rates(shared.formulas, shared.cg)];
}

/** Every formula in every validity, without overlap. */
export const TURPE_RATES: readonly TurpeRate[] = [...LISTS.flatMap(ratesOf), ...ABOVE_36_KVA];

/** Names of a formula in other files of the distributor. */
export const FORMULA_ALIASES: Readonly<Record<string, string>> = {
  BTSUPCU4: 'BTSUPCU',
  BTSUPLU4: 'BTSUPLU',
};
