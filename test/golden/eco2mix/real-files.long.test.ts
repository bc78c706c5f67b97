import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { publishDownloads } from '../../../src/engine/download/publish-downloads.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../../src/ports/objects.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { collectText } from '../../conformance/byte-streams.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import { runDays, settleDerived } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * The publisher's real files through the whole engine, against numbers that plain SQL finds in the
 * raw files.
 */

let portal: Portal;
let engine: TestEngine;

beforeAll(async () => {
  // Before the consolidated data of December come out: all there is is the real file.
  portal = await startPortal({
    now: () => new Date('2022-01-05T08:00:00Z'),
    folder: realData('eco2mix'),
  });
  const configured = configuredDatasets(
    { eco2mix },
    { odre: { url: portal.url, requestsPerSecond: 1_000 } },
  );
  engine = await openTestEngine(Object.values(configured));
});

afterAll(async () => {
  await engine.close();
  await portal.close();
});

async function rows<T extends object>(sql: string): Promise<T[]> {
  return engine.sql!.session((session) => session.rows<T>(sql));
}

async function manifestOf(scope: string) {
  return (await newestManifests(engine.documents, 'eco2mix', [scope])).get(scope)!;
}

async function refOf(
  scope: string,
  step: `${'transform' | 'metrics' | 'rollup'}/${string}`,
  output: string,
): Promise<ArtefactRef> {
  const state = (await manifestOf(scope)).steps[step];
  if (state?.state !== 'done') throw new Error(`${step} of ${scope} is not done`);
  return state.outputs[output]!;
}

async function outputOf(...named: Parameters<typeof refOf>): Promise<string> {
  return (await engine.objects.openLocal(await refOf(...named)))!;
}

async function metricsOf(date: CivilDate): Promise<DayMetrics> {
  const { key } = await refOf(date, 'metrics/national', 'metrics');
  return JSON.parse(await collectText(await engine.objects.get(key))) as DayMetrics;
}

