import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mixRegional } from '../../../src/datasets/eco2mix-regional/index.ts';
import type {
  RegionDay,
  RegionsDay,
} from '../../../src/datasets/eco2mix-regional/metrics-model.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';
import {
  checkOf,
  dayUnit,
  openStepRunner,
  readOutput,
  rejection,
} from '../../fixtures/step-runner.ts';
import type { RegionalRow } from './regional-csv.ts';
import { LABELS, quartersOf, regionalCsv } from './regional-csv.ts';

let runner: StepRunner;

beforeAll(async () => {
  runner = await openStepRunner(eco2mixRegional);
});
afterAll(() => runner.close());

interface Given {
  readonly part: 'tr' | 'cons-def';
  readonly csv: string;
}

async function coreOf(date: string, given: readonly Given[]): Promise<Done> {
  const inputs: Record<string, Done['outputs'][string][]> = {};
  for (const { part, csv } of given) {
    const [sliced] = await runner.slice({ part, path: await runner.file('export.csv', csv) }, [
      date,
    ]);
    if (sliced!.outputs['slice'] !== undefined) inputs[part] = [sliced!.outputs['slice']];
  }
  const [core] = await runner.step('transform/regions', [dayUnit(date, inputs)]);
  return core!;
}

async function dayOf(date: string, given: readonly Given[]): Promise<RegionsDay> {
  const core = await coreOf(date, given);
  const [measured] = await runner.step('metrics/regions', [
    dayUnit(date, { core: [core.outputs['core']!] }),
  ]);
  return readOutput<RegionsDay>(measured, 'metrics');
}

function regionOf({ regions }: RegionsDay, code: string): RegionDay {
  return regions.find((region) => region.code === code)!;
}

/** A load of so many MW at every step of a day. */
function loads(
  date: string,
  region: string,
  mw: number,
  step: 1 | 2,
  more: RegionalRow['values'] = {},
): RegionalRow[] {
  return Array.from({ length: quartersOf(date) / step }, (_, index) => {
    return {
      region,
      quarter: index * step,
      values: { consommation: mw, ech_physiques: mw, ...more },
    };
  });
}

describe('the energy of a region', () => {
  it.each([
    ['2024-01-15', 24],
    ['2024-03-31', 23],
    ['2024-10-27', 25],
  ])('on %s is that of %i hours, at both steps', async (date, hours) => {
    const real = regionalCsv(date, 'Données temps réel', loads(date, '53', 3_000, 1));
    const consolidated = regionalCsv(date, 'Données consolidées', loads(date, '53', 3_000, 2));
    for (const given of [
      [{ part: 'tr', csv: real }],
      [{ part: 'cons-def', csv: consolidated }],
      [
        { part: 'tr', csv: real },
        { part: 'cons-def', csv: consolidated },
      ],
    ] as const) {
      const { load } = regionOf(await dayOf(date, given), '53');
      expect(load).toMatchObject({ energy_mwh: 3_000 * hours, coverage: 1, mean_mw: 3_000 });
    }
  });

  it('is that of what was observed where a gap is, and says how much of the day that is', async () => {
    const rows = loads('2024-01-15', '11', 8_000, 1).filter(({ quarter }) => quarter < 24);
    const day = await dayOf('2024-01-15', [
      { part: 'tr', csv: regionalCsv('2024-01-15', 'Données temps réel', rows) },
    ]);
    expect(regionOf(day, '11').load).toMatchObject({ energy_mwh: 48_000, coverage: 0.25 });
    expect(regionOf(day, '93').load).toEqual({
      energy_mwh: null,
      coverage: 0,
      mean_mw: null,
      peak: null,
    });
  });

  it('does not stretch a real-time sample over a missing quarter', async () => {
    const rows = loads('2024-01-15', '11', 8_000, 1).filter(({ quarter }) => quarter !== 5);
    const day = await dayOf('2024-01-15', [
      { part: 'tr', csv: regionalCsv('2024-01-15', 'Données temps réel', rows) },
    ]);
    expect(regionOf(day, '11').load.energy_mwh).toBe(8_000 * 24 - 2_000);
  });
});

describe('revisions', () => {
  it('count per column: the best row that has a value gives it', async () => {
    const date = '2024-01-15';
    const real = regionalCsv(
      date,
      'Données temps réel',
      loads(date, '75', 5_000, 1, { eolien: 400 }),
    );
    const consolidated = regionalCsv(date, 'Données consolidées', loads(date, '75', 5_100, 2));
    const day = await dayOf(date, [
      { part: 'tr', csv: real },
      { part: 'cons-def', csv: consolidated },
    ]);
    const { load, generation } = regionOf(day, '75');
    // Consolidated values stand at the half-hours, real time between them.
    expect(load.energy_mwh).toBe((5_100 + 5_000) * 12);
    expect(generation.by_source.eolien).toMatchObject({ energy_mwh: 400 * 24, coverage: 1 });
    expect(day.revision).toBe('provisional');
  });
});

