import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { RidesMetrics } from '../../../src/datasets/cityflow/transport/rides-day.ts';
import { rideCount } from '../../../src/datasets/cityflow/transport/rides.ts';
import type { ServiceMetrics } from '../../../src/datasets/cityflow/transport/service-day.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { runDay } from '../../fixtures/run-day.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import {
  checkOf,
  hashOf,
  openStepRunner,
  readOutput,
  rejection,
} from '../../fixtures/step-runner.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import {
  RAIL_HEADER,
  railRows,
  SERVICE_HEADER,
  serviceRow,
  SURFACE_HEADER,
  surfaceRows,
  table,
} from './transport-data.ts';

const DAY = '2025-05-12';
const NEXT = '2025-05-13';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

const SURFACE = table(SURFACE_HEADER, [
  ...surfaceRows('12/05/2025', {
    'Forfait Navigo': '1 234',
    'Imagine R': 'Moins de 5',
    Amethyste: 5,
  }),
  // The other direction of the line.
  ...surfaceRows('12/05/2025', { 'Forfait Navigo': 66 }).map((row) =>
    row.replace('Ligne 021', 'Ligne 021 retour'),
  ),
  ...surfaceRows('13/05/2025', { 'Forfait Navigo': 900 }),
  ...surfaceRows('12/05/2025', { 'Forfait Navigo': 300 }, '91'),
]);
const RAIL = table(RAIL_HEADER, [
  ...railRows(DAY, { 'Forfaits courts': 12_487, 'NON DEFINI': 73 }),
  ...railRows(NEXT, { 'Forfaits courts': 10_000 }),
]);
const SERVICE = table(SERVICE_HEADER, [
  serviceRow({ quarter: 'T1', year: 2025, result: '91,5', penalty: 'Oui' }),
  serviceRow({ quarter: 'T2', year: 2025, result: '97.5' }),
  serviceRow({ quarter: 'T2', year: 2025, result: '94.5', line: '13', penalty: 'Oui' }),
  serviceRow({
    quarter: 'T2',
    year: 2025,
    result: '88',
    operator: 'SNCF',
    mode: 'rail',
    target: '92',
    line: 'D',
  }),
]);

describe('files of public transport', () => {
  it.each([
    ['validations-surface.csv', SURFACE, 'validations', DAY, NEXT, 6],
    ['validations-ferre.csv', RAIL, 'validations-rail', DAY, NEXT, 3],
    ['qualite.csv', SERVICE, 'service-quality', '2025-01-01', '2025-06-30', 4],
  ])(
    '%s is recognised by its content, with the days that it is for',
    async (name, text, part, from, to, rows) => {
      const found = await runner.recognise(await runner.file(name, text));
      expect(found).toMatchObject({ part, from, to, rows, columns: { unknown: [], missing: [] } });
    },
  );

  it.each([
    [
      'days.csv',
      SURFACE.replace('13/05/2025', 'hier'),
      /1 row whose day cannot be read, such as "hier" in line 6, column "[^"]+"/,
    ],
    [
      'quarters.csv',
      SERVICE.replaceAll(';T1;', ';S1;'),
      /1 row whose quarter cannot be read, such as "S1 2025" in line 2, column "[^"]+" and "[^"]+"/,
    ],
    [
      'counts.csv',
      RAIL.replace('12487', 'beaucoup'),
      /number of validations cannot be read, such as "beaucoup" in line 2/,
    ],
    ['renamed.csv', SURFACE.replace('NB_VALD', 'NOMBRE'), /has no column nb vald/],
    [
      'profiles.csv',
      'CODE_STIF_LIGNE;CAT_JOUR;TRNC_HORR_60;pourc_validations\n021;JOHV;8H-9H;7,5\n',
      /its columns are \["CODE_STIF_LIGNE"/,
    ],
  ])('%s is refused with file, place and what can be imported', async (name, text, place) => {
    const refused = await rejection(runner.recognise(await runner.file(name, text)));
    expect(refused.code).toBe('INPUT_INVALID');
    expect(refused.message).toContain(name);
    expect(refused.message).toMatch(place);
    expect(refused.message).toContain('What can be imported:');
  });
});

