import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CORE_CHECKS } from '../../../src/datasets/eco2mix/checks.ts';
import { CORE_COLUMNS } from '../../../src/datasets/eco2mix/core.ts';
import type { Done, Source } from '../../fixtures/step-runner.ts';
import type { Runner } from './day-runner.ts';
import { checkOf, dates, dayUnit, hashOf } from '../../fixtures/step-runner.ts';
import { openRunner } from './day-runner.ts';
import type { PortalRow } from './portal-csv.ts';
import { constantRows, portalCsv, portalHeader, portalLine } from './portal-csv.ts';

const DAY = '2024-01-15';
const CONSOLIDATED = 'Données consolidées';
const MEASURES = ['consommation', 'prevision_j1', 'nucleaire', 'taux_co2'];

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

async function portal(
  part: string,
  rows: readonly PortalRow[],
  day = DAY,
  measures = MEASURES,
): Promise<Source> {
  return { part, path: await runner.file(`${part}.csv`, portalCsv(day, rows, measures)) };
}

async function table(part: string, text: string): Promise<Source> {
  return { part, path: await runner.file(`${part}.txt`, text) };
}

/** RTE's yearly file of one day: 96 local rows, load at every second one. */
function yearly(day: string, loadAt: (quarter: number) => number): string {
  const [year, month, date] = day.split('-');
  const rows = Array.from({ length: 96 }, (_, quarter) => {
    const clock = [Math.floor(quarter / 4), (quarter % 4) * 15]
      .map((part) => String(part).padStart(2, '0'))
      .join(':');
    return `${date!}/${month!}/${year!};${clock};${quarter % 2 === 0 ? loadAt(quarter) : ''}`;
  });
  return ['Date;Heures;Consommation', ...rows, ''].join('\n');
}

async function coreRows(done: Done | undefined): Promise<Record<string, unknown>[]> {
  const path = done?.outputs['core']?.path ?? '';
  return runner.sql((sql) => sql.rows(`SELECT * FROM read_parquet('${path}') ORDER BY instant_at`));
}

