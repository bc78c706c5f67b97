import { describe, expect, it } from 'vitest';
import { COL, NUMERIC } from '../src/synthetic/columns.ts';
import {
  CONS,
  countRuns,
  datasetUrl,
  exportRows,
  exportText,
  instant,
  mw,
  openPortal,
  parseRows,
  TR,
} from './portal-client.ts';

const SOURCES = [
  'fioul',
  'charbon',
  'gaz',
  'nucleaire',
  'eolien',
  'solaire',
  'hydraulique',
  'pompage',
  'bioenergies',
];
const BORDERS = ['angleterre', 'espagne', 'italie', 'suisse', 'allemagne_belgique'].map(
  (name) => `ech_comm_${name}`,
);
const PARTS = {
  fioul: ['fioul_tac', 'fioul_cogen', 'fioul_autres'],
  gaz: ['gaz_tac', 'gaz_cogen', 'gaz_ccg', 'gaz_autres'],
  hydraulique: ['hydraulique_fil_eau_eclusee', 'hydraulique_lacs', 'hydraulique_step_turbinage'],
  bioenergies: ['bioenergies_dechets', 'bioenergies_biomasse', 'bioenergies_biogaz'],
};

function total(row: Readonly<Record<string, string>>, columns: readonly string[]): number {
  return columns.reduce((sum, column) => sum + mw(row, column), 0);
}

describe('synthetic columns', () => {
  it('keeps each index at the column that it names', () => {
    for (const [name, index] of Object.entries(COL)) expect(NUMERIC[index]?.name).toBe(name);
    expect(Object.keys(COL)).toHaveLength(NUMERIC.length);
  });
});