describe('rates', () => {
  it('are the part of the load over the day, and the mean of the published load factors', async () => {
    const date = '2024-01-15';
    const rows = loads(date, '32', 6_000, 1).map((row): RegionalRow => {
      const eolien = row.quarter < 48 ? 3_000 : 1_000;
      const tco = ((100 * eolien) / 6_000).toFixed(2);
      const values = {
        ...row.values,
        eolien,
        ech_physiques: 6_000 - eolien,
        tco_eolien: tco,
        tch_eolien: row.quarter < 48 ? 50 : 20,
      };
      return { ...row, values };
    });
    const core = await coreOf(date, [
      { part: 'tr', csv: regionalCsv(date, 'Données temps réel', rows) },
    ]);
    expect(checkOf(core, 'coverage-rates')).toMatchObject({ tested: 96, failed: 0 });
    const day = await dayOf(date, [
      { part: 'tr', csv: regionalCsv(date, 'Données temps réel', rows) },
    ]);
    expect(regionOf(day, '32').generation.by_source.eolien).toEqual({
      energy_mwh: 48_000,
      coverage: 1,
      coverage_rate_pct: 33.33,
      load_factor_pct: 35,
    });
  });

  it('are warned of where they are not the part of the load', async () => {
    const rows = loads('2024-01-15', '32', 6_000, 1, { eolien: 3_000, tco_eolien: '12.5' });
    const core = await coreOf('2024-01-15', [
      { part: 'tr', csv: regionalCsv('2024-01-15', 'Données temps réel', rows) },
    ]);
    expect(checkOf(core, 'coverage-rates')).toMatchObject({
      failed: 96,
      examples: [{ region: '32' }, {}, {}],
    });
  });
});

describe('published rows', () => {
  const date = '2024-01-15';

  it('are the same slice under short names and under labels, whatever their order', async () => {
    const rows = [...loads(date, '11', 9_000, 2), ...loads(date, '84', 8_000, 2)];
    const labelled = regionalCsv(
      date,
      'Données consolidées',
      rows.toReversed(),
      (column) => LABELS[column] ?? column,
    );
    const days = await Promise.all(
      [regionalCsv(date, 'Données consolidées', rows), labelled].map((csv) =>
        dayOf(date, [{ part: 'cons-def', csv }]),
      ),
    );
    expect(days[0]).toEqual(days[1]);
    expect(regionOf(days[0]!, '84').load.energy_mwh).toBe(8_000 * 24);
  });

  it('once where they come twice, and without the phantoms of spring', async () => {
    const spring = '2024-03-31';
    const rows = loads(spring, '28', 2_000, 1);
    // The hour that does not exist, with the instants of the next one and other values.
    const phantoms = [8, 9, 10, 11].map((quarter): RegionalRow => {
      return {
        region: '28',
        quarter,
        clock: `02:${String((quarter - 8) * 15).padStart(2, '0')}`,
        values: { consommation: 9_999 },
      };
    });
    const csv = regionalCsv(spring, 'Données temps réel', [...phantoms, ...rows, ...rows]);
    expect(regionOf(await dayOf(spring, [{ part: 'tr', csv }]), '28').load.energy_mwh).toBe(
      2_000 * 23,
    );
  });

  it('without any value are no day', async () => {
    const rows = [{ region: '11', quarter: 0, values: {} }];
    const core = await coreOf(date, [
      { part: 'tr', csv: regionalCsv(date, 'Données temps réel', rows) },
    ]);
    expect(core.failure).toMatchObject({ code: 'SRC_NOT_PUBLISHED' });
  });

  it('of a region that nobody knows are kept and told of', async () => {
    const rows = [...loads(date, '11', 9_000, 1), ...loads(date, '94', 300, 1)];
    const csv = regionalCsv(date, 'Données temps réel', rows);
    const core = await coreOf(date, [{ part: 'tr', csv }]);
    expect(checkOf(core, 'known-regions')).toMatchObject({ failed: 96 });
    expect((await dayOf(date, [{ part: 'tr', csv }])).regions).toHaveLength(13);
  });

  it('that say ND or nothing have no value, and other words are told of', async () => {
    const rows = loads(date, '11', 9_000, 1, { eolien: 'ND', solaire: '-', nucleaire: 'x' });
    const core = await coreOf(date, [
      { part: 'tr', csv: regionalCsv(date, 'Données temps réel', rows) },
    ]);
    expect(checkOf(core, 'readable-values')).toMatchObject({
      severity: 'hold',
      failed: 96,
      examples: [{ unreadable: 'nucleaire=x' }, {}, {}],
    });
  });

  it('are refused without regions, instants, or as a national export', async () => {
    for (const [change, words] of [
      [(csv: string) => csv.replace('code_insee_region', 'area'), 'code_insee_region'],
      [(csv: string) => csv.replaceAll('+00:00', ''), 'time cannot be read'],
      [(csv: string) => csv.replace('libelle_region', 'perimetre'), 'perimetre'],
    ] as const) {
      const csv = change(regionalCsv(date, 'Données temps réel', loads(date, '11', 9_000, 2)));
      const error = await rejection(
        runner.slice({ part: 'tr', path: await runner.file('export.csv', csv) }, [date]),
      );
      expect(error.code).toBe('SRC_SHAPE_CHANGED');
      expect(error.message).toContain(words);
    }
  });

  it('are recognised by their columns and their nature', async () => {
    const csv = regionalCsv(
      date,
      'Données définitives',
      loads(date, '11', 9_000, 2),
      (column) => LABELS[column] ?? column,
    );
    expect(await runner.recognise(await runner.file('export.csv', csv))).toMatchObject({
      part: 'cons-def',
      from: date,
      to: date,
      rows: 48,
    });
    const error = await rejection(runner.recognise(await runner.file('other.csv', 'a;b\n1;2\n')));
    expect(error.code).toBe('INPUT_INVALID');
  });
});