describe('transform/national', () => {
  it('writes one typed row per instant, in order, with what each part published', async () => {
    const values = { consommation: 60_000, prevision_j1: 59_000, nucleaire: 40_000, taux_co2: 30 };
    const [done] = await runner.core([await portal('tr', constantRows(DAY, 15, values))], [DAY]);
    const rows = await coreRows(done);
    expect(Object.keys(rows[0]!)).toEqual(CORE_COLUMNS);
    expect(rows).toHaveLength(96);
    expect(rows[0]).toMatchObject({
      instant_at: '2024-01-14T23:00:00Z',
      revision: 'provisional',
      source_part: 'tr',
      load_mw: 60_000,
      forecast_day_ahead_mw: 59_000,
      nuclear_mw: 40_000,
      co2_g_per_kwh: 30,
      gas_mw: null,
      published_by: 'tr:2043',
    });
    expect(done!.facts).toMatchObject({
      revision: 'provisional',
      coverage: 1,
      rows: 96,
      sources: { tr: { rows: 96, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string } },
      unknown_columns: [],
    });
  });

  it('reports every declared check, in order, but for columns that nobody renamed', async () => {
    const [done] = await runner.core(
      [await portal('tr', constantRows(DAY, 15, { consommation: 60_000 }))],
      [DAY],
    );
    expect(done!.checks.map(({ check, severity }) => ({ id: check, severity }))).toEqual(
      CORE_CHECKS.filter(({ id }) => id !== 'lost-columns').map(({ id, severity }) => ({
        id,
        severity,
      })),
    );
  });

  it('takes the better revision of an instant, and never drops one that either part has', async () => {
    const real = constantRows(DAY, 15, { consommation: 50_000, nucleaire: 30_000 });
    const better = constantRows(DAY, 15, { prevision_j1: 51_000 }, CONSOLIDATED).map((row) =>
      row.quarter % 2 === 0 ? { ...row, values: { ...row.values, consommation: 50_500 } } : row,
    );
    const sources = [await portal('tr', real), await portal('cons-def', better)];
    const rows = await coreRows((await runner.core(sources, [DAY]))[0]);
    expect(rows).toHaveLength(96);
    expect(rows[0]).toMatchObject({
      load_mw: 50_500,
      revision: 'consolidated',
      source_part: 'cons-def',
      // Only real time has generation: a better row without it does not hide it.
      nuclear_mw: 30_000,
      forecast_day_ahead_mw: 51_000,
      published_by: 'cons-def:3 tr:41',
    });
    expect(rows[1]).toMatchObject({
      load_mw: 50_000,
      revision: 'provisional',
      source_part: 'tr',
      forecast_day_ahead_mw: 51_000,
    });
    expect((await runner.core([...sources].reverse(), [DAY]))[0]!.facts).toMatchObject({
      revision: 'provisional',
      instants_by_revision: { provisional: 48, consolidated: 48, definitive: 0 },
    });
  });

  it('ranks definitive over consolidated over real time, by the words of each row', async () => {
    const spellings = {
      definitive: [
        'Données définitives',
        'DonnÃ©es dÃ©finitives',
        'Donn?es d?finitives',
        'Données Définitives',
      ],
      consolidated: ['Données consolidées', 'Donn?es consolid?es'],
      provisional: ['Données temps réel', 'DONNEES TEMPS REEL'],
    };
    for (const [revision, natures] of Object.entries(spellings)) {
      for (const nature of natures) {
        const source = await portal(
          'cons-def',
          constantRows(DAY, 30, { consommation: 1_000 * 50 }, nature),
        );
        const [done] = await runner.core([source], [DAY]);
        expect(done!.facts['revision'], nature).toBe(revision);
        expect(checkOf(done, 'known-nature').failed).toBe(0);
      }
    }
  });

  it('judges rows that do not say how final they are by their part, and says so', async () => {
    const source = await portal(
      'cons-def',
      constantRows(DAY, 30, { consommation: 50_000 }, 'Données'),
    );
    const [done] = await runner.core([source], [DAY]);
    expect(done!.facts['revision']).toBe('consolidated');
    expect(checkOf(done, 'known-nature')).toMatchObject({
      severity: 'warn',
      tested: 48,
      failed: 48,
    });
  });

  it('lets definitive load of a yearly file stand beside generation that only the portal has', async () => {
    const sources = [
      await portal(
        'cons-def',
        constantRows(DAY, 30, { consommation: 50_000, nucleaire: 30_000 }, CONSOLIDATED),
      ),
      await table(
        'rte-annual',
        yearly(DAY, () => 50_100),
      ),
    ];
    const [done] = await runner.core(sources, [DAY]);
    expect((await coreRows(done))[0]).toMatchObject({
      load_mw: 50_100,
      revision: 'definitive',
      nuclear_mw: 30_000,
    });
    expect(done!.facts['revision']).toBe('definitive');
  });

  it('keeps rows with forecasts only, drops placeholders, and judges the day by its loads', async () => {
    const rows = constantRows(DAY, 15, {}).map((row) => {
      if (row.quarter < 40) return { ...row, values: { consommation: 50_000 } };
      return row.quarter < 60 ? { ...row, values: { prevision_j1: 51_000 } } : row;
    });
    const [done] = await runner.core([await portal('tr', rows)], [DAY]);
    expect(await coreRows(done)).toHaveLength(60);
    expect(done!.facts).toMatchObject({
      rows: 60,
      coverage: 0.4167,
      expected_samples: 96,
      observed_samples: 40,
    });
    expect(checkOf(done, 'expected-samples')).toMatchObject({
      severity: 'warn',
      tested: 96,
      failed: 56,
      examples: [{ from: '2024-01-15T09:00:00Z', to: '2024-01-15T23:00:00Z' }],
    });
  });

  it('says that a day without any load is not published yet', async () => {
    const tomorrow = await portal('tr', constantRows(DAY, 15, { prevision_j1: 51_000 }));
    const [some, none] = [await runner.core([tomorrow], [DAY]), await runner.core([], [DAY])];
    expect(some[0]!.failure).toMatchObject({ code: 'SRC_NOT_PUBLISHED' });
    expect(some[0]!.failure!.message).toMatch(/load of 2024-01-15 yet: tr have no load/);
    expect(none[0]!.failure).toMatchObject({ code: 'SRC_NOT_PUBLISHED' });
  });

  it('reads zero carbon intensity, ND, - and empty cells as unknown', async () => {
    const rows = constantRows(DAY, 15, {
      consommation: 50_000,
      taux_co2: 0,
      nucleaire: 'ND',
      prevision_j1: '-',
    });
    const [done] = await runner.core([await portal('tr', rows)], [DAY]);
    expect((await coreRows(done))[0]).toMatchObject({
      co2_g_per_kwh: null,
      nuclear_mw: null,
      forecast_day_ahead_mw: null,
    });
    expect(checkOf(done, 'readable-values')).toMatchObject({ tested: 96, failed: 0 });
  });

  it('holds a day with values that are no whole numbers, and says which', async () => {
    const rows = constantRows(DAY, 15, { consommation: '50000.0', nucleaire: 30_000 });
    rows[3] = { ...rows[3]!, values: { consommation: 50_000, nucleaire: '30000.5' } };
    rows[4] = {
      ...rows[4]!,
      values: { consommation: 50_000, nucleaire: 'n/a', prevision_j1: '51 000' },
    };
    const [done] = await runner.core([await portal('tr', rows)], [DAY]);
    expect(checkOf(done, 'readable-values')).toMatchObject({
      severity: 'hold',
      tested: 96,
      failed: 2,
      examples: [
        { instant: '2024-01-14T23:45:00Z', part: 'tr', unreadable: 'nucleaire=30000.5' },
        {
          instant: '2024-01-15T00:00:00Z',
          part: 'tr',
          unreadable: 'prevision_j1=51 000, nucleaire=n/a',
        },
      ],
    });
  });

  it('reads slices of different dialects and column orders in one set', async () => {
    const days = dates('2024-01-15', '2024-01-16');
    const short = portalCsv(
      days[0]!,
      constantRows(days[0]!, 15, { consommation: 50_000, gaz: 7 }),
      ['gaz', 'consommation'],
    );
    const labels = [
      'Nature;Nouveau;Date et Heure;Consommation (MW);Gaz (MW)',
      ...constantRows(days[1]!, 15, {}).map(({ quarter }) => {
        return `Données temps réel;1;${portalLine(days[1]!, { quarter, values: {} }, []).split(';')[4]!};51000;8`;
      }),
      '',
    ].join('\n');
    const first = await runner.slice({ part: 'tr', path: await runner.file('a', short) }, [
      days[0]!,
    ]);
    const second = await runner.slice({ part: 'tr', path: await runner.file('b', labels) }, [
      days[1]!,
    ]);
    const done = await runner.step('transform/national', [
      dayUnit(days[0]!, { tr: [first[0]!.outputs['slice']!] }),
      dayUnit(days[1]!, { tr: [second[0]!.outputs['slice']!] }),
    ]);
    expect((await coreRows(done[0]))[0]).toMatchObject({ load_mw: 50_000, gas_mw: 7 });
    expect((await coreRows(done[1]))[0]).toMatchObject({ load_mw: 51_000, gas_mw: 8 });
    expect(done.map(({ facts }) => facts['unknown_columns'])).toEqual([[], ['Nouveau']]);
  });

  it('gives a day the same bytes with and without something to merge elsewhere in the set', async () => {
    const days = dates('2024-01-15', '2024-01-16');
    const measures = ['consommation', 'nucleaire'];
    const text = [
      portalHeader(measures),
      ...days.flatMap((day) =>
        constantRows(day, 15, { consommation: 50_000, nucleaire: 1 }).map((row) =>
          portalLine(day, row, measures),
        ),
      ),
      '',
    ].join('\n');
    const tr = { part: 'tr', path: await runner.file('tr', text) };
    const consolidated = await portal(
      'cons-def',
      constantRows(days[1]!, 30, { consommation: 50_500 }, CONSOLIDATED),
      days[1],
    );
    const together = await runner.core([tr, consolidated], days);
    const alone = await runner.core([tr], [days[0]!]);
    expect(hashOf(together[0], 'core')).toBe(hashOf(alone[0], 'core'));
  });
});