describe('synthetic load and generation', () => {
  it('balances every measured row of a year within 1 MW before 2025', async () => {
    const portal = await openPortal();
    const rows = await exportRows(
      portal,
      CONS,
      "date >= date'2019-01-01' AND date <= date'2019-12-31'",
    );
    const measured = rows.filter((row) => row['consommation'] !== '');
    expect(rows).toHaveLength(35_040);
    expect(measured).toHaveLength(17_520);
    const gaps = measured.map(
      (row) => mw(row, 'consommation') - total(row, [...SOURCES, 'ech_physiques']),
    );
    expect(Math.max(...gaps.map(Math.abs))).toBe(1);
    expect(gaps.filter((gap) => gap === 0).length).toBeGreaterThan(17_400);
  });

  it('balances within 5 MW with batteries since 2025, and not exactly', async () => {
    const portal = await openPortal();
    const rows = await exportRows(portal, TR, "date in [date'2026-01-01'..date'2026-01-31']");
    const gaps = rows.map((row) => {
      const supply = total(row, [
        ...SOURCES,
        'ech_physiques',
        'stockage_batterie',
        'destockage_batterie',
      ]);
      return Math.abs(mw(row, 'consommation') - supply);
    });
    expect(Math.max(...gaps)).toBe(5);
    expect(gaps.filter((gap) => gap > 0).length).toBeGreaterThan(2_000);
    expect(
      rows.every((row) => mw(row, 'stockage_batterie') <= 0 && mw(row, 'destockage_batterie') >= 0),
    ).toBe(true);
  });

  it('stays between 30 and 90 GW, higher in winter, lower at night and on Sundays', async () => {
    const portal = await openPortal();
    const rows = (
      await exportRows(portal, CONS, "date >= date'2023-01-01' AND date <= date'2023-12-31'")
    ).filter((row) => row['consommation'] !== '');
    const mean = (keep: (row: Readonly<Record<string, string>>) => boolean): number => {
      const kept = rows.filter(keep);
      return kept.reduce((sum, row) => sum + mw(row, 'consommation'), 0) / kept.length;
    };
    const loads = rows.map((row) => mw(row, 'consommation'));
    expect(Math.min(...loads)).toBeGreaterThan(30_000);
    expect(Math.max(...loads)).toBeLessThan(90_000);
    expect(mean((row) => row['date']!.startsWith('2023-01'))).toBeGreaterThan(
      1.3 * mean((row) => row['date']!.startsWith('2023-08')),
    );
    expect(mean((row) => row['heure'] === '04:00')).toBeLessThan(
      0.9 * mean((row) => row['heure'] === '12:00'),
    );
    expect(mean((row) => row['date'] === '2023-06-18')).toBeLessThan(
      mean((row) => row['date'] === '2023-06-20'),
    );
  });

  it.each([
    [TR, "date in [date'2026-02-01'..date'2026-02-05']"],
    [CONS, "date in [date'2019-03-29'..date'2019-04-02']"],
  ])('sells to the neighbours about what flows to them (%s)', async (dataset, where) => {
    const portal = await openPortal();
    const rows = (await exportRows(portal, dataset, where)).filter(
      (row) => row[BORDERS[0]!] !== '',
    );
    expect(rows.length).toBeGreaterThan(200);
    const days = new Map<string, { physical: number; commercial: number }>();
    for (const row of rows) {
      const sum = days.get(row['date']!) ?? { physical: 0, commercial: 0 };
      sum.physical += mw(row, 'ech_physiques');
      sum.commercial += total(row, BORDERS);
      days.set(row['date']!, sum);
    }
    for (const { physical, commercial } of days.values()) {
      expect(Math.abs(commercial - physical)).toBeLessThan(0.15 * Math.abs(physical));
    }
    for (const border of BORDERS)
      expect(new Set(rows.map((row) => row[border])).size).toBeGreaterThan(50);
  });

  it('has no sun at night, pumps with a minus sign, and misses sub-sources by a little', async () => {
    const portal = await openPortal();
    const rows = await exportRows(
      portal,
      TR,
      "date >= date'2026-02-01' AND date <= date'2026-02-28'",
    );
    for (const row of rows) {
      const hour = Number(row['heure']!.slice(0, 2));
      if (hour < 6 || hour > 19) expect(row['solaire']).toBe('0');
      if (row['heure'] === '13:00') expect(mw(row, 'solaire')).toBeGreaterThan(500);
      expect(mw(row, 'pompage')).toBeLessThanOrEqual(0);
    }
    expect(rows.some((row) => mw(row, 'pompage') < -1_000)).toBe(true);
    for (const [source, parts] of Object.entries(PARTS)) {
      const misses = rows.map((row) => mw(row, source) - total(row, parts));
      expect(misses.some((miss) => miss !== 0)).toBe(true);
      expect(Math.max(...misses.map(Math.abs))).toBeLessThan(300);
    }
  });

  it('forecasts the load the day before less well than on the day', async () => {
    const portal = await openPortal();
    const rows = await exportRows(
      portal,
      TR,
      "date >= date'2026-01-01' AND date <= date'2026-02-28'",
    );
    const error = (column: string): number =>
      rows.reduce((sum, row) => sum + Math.abs(mw(row, 'consommation') - mw(row, column)), 0) /
      rows.length;
    expect(error('prevision_j1')).toBeGreaterThan(error('prevision_j'));
    expect(error('prevision_j1')).toBeLessThan(2_000);
    expect(rows.every((row) => mw(row, 'prevision_j') % 50 === 0)).toBe(true);
  });

  it('computes the carbon intensity from the fuels, and writes 0 where it has none', async () => {
    const portal = await openPortal();
    const rows = (
      await exportRows(portal, CONS, "date >= date'2021-01-01' AND date <= date'2021-06-30'")
    ).filter((row) => row['consommation'] !== '');
    const missing = rows.filter((row) => row['taux_co2'] === '0');
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.length).toBeLessThan(rows.length / 100);
    for (const row of rows.filter((each) => each['taux_co2'] !== '0')) {
      const grams =
        777 * mw(row, 'fioul') +
        986 * mw(row, 'charbon') +
        429 * mw(row, 'gaz') +
        494 * mw(row, 'bioenergies');
      const generated = total(row, SOURCES) - mw(row, 'pompage');
      expect(Math.abs(mw(row, 'taux_co2') - grams / generated)).toBeLessThanOrEqual(0.5);
    }
  });
});