/** Runs a window; answers the days that it could not make. */
async function careful(dates: readonly CivilDate[], offline = false): Promise<CivilDate[]> {
  const outcomes = await runDays(engine, 'eco2mix', dates, { offline });
  return [...outcomes.values()].filter(({ verdict }) => verdict !== 'ok').map(({ date }) => date);
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

describeOnRealFiles(
  'the real-time export of December 2021',
  ['eco2mix/eco2mix-national-tr.csv'],
  () => {
    const dates = datesBetween('2021-12-01', '2021-12-31');
    const raw = (): string =>
      `read_csv('${realData('eco2mix/eco2mix-national-tr.csv')}', delim = ';', header = true, all_varchar = true)`;

    beforeAll(async () => {
      expect(await careful(dates)).toEqual([]);
    });

    it('gives 31 days with 2,976 rows in all, none doubled', async () => {
      const files = await Promise.all(
        dates.map((date) => outputOf(date, 'transform/national', 'core')),
      );
      const list = files.map((file) => `'${file}'`).join(', ');
      const [count] = await rows(
        `SELECT count(*) AS rows, count(DISTINCT instant_at) AS instants FROM read_parquet([${list}])`,
      );
      expect(count).toEqual({ rows: 2_976, instants: 2_976 });
    });

    it('passes every check on every day', async () => {
      for (const date of dates) {
        const { steps, verdict } = await manifestOf(date);
        const transform = steps['transform/national'];
        expect(transform?.state === 'done' ? transform.failedChecks : undefined, date).toEqual([]);
        expect(verdict, date).toBe('ok');
      }
    });

    it('has the month’s energy that one line of SQL finds in the raw file', async () => {
      const [expected] = await rows<{ mwh: number }>(
        `SELECT sum("Consommation (MW)"::BIGINT)::DOUBLE / 4 AS mwh FROM ${raw()} WHERE "Consommation (MW)" <> ''`,
      );
      const days = await Promise.all(dates.map(metricsOf));
      expect(sum(days.map((day) => day.load.energy_mwh))).toBe(expected!.mwh);
      expect(days.every((day) => day.load.coverage === 1)).toBe(true);
    });

    it('has half-hourly commercial exchanges beside quarter-hourly load, both completely covered', async () => {
      const day = await metricsOf('2021-12-15');
      expect(day.load).toMatchObject({ expected_samples: 96, observed_samples: 96 });
      expect(day.exchanges.by_border.espagne).toMatchObject({
        expected_samples: 48,
        observed_samples: 48,
        coverage: 1,
      });
      const [expected] = await rows<{ imported: number; exported: number }>(
        `SELECT sum(greatest(p, 0)) / 2 AS imported, sum(greatest(-p, 0)) / 2 AS exported
       FROM (SELECT "Ech. comm. Espagne (MW)"::INT AS p FROM ${raw()} WHERE "Date" = '2021-12-15' AND "Ech. comm. Espagne (MW)" <> '')`,
      );
      expect(day.exchanges.by_border.espagne).toMatchObject({
        import_mwh: expected!.imported,
        export_mwh: expected!.exported,
      });
    });

    it('publishes the month under its fixed names, with the same energy', async () => {
      await settleDerived(engine, 'eco2mix', dates);
      const path = `${engine.home}/store/02_clean/consommation_mensuelle.parquet`;
      const [month] = await rows(
        `SELECT annee_mois_str, consommation_mensuelle::DOUBLE AS mwh FROM read_parquet('${path}')`,
      );
      const [expected] = await rows<{ mwh: number }>(
        `SELECT sum("Consommation (MW)"::BIGINT)::DOUBLE / 4 AS mwh FROM ${raw()} WHERE "Consommation (MW)" <> ''`,
      );
      expect(month).toEqual({ annee_mois_str: '2021-12', mwh: expected!.mwh });
      const [curve] = await rows(
        `SELECT count(*) AS rows, any_value(source) AS source FROM read_parquet('${engine.home}/store/02_clean/consommation_france_puissance.parquet')`,
      );
      expect(curve).toEqual({ rows: 2_976, source: 'Temps Réel' });
    });

    it('publishes the exports of the earlier pages, with the figures of the raw file', async () => {
      const lines = async (name: string): Promise<string[][]> =>
        (await readFile(`${engine.home}/store/02_clean/${name}.csv`, 'utf8'))
          .trimEnd()
          .split('\n')
          .map((line) => line.split(';'));
      const figure = (text: string | undefined): number => Number(text?.replace(',', '.'));
      const [power, ...powers] = await lines('consommation_puissance_2021');
      expect(power).toEqual(['\uFEFFdate_heure', 'consommation_mw', 'source']);
      expect(powers).toHaveLength(2_976);
      const [load] = await rows<{ mw: number }>(
        `SELECT sum("Consommation (MW)"::BIGINT)::DOUBLE AS mw FROM ${raw()} WHERE "Consommation (MW)" <> ''`,
      );
      expect(sum(powers.map((line) => figure(line[1])))).toBe(load!.mw);
      const [heads, trade] = await lines('echanges_annuels');
      const [spain] = await rows<{ sold: number; bought: number }>(
        `SELECT sum(greatest(-p, 0)) / 2 AS sold, sum(greatest(p, 0)) / 2 AS bought
       FROM (SELECT "Ech. comm. Espagne (MW)"::INT AS p FROM ${raw()} WHERE "Ech. comm. Espagne (MW)" <> '')`,
      );
      expect(
        ['import', 'export', 'solde'].map((way) =>
          figure(trade![heads!.indexOf(`espagne_${way}_mwh`)]),
        ),
      ).toEqual([spain!.bought, spain!.sold, spain!.sold - spain!.bought]);
      const [names, year] = await lines('production_annuelle');
      const [nuclear] = await rows<{ mwh: number }>(
        `SELECT sum("Nucléaire (MW)"::INT) / 4 AS mwh FROM ${raw()}`,
      );
      expect(figure(year![names!.indexOf('nucleaire_mwh')])).toBe(nuclear!.mwh);
    });

    it('logs the download by the days of the file, and tells its freshness', async () => {
      await publishDownloads(engine, 'eco2mix');
      const log = await readFile(`${engine.home}/store/logs/download_log.csv`, 'utf8');
      const line = log.split('\n').find((one) => one.startsWith('eco2mix-national-tr,'))!;
      const [, , count, columns, from, to] = line.split(',');
      expect([count, columns, from, to]).toEqual(['2976', '37', '2021-12-01', '2021-12-31']);
      const state = JSON.parse(
        await readFile(`${engine.home}/store/state/odre_freshness.json`, 'utf8'),
      ) as object;
      expect(Object.keys(state)).toContain('eco2mix-national-tr');
    });
  },
);

describeOnRealFiles('RTE’s yearly definitive load of 2018', ['eco2mix/rte_2018.csv'], () => {
  const dates = datesBetween('2018-01-01', '2018-12-31');

  beforeAll(async () => {
    const result = await importFile(
      engine,
      'eco2mix',
      realData('eco2mix/rte_2018.csv'),
      testControl(),
    );
    expect(result).toMatchObject({
      days: 365,
      failed: [],
      recognised: { from: '2018-01-01', to: '2018-12-31' },
    });
    for (let month = 1; month <= 12; month += 1) {
      const wanted = dates.filter((date) => Number(date.slice(5, 7)) === month);
      expect(await careful(wanted, true)).toEqual([]);
    }
  });

  it('has 46 half-hours on the spring day: the phantoms are gone', async () => {
    const day = await metricsOf('2018-03-25');
    expect(day.load).toMatchObject({ expected_samples: 46, observed_samples: 46, coverage: 1 });
  });

  it('says that an hour of the autumn day is missing: 48 of 50', async () => {
    const day = await metricsOf('2018-10-28');
    expect(day.load).toMatchObject({ expected_samples: 50, observed_samples: 48, coverage: 0.96 });
  });

  it('has the year’s energy from its days that the valid instants of the raw file have', async () => {
    const days = await Promise.all(dates.map(metricsOf));
    const [expected] = await rows<{ mwh: number }>(
      `SELECT sum("Consommation"::BIGINT)::DOUBLE / 2 AS mwh
       FROM read_csv('${realData('eco2mix/rte_2018.csv')}', delim = ';', header = true, all_varchar = true)
       WHERE "Consommation" <> '' AND NOT ("Date" = '25/03/2018' AND "Heures" IN ('02:00', '02:15', '02:30', '02:45'))`,
    );
    expect(sum(days.map((day) => day.load.energy_mwh))).toBe(expected!.mwh);
    expect(new Set(days.map((day) => day.revision))).toEqual(new Set(['definitive']));
  });
});

describeOnRealFiles(
  'RTE’s own table of June 2016',
  ['eco2mix/eCO2mix_RTE_En-cours-TR_2016.xls'],
  () => {
    it('reads ND as no value, past the trailing tab and the disclaimer, and knows where the future begins', async () => {
      const result = await importFile(
        engine,
        'eco2mix',
        realData('eco2mix/eCO2mix_RTE_En-cours-TR_2016.xls'),
        testControl(),
      );
      expect(result).toMatchObject({
        failed: [],
        recognised: { from: '2016-06-01', to: '2016-06-26', rows: 2_496 },
      });
      expect(await careful(datesBetween('2016-06-01', '2016-06-26'), true)).toEqual(['2016-06-26']);
      expect((await metricsOf('2016-06-10')).load).toMatchObject({
        expected_samples: 96,
        observed_samples: 96,
      });
      const last = await metricsOf('2016-06-25');
      expect(last.load).toMatchObject({ expected_samples: 96, observed_samples: 40 });
      expect(last.revision).toBe('provisional');
    });
  },
);