describe('days when clocks change', () => {
  it('drops the phantoms of RTE’s spring days', async () => {
    const source = await table(
      'rte-annual',
      yearly('2018-03-25', (quarter) => (quarter === 8 || quarter === 10 ? 1_000 : 50_000)),
    );
    const [done] = await runner.core([source], ['2018-03-25']);
    const rows = await coreRows(done);
    expect(done!.facts).toMatchObject({ coverage: 1, expected_samples: 46, observed_samples: 46 });
    expect(new Set(rows.map((row) => row['load_mw']))).toEqual(new Set([50_000]));
    expect(rows.slice(3, 5).map((row) => row['instant_at'])).toEqual([
      '2018-03-25T00:30:00Z',
      '2018-03-25T01:00:00Z',
    ]);
  });

  it('puts RTE’s 02:00 of autumn before and its 02:30 after the lost hour', async () => {
    const source = await table(
      'rte-annual',
      yearly('2018-10-28', (quarter) => 50_000 + quarter),
    );
    const [done] = await runner.core([source], ['2018-10-28']);
    const rows = await coreRows(done);
    expect(rows.slice(3, 7).map((row) => [row['instant_at'], row['load_mw']])).toEqual([
      ['2018-10-27T23:30:00Z', 50_006],
      ['2018-10-28T00:00:00Z', 50_008],
      ['2018-10-28T01:30:00Z', 50_010],
      ['2018-10-28T02:00:00Z', 50_012],
    ]);
    expect(done!.facts).toMatchObject({
      coverage: 0.96,
      expected_samples: 50,
      observed_samples: 48,
    });
  });

  it('keeps one of two portal rows with one instant: the one whose clock is its own', async () => {
    const day = '2024-03-31';
    const real = constantRows(day, 15, { consommation: 50_000 });
    const lines = real.map((row) => portalLine(day, row, MEASURES));
    // The phantom 02:30 has the instant of 03:30 and the value of 01:30.
    const phantoms = [10, 11].map((quarter) =>
      portalLine(
        day,
        { quarter, values: { consommation: 40_000, nucleaire: 1 } },
        MEASURES,
      ).replace(/;03:(\d\d);/, ';02:$1;'),
    );
    for (const text of [
      [...lines, ...phantoms],
      [...phantoms, ...lines],
    ]) {
      const path = await runner.file('tr', [portalHeader(MEASURES), ...text, ''].join('\n'));
      const [done] = await runner.core([{ part: 'tr', path }], [day]);
      const rows = await coreRows(done);
      expect(rows).toHaveLength(92);
      expect(new Set(rows.map((row) => row['load_mw']))).toEqual(new Set([50_000]));
      expect(new Set(rows.map((row) => row['nuclear_mw']))).toEqual(new Set([null]));
      expect(checkOf(done, 'one-load-per-instant')).toMatchObject({ tested: 92, failed: 0 });
    }
  });
});