describe('shape of the rows', () => {
  it('concatenates 6 ascending runs in real time and 11 in consolidated data, also for one day', async () => {
    const portal = await openPortal();
    for (const where of [
      "date=date'2026-02-11'",
      "date >= date'2026-02-01' AND date <= date'2026-02-28'",
    ]) {
      expect(countRuns(await exportRows(portal, TR, where))).toBe(6);
      expect(countRuns(await exportRows(portal, CONS, where))).toBe(11);
    }
  });

  it('leaves everything but the forecasts empty at :15 and :45 of consolidated data', async () => {
    const portal = await openPortal();
    for (const row of await exportRows(portal, CONS, "date=date'2024-01-15'")) {
      const half = /:(?:00|30)$/.test(row['heure']!);
      expect(row['prevision_j1']).not.toBe('');
      expect(row['prevision_j']).not.toBe('');
      for (const column of [
        'consommation',
        'nucleaire',
        'ech_physiques',
        'taux_co2',
        'ech_comm_suisse',
        'gaz_ccg',
      ]) {
        expect(row[column] === '').toBe(!half);
      }
    }
  });

  it('gives commercial exchanges at :00 and :30 only before 2025, at every quarter since', async () => {
    const now = (): Date => new Date('2025-02-03T12:00:00Z');
    const portal = await openPortal({ now });
    for (const row of await exportRows(portal, TR, "date=date'2024-12-30'")) {
      for (const border of BORDERS)
        expect(row[border] === '').toBe(/:(?:15|45)$/.test(row['heure']!));
      expect(row['consommation']).not.toBe('');
    }
    for (const row of await exportRows(portal, TR, "date=date'2025-01-02'")) {
      for (const border of BORDERS) expect(row[border]).not.toBe('');
    }
  });

  it('has 92 and 100 quarters on the days that change the clock, with both offsets and no instant twice', async () => {
    const portal = await openPortal();
    for (const [day, quarters] of [
      ['2024-03-31', 92],
      ['2024-10-27', 100],
      ['2024-06-15', 96],
    ] as const) {
      const rows = await exportRows(portal, CONS, `date=date'${day}'`);
      expect(rows).toHaveLength(quarters);
      expect(new Set(rows.map(instant)).size).toBe(quarters);
      expect(rows.filter((row) => row['consommation'] !== '')).toHaveLength(quarters / 2);
      expect(new Set(rows.map((row) => row['date_heure']!.slice(-6))).size).toBe(
        quarters === 96 ? 1 : 2,
      );
    }
    const autumn = await exportRows(portal, CONS, "date=date'2024-10-27'");
    expect(
      autumn
        .filter((row) => row['heure'] === '02:30')
        .map((row) => row['date_heure'])
        .sort(),
    ).toEqual(['2024-10-27T02:30:00+01:00', '2024-10-27T02:30:00+02:00']);
    const spring = await exportRows(portal, CONS, "date=date'2024-03-31'");
    expect(spring.some((row) => row['heure']!.startsWith('02'))).toBe(false);
  });

  it('can repeat the lost hour of spring as the publisher does: two rows for one instant', async () => {
    const portal = await openPortal({ publication: { springDuplicates: true } });
    const rows = await exportRows(portal, CONS, "date=date'2024-03-31'");
    const at = (heure: string): Readonly<Record<string, string>> =>
      rows.find((row) => row['heure'] === heure)!;
    const count = new URLSearchParams({ where: "date=date'2024-03-31'", limit: '0' });
    const page: unknown = await (
      await fetch(`${datasetUrl(portal, CONS)}/records?${count.toString()}`)
    ).json();
    expect(page).toEqual({ total_count: 96, results: [] });
    expect(rows).toHaveLength(96);
    expect(new Set(rows.map(instant)).size).toBe(92);
    expect(countRuns(rows)).toBe(11);
    expect(at('02:30')['date_heure']).toBe('2024-03-31T03:30:00+02:00');
    expect(at('02:00')['consommation']).toBe(at('03:00')['consommation']);
    expect(at('02:30')['consommation']).toBe(at('01:30')['consommation']);
    expect(at('02:30')['consommation']).not.toBe(at('03:30')['consommation']);
  });

  it('prints the instants of one export with the offsets of winter and summer, or of UTC', async () => {
    const portal = await openPortal();
    const where = "date >= date'2024-03-30' AND date <= date'2024-04-01'";
    const paris = await exportRows(portal, CONS, where);
    const utc = parseRows(await exportText(portal, CONS, where, { timezone: 'UTC' }));
    expect(new Set(paris.map((row) => row['date_heure']!.slice(-6)))).toEqual(
      new Set(['+01:00', '+02:00']),
    );
    expect(new Set(utc.map((row) => row['date_heure']!.slice(-6)))).toEqual(new Set(['+00:00']));
    expect(utc.map(instant)).toEqual(paris.map(instant));
    expect(utc.map((row) => row['heure'])).toEqual(paris.map((row) => row['heure']));
    for (const row of paris) {
      expect(row['date_heure']!.slice(0, 16)).toBe(`${row['date']!}T${row['heure']!}`);
    }
  });
});

describe('determinism', () => {
  it('gives a day the same rows alone as inside a month, a year and another range', async () => {
    const portal = await openPortal();
    const alone = await exportRows(portal, CONS, "date=date'2022-05-17'");
    for (const where of [
      "date >= date'2022-05-01' AND date <= date'2022-05-31'",
      "date >= date'2022-01-01' AND date <= date'2022-12-31'",
      "date in [date'2022-05-16'..date'2022-05-18']",
    ]) {
      const wider = (await exportRows(portal, CONS, where)).filter(
        (row) => row['date'] === '2022-05-17',
      );
      expect(wider).toEqual(alone);
    }
    expect(alone).toHaveLength(96);
  });

  it('gives two portals of one seed the same bytes, and another seed others', async () => {
    const [one, same, other] = [
      await openPortal({ seed: 7 }),
      await openPortal({ seed: 7 }),
      await openPortal({ seed: 8 }),
    ];
    const where = "date >= date'2020-02-01' AND date <= date'2020-02-29'";
    const text = await exportText(one, CONS, where);
    expect(await exportText(same, CONS, where)).toBe(text);
    expect(await exportText(other, CONS, where)).not.toBe(text);
  });
});
