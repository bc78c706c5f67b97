import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { Report } from '../../../src/datasets/cityflow/report/model.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal, RequestMatch } from '@quotidien/sample-portal/portal';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { countLine, countsCsv } from './made-data.ts';

/** City days through the engine without Temporal, where something is wrong or comes again. */

const DAY = '2026-05-05';
const NOW = new Date('2026-05-20T10:00:00Z');
/** A list of roadworks tells of the day that has just ended, and of none before it. */
const NEXT_DAY = new Date('2026-05-06T10:00:00Z');

let portal: Portal;
beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
});
afterAll(() => portal.close());

async function withEngine<T>(use: (engine: TestEngine) => Promise<T>): Promise<T> {
  const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
  const hosts = { paris: host, idfm: host, 'visual-crossing': host, 'open-meteo': host };
  const engine = await openTestEngine(Object.values(configuredDatasets({ cityflow }, hosts)), {
    now: () => NEXT_DAY,
  });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function published(engine: TestEngine, name: string): Promise<string> {
  return readFile(path.join(engine.home, 'store', 'processed', 'reports', name), 'utf8');
}

/** Every CSV section by its title: the number of fields of each of its rows. */
function widths(csv: string): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  let title = '';
  for (const line of csv.trimEnd().split('\r\n')) {
    if (line.startsWith('===')) title = line;
    else if (line.replaceAll(';', '') !== '') (found[title] ??= []).push(line.split(';').length);
  }
  return found;
}

const NOT_TAKEN = 'la réponse du diffuseur n’a pas pu être prise';

const CORRUPT: readonly (readonly [section: keyof Report['sections'], match: RequestMatch])[] = [
  ['bikes', { dataset: 'comptage-velo-donnees-compteurs', endpoint: 'export' }],
  ['traffic', { path: /navitia/ }],
  ['weather', { path: /VisualCrossing|archive/ }],
  ['comptages', { dataset: 'comptages-routiers-permanents', endpoint: 'export' }],
  ['chantiers', { dataset: 'chantiers-perturbants', endpoint: 'export' }],
  ['referentiel', { dataset: 'referentiel-comptages-routiers', endpoint: 'export' }],
];

describe('a day whose source answers with an error page', () => {
  it.each(CORRUPT)(
    '%s: has its report, the section says so, and the CSV keeps its shape',
    async (section, match) => {
      const undo = portal.behave({ kind: 'html', match });
      try {
        await withEngine(async (engine) => {
          const { outcome } = await runDay(engine, 'cityflow', DAY);
          expect(outcome.verdict).toBe('degraded');
          const report = JSON.parse(await published(engine, `daily_report_${DAY}.json`)) as Report;
          expect(report.sections[section]).toBe('no_data');
          // The weather has two publishers; of a list that there is none of, it is also told for
          // how long one would count.
          const { reasons } = report.section_details[section];
          expect(reasons).toContain(`${section} : ${NOT_TAKEN}`);
          const others = Object.entries(report.sections).filter(
            ([name]) => name !== section && name !== 'comptages',
          );
          expect(others.map(([, status]) => status)).toEqual(others.map(() => 'ok'));
          const shape = widths(await published(engine, `daily_report_${DAY}.csv`));
          expect(Object.keys(shape)).toHaveLength(6);
          for (const [title, fields] of Object.entries(shape))
            expect(new Set(fields).size, title).toBe(1);
        });
      } finally {
        undo();
      }
    },
  );
});

describe('road counts that are published again with one more day', () => {
  it('run that one day, and leave the others as they are', async () => {
    const counts = (dates: readonly CivilDate[]): string =>
      countsCsv(
        [...dates]
          .reverse()
          .flatMap((date) =>
            Array.from({ length: 24 }, (_, hour) =>
              countLine(date, { arc: '7', hour, q: hour * 10, k: hour }),
            ),
          ),
      );
    await withEngine(async (engine) => {
      const give = async (dates: readonly CivilDate[]): Promise<void> => {
        const file = path.join(engine.home, 'counts.csv');
        await writeFile(file, counts(dates));
        await importFile(engine, 'cityflow', file, testControl());
      };
      const days = ['2026-05-02', '2026-05-03', '2026-05-04'];
      await give(days.slice(0, 2));
      for (const date of days) await runDay(engine, 'cityflow', date, { offline: true });
      await give(days);
      const { definition } = engine.datasets['cityflow']!;
      const { plans } = await planFromStores(engine, definition, days, { offline: true });
      const transforms = plans.map(
        ({ steps }) => steps.find(({ step }) => step === 'transform/comptages')?.action,
      );
      expect(transforms).toEqual(['reuse', 'reuse', 'run']);
      expect(plans.map(({ upToDate }) => upToDate)).toEqual([true, true, false]);
    });
  });
});

describe('a column under another name, on a day about which nothing is known', () => {
  it.each([
    ['comptages', 'comptages-routiers-permanents', 'Etat trafic'],
    ['referentiel', 'referentiel-comptages-routiers', 'DATE_DEBUT'],
    ['chantiers', 'chantiers-perturbants', 'Statut'],
  ])('holds %s', async (part, dataset, column) => {
    await withEngine(async (engine) => {
      const match = { dataset, endpoint: 'export' } as const;
      const undo = portal.behave({
        kind: 'header',
        change: { rename: column, to: 'renommée' },
        match,
      });
      try {
        expect(await runDay(engine, 'cityflow', DAY)).toMatchObject({
          held: [`transform/${part}`],
          version: 0,
        });
      } finally {
        undo();
      }
    });
  });
});