describe('rows of one part with one instant', () => {
  it('are one row: each column has the first value in canonical order, and different loads are told', async () => {
    const rows = constantRows(DAY, 15, { consommation: 50_000 });
    const more = [
      { quarter: 7, values: { consommation: 49_000 } },
      { quarter: 8, values: { nucleaire: 30_000 } },
    ];
    for (const order of [
      [...rows, ...more],
      [...more, ...rows],
    ]) {
      const [done] = await runner.core([await portal('tr', order)], [DAY]);
      const core = await coreRows(done);
      expect(core).toHaveLength(96);
      expect(core[7]).toMatchObject({ load_mw: 49_000 });
      expect(core[8]).toMatchObject({ load_mw: 50_000, nuclear_mw: 30_000 });
      expect(checkOf(done, 'one-load-per-instant')).toMatchObject({
        severity: 'warn',
        tested: 96,
        failed: 1,
      });
    }
  });
});

describe('the checks of core', () => {
  const balanced = {
    ...{
      consommation: 50_000,
      nucleaire: 40_000,
      hydraulique: 6_000,
      eolien: 3_000,
      solaire: 0,
      bioenergies: 1_000,
    },
    ...{ gaz: 2_000, charbon: 0, fioul: 100, pompage: -100, ech_physiques: -2_000 },
  };
  const measures = [
    ...Object.keys(balanced),
    'stockage_batterie',
    'destockage_batterie',
    'taux_co2',
  ];

  async function check(id: string, values: PortalRow['values'], nature?: string) {
    const rows = constantRows(DAY, 15, { ...balanced, ...values }, nature);
    const source = await portal(nature === undefined ? 'tr' : 'cons-def', rows, DAY, measures);
    return checkOf((await runner.core([source], [DAY]))[0], id);
  }

  it('balance within one megawatt, and five once batteries are published', async () => {
    expect(await check('balance', { ech_physiques: -2_001 })).toMatchObject({
      tested: 96,
      failed: 0,
    });
    expect(await check('balance', { ech_physiques: -2_002 })).toMatchObject({
      failed: 96,
      severity: 'warn',
    });
    const batteries = { stockage_batterie: -20, destockage_batterie: 15 };
    expect(await check('balance', batteries)).toMatchObject({ tested: 96, failed: 0 });
    expect(await check('balance', { ...batteries, ech_physiques: -2_001 })).toMatchObject({
      failed: 96,
    });
  });

  it('allow consolidated rows one percent, and hold a tenth', async () => {
    expect(await check('balance', { ech_physiques: -2_107 }, CONSOLIDATED)).toMatchObject({
      tested: 96,
      failed: 0,
    });
    expect(await check('balance', { ech_physiques: -2_600 }, CONSOLIDATED)).toMatchObject({
      failed: 96,
    });
    expect(await check('gross-balance', { ech_physiques: -2_600 })).toMatchObject({ failed: 0 });
    expect(await check('gross-balance', { ech_physiques: 4_000 })).toMatchObject({
      failed: 96,
      severity: 'hold',
    });
  });

  it('do not balance rows with an unknown term', async () => {
    expect(await check('balance', { gaz: null })).toMatchObject({ tested: 0, failed: 0 });
  });

  it('know the signs', async () => {
    expect(await check('signs', { stockage_batterie: -5, destockage_batterie: 5 })).toMatchObject({
      failed: 0,
    });
    for (const values of [{ pompage: 1 }, { stockage_batterie: 1 }, { destockage_batterie: -1 }]) {
      expect(await check('signs', values)).toMatchObject({ failed: 96 });
    }
  });

  it('hold a load that cannot be, and warn of odd generation and intensity', async () => {
    expect(await check('plausible-load', { consommation: 5_000 })).toMatchObject({
      failed: 96,
      severity: 'hold',
    });
    expect(await check('plausible-load', { consommation: 102_098 })).toMatchObject({ failed: 0 });
    expect(await check('plausible-generation', { fioul: -4 })).toMatchObject({ failed: 0 });
    expect(await check('plausible-generation', { solaire: -400 })).toMatchObject({
      failed: 96,
      severity: 'warn',
    });
    expect(await check('plausible-co2', { taux_co2: 1_500 })).toMatchObject({
      failed: 96,
      severity: 'warn',
    });
  });

  it('hold an instant that is no quarter of an hour', async () => {
    const text = portalCsv(DAY, constantRows(DAY, 15, { consommation: 50_000 }), MEASURES).replace(
      'T00:15:00',
      'T00:07:00',
    );
    const [done] = await runner.core([{ part: 'tr', path: await runner.file('tr', text) }], [DAY]);
    expect(checkOf(done, 'quarter-grid')).toMatchObject({
      failed: 1,
      severity: 'hold',
      examples: [{ instant: '2024-01-14T23:07:00Z', source_part: 'tr' }],
    });
  });
});