describe('validations', () => {
  it('are one row per network, line or station and ticket, and small numbers stay unknown', async () => {
    const days = await runner.days(
      [
        { part: 'validations', path: await runner.file('surface.csv', SURFACE) },
        { part: 'validations-rail', path: await runner.file('rail.csv', RAIL) },
      ],
      [DAY, NEXT],
    );
    const done = days.get(DAY)!['transform/validations']!;
    expect(checkOf(done, 'readable-validations')).toMatchObject({ tested: 7, failed: 0 });
    const rows = await runner.sql((sql) =>
      sql.rows(
        `SELECT network, unit_id, category, validations, at_most FROM read_parquet('${done.outputs['core']!.path}')`,
      ),
    );
    expect(rows).toEqual([
      {
        network: 'ferré',
        unit_id: '100-110-862',
        category: 'Forfaits courts',
        validations: 12_487,
        at_most: 12_487,
      },
      {
        network: 'ferré',
        unit_id: '100-110-862',
        category: 'NON DEFINI',
        validations: 73,
        at_most: 73,
      },
      {
        network: 'surface',
        unit_id: '100-110-021',
        category: 'Amethyste',
        validations: null,
        at_most: 5,
      },
      {
        network: 'surface',
        unit_id: '100-110-021',
        category: 'Forfait Navigo',
        validations: 1_300,
        at_most: 1_300,
      },
      {
        network: 'surface',
        unit_id: '100-110-021',
        category: 'Imagine R',
        validations: null,
        at_most: 4,
      },
      {
        network: 'surface',
        unit_id: '100-110-91',
        category: 'Forfait Navigo',
        validations: 300,
        at_most: 300,
      },
    ]);
    const metrics = await readOutput<RidesMetrics>(
      days.get(DAY)!['metrics/validations'],
      'metrics',
    );
    expect(metrics).toMatchObject({
      coverage: { lignes: 2, stations: 1, valeurs_masquees: 2 },
      total_validations: 14_160,
      total_au_plus: 14_169,
      par_reseau: { surface: 1_600, ferré: 12_560 },
      par_categorie: {
        'Forfait Navigo': 1_600,
        'Forfaits courts': 12_487,
        'NON DEFINI': 73,
        Amethyste: 0,
      },
    });
    expect(
      metrics.top_10_lignes.map(({ identifiant, validations }) => [identifiant, validations]),
    ).toEqual([
      ['100-110-021', 1_300],
      ['100-110-91', 300],
    ]);
  });

  it.each([
    ['1 234', { exactly: 1_234, atMost: 1_234 }],
    ['Moins de 5', { exactly: null, atMost: 4 }],
    ['5', { exactly: null, atMost: 5 }],
    ['12.0', { exactly: 12, atMost: 12 }],
    ['0', { exactly: 0, atMost: 0 }],
    ['?', undefined],
    ['-3', undefined],
  ])('read %s', (text, count) => {
    expect(rideCount(text)).toEqual(count);
  });
});

describe('the quality of service', () => {
  it('of a day is that of its quarter, and all days of a quarter share one file', async () => {
    const days = await runner.days(
      [{ part: 'service-quality', path: await runner.file('quality.csv', SERVICE) }],
      ['2025-03-31', DAY, NEXT, '2025-07-01'],
    );
    const done = (date: string) => days.get(date)!['transform/service-quality'];
    expect(hashOf(done(DAY), 'core')).toBe(hashOf(done(NEXT), 'core'));
    expect(done('2025-07-01')).toBeUndefined();
    const metrics = await readOutput<ServiceMetrics>(
      days.get(DAY)!['metrics/service-quality'],
      'metrics',
    );
    expect(metrics).toMatchObject({ trimestre: '2025-T2', score_qualite_moyen: 93.3333 });
    expect(metrics.groupes).toEqual([
      {
        ...{
          operateur: 'RATP',
          mode: 'metro',
          trimestre: '2025-T2',
          indicateurs: 2,
          score_qualite_moyen: 96,
        },
        ...{ objectifs_atteints: 1, objectifs: 2, penalites_total: 1 },
      },
      {
        ...{
          operateur: 'SNCF',
          mode: 'rail',
          trimestre: '2025-T2',
          indicateurs: 1,
          score_qualite_moyen: 88,
        },
        ...{ objectifs_atteints: 0, objectifs: 1, penalites_total: 0 },
      },
    ]);
    expect(metrics.sous_objectif.map(({ line, gap_pct }) => [line, gap_pct])).toEqual([
      ['D', -4],
      ['13', -2],
    ]);
    const before = await readOutput<ServiceMetrics>(
      days.get('2025-03-31')!['metrics/service-quality'],
      'metrics',
    );
    expect(before).toMatchObject({ trimestre: '2025-T1', score_qualite_moyen: 91.5 });
  });
});

describe('a day with imported files alone', () => {
  it('has their metrics, and a day without them lacks nothing for it', async () => {
    const engine = await openTestEngine([cityflow]);
    try {
      const file = await runner.file('surface.csv', SURFACE);
      expect(await importFile(engine, 'cityflow', file, testControl())).toMatchObject({
        days: 2,
        failed: [],
      });
      await runDay(engine, 'cityflow', DAY, { offline: true });
      const manifest = (await newestManifests(engine.documents, 'cityflow', [DAY])).get(DAY);
      expect(manifest?.steps['metrics/validations']).toMatchObject({ state: 'done' });
      expect(manifest?.steps['metrics/service-quality']).toMatchObject({ state: 'skipped' });
      expect(
        (await engine.objects.head(`processed/metrics/validations_metrics_${DAY}.json`))?.bytes,
      ).toBeGreaterThan(100);
    } finally {
      await engine.close();
    }
  });
});
