import { existsSync } from 'node:fs';
import { EventEmitter, once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImportOutcome, ImportResult } from '../../../src/engine/download/import-file.ts';
import { importFiles, importStored } from '../../../src/engine/download/import-file.ts';
import { namesUnder } from '../../../src/engine/download/raw-names.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { ObjectStore, PutOptions } from '../../../src/ports/objects.ts';
import { collectText } from '../../conformance/byte-streams.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { testControl, openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { BikesMetrics } from '../../../src/datasets/cityflow/metrics/bikes.ts';
import {
  bikePage,
  bikeRecord,
  countLine,
  countsCsv,
  disruption,
  DISTRICTS,
  networkCsv,
  SHAPE,
  weatherAnswer,
  WORK_HEADER,
} from './made-data.ts';

/** Raw files under the names that other programs know. */

const DAY = '2025-11-04';
let engine: TestEngine;

beforeEach(async () => {
  engine = await openTestEngine([cityflow]);
});
afterEach(() => engine.close());

async function file(name: string, text: string): Promise<string> {
  const target = path.join(engine.home, 'given', name);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
  return target;
}

/** One counter in one hour of the clock of Paris. */
function hour(clock: number, bikes: number, counter = '7'): object {
  return bikeRecord({ counter, at: `${DAY}T${String(clock).padStart(2, '0')}:00:00+01:00`, bikes });
}

/** Takes files in; the first one that cannot be is thrown. */
async function take(...files: string[]): Promise<ImportResult[]> {
  return results(await importFiles(engine, 'cityflow', files, testControl()));
}

function results(outcomes: readonly ImportOutcome[]): ImportResult[] {
  return outcomes.map((outcome) => {
    if ('code' in outcome) throw new PipelineError(outcome.code, outcome.message);
    return outcome;
  });
}

async function bikes(): Promise<BikesMetrics> {
  await runDay(engine, 'cityflow', DAY, { offline: true });
  const published = path.join(
    engine.home,
    'store',
    'processed',
    'metrics',
    `bikes_metrics_${DAY}.json`,
  );
  return JSON.parse(await readFile(published, 'utf8')) as BikesMetrics;
}

const hourly = (part: string, clock: string): string =>
  `raw/api/${part}/dt=${DAY}/hour=${clock}/${part}_data.json`;

describe('files of the hours of a day', () => {
  it('are kept under their own keys and read together: every page and every hour counts', async () => {
    const results = await take(
      await file(hourly('bikes', '08'), bikePage([hour(6, 10), hour(7, 20)])),
      await file(hourly('bikes', '09'), bikePage([hour(8, 40)])),
      await file(`second/${hourly('bikes', '09')}`, bikePage([hour(8, 5, '8')])),
    );
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({
      days: 1,
      failed: [],
      recognised: { part: 'bikes', from: DAY, to: DAY },
    });
    const names = await namesUnder(engine.objects, ['raw/api/']);
    expect(names.slice(0, 2)).toEqual([
      hourly('bikes', '08'),
      expect.stringContaining('/hour=09/bikes_data'),
    ]);
    expect(names).toHaveLength(3);
    expect((await bikes()).total_velos).toBe(75);
  });

  it('give the same day again when they are given again, in any order', async () => {
    const first = await file(hourly('bikes', '08'), bikePage([hour(7, 20)]));
    const second = await file(hourly('bikes', '09'), bikePage([hour(8, 40)]));
    const [given] = await take(first, second);
    const [again] = await take(second, first);
    expect(again!.rawKey).toBe(given!.rawKey);
  });

  it('hold hours of the neighbouring UTC days, where Paris has them', async () => {
    await take(
      await file(`raw/api/bikes/dt=2025-11-03/hour=23/bikes_data.json`, bikePage([hour(0, 3)])),
      await file(hourly('bikes', '08'), bikePage([hour(7, 20)])),
    );
    expect((await bikes()).total_velos).toBe(23);
  });
});

describe('objects that somebody else put into the store', () => {
  it('are taken in by their names, batch files by their content', async () => {
    const put = (key: string, text: string) =>
      engine.objects.put(key, Buffer.from(text), {
        mediaType: 'application/json',
        mode: 'replace',
      });
    for (let clock = 0; clock < 24; clock += 1) {
      await put(hourly('bikes', String(clock).padStart(2, '0')), bikePage([hour(clock, 10)]));
    }
    await put(
      hourly('weather', '10'),
      weatherAnswer(DAY, { temp: 11, tempmin: 8, tempmax: 14, precip: 0, windspeed: 9 }),
    );
    await put(
      hourly('traffic', '10'),
      JSON.stringify({
        disruptions: [disruption({ id: 'd', periods: [['20251104T060000', '20251104T070000']] })],
      }),
    );
    const counts = Array.from({ length: 24 }, (_, at) =>
      countLine(DAY, { arc: '1', hour: at, q: 100, k: 10 }),
    );
    await put('raw/batch/comptages-routiers-permanents-2.csv', countsCsv(counts));
    const taken = results(await importStored(engine, 'cityflow', testControl()));
    expect(taken.map(({ recognised: { part }, days }) => [part, days])).toEqual([
      ['comptages', 1],
      ['bikes', 1],
      ['traffic', 1],
      ['weather', 1],
    ]);
    expect((await bikes()).total_velos).toBe(240);
  });
});

/** The store, which does something first before it puts. */
function whenPut(objects: ObjectStore, first: (options: PutOptions) => Promise<void>): ObjectStore {
  const put: ObjectStore['put'] = async (key, body, options) => {
    await first(options);
    return objects.put(key, body, options);
  };
  return new Proxy(objects, {
    get(target, name) {
      const member: unknown = name === 'put' ? put : Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

describe('a batch file', () => {
  it('is put in place whatever it is called, and replaced by a newer one', async () => {
    const works = (id: string) =>
      `${WORK_HEADER}\n${id};75001;1;x;2025-10-01;2025-12-31;RESTREINTE;2;;48.86, 2.30\n`;
    await take(await file('export of 2025-11-03 (3).csv', works('CP1')));
    await take(await file('chantiers-20251104.csv', works('CP2')));
    const key = 'raw/batch/chantiers-perturbants-la-circulation.csv';
    expect(await namesUnder(engine.objects, ['raw/batch/'])).toEqual([key]);
    const kept = await collectText(await engine.objects.get(key));
    expect(kept).toContain('CP2');
  });

  it('is stored once: under its name, or in the archive when a newer one has the name', async () => {
    const editions = [1, 2].map((q) =>
      countsCsv([countLine(DAY, { arc: '1', hour: 8, q, k: 10 })]),
    );
    const recut = async () => {
      const { days } = await verifyDays(engine, testControl(), {
        pipeline: 'cityflow',
        dates: [DAY],
      });
      return days[0]!.result;
    };
    const stored = async () => {
      const texts = await Promise.all(
        (await namesUnder(engine.objects, ['raw/', 'archive/'])).map(async (key) =>
          collectText(await engine.objects.get(key)),
        ),
      );
      return texts.filter((text) => editions.includes(text)).map((text) => editions.indexOf(text));
    };
    const [first] = await take(await file('counts.csv', editions[0]!));
    expect(await stored()).toEqual([0]);
    // The day is cut again from what has the name now.
    await runDay(engine, 'cityflow', DAY, { offline: true });
    expect(await recut()).toBe('identical');
    expect(first!.rawKey).toBe('raw/batch/comptages-routiers-permanents-2.csv');
    await take(await file('counts.csv', editions[1]!));
    expect((await stored()).sort()).toEqual([0, 1]);
    // Its manifest still names the first edition.
    expect(await recut()).toBe('identical');
    await take(await file('counts.csv', editions[0]!));
    // One that is the newest again is under the name too: nothing is taken out of the archive.
    expect((await stored()).sort()).toEqual([0, 0, 1]);
    await importStored(engine, 'cityflow', testControl());
    expect((await stored()).sort()).toEqual([0, 0, 1]);
  });

  it('that turns out to be no use when it is read whole leaves the name, and all that is stored, as they were', async () => {
    const good = countsCsv([countLine(DAY, { arc: '1', hour: 8, q: 70, k: 10 })]);
    await take(await file('counts.csv', good));
    const before = await namesUnder(engine.objects, ['raw/', 'archive/']);
    const bad = countsCsv([
      countLine(DAY, { arc: '1', hour: 8, q: 80, k: 10 }),
      countLine(DAY, { arc: '2', hour: 8, q: 80, k: 10 }).replace(DAY, 'yesterday'),
    ]);
    const [outcome] = await importFiles(
      engine,
      'cityflow',
      [await file('newer.csv', bad)],
      testControl(),
    );
    expect(outcome).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('nothing of it is kept') as string,
    });
    expect(await namesUnder(engine.objects, ['raw/', 'archive/'])).toEqual(before);
    expect(await collectText(await engine.objects.get(before[0]!))).toBe(good);
    // As gzip, which other programs read.
    expect(
      gunzipSync(await readFile(path.join(engine.home, 'store', `${before[0]!}.gz`))).toString(),
    ).toBe(good);
  });

  it('loses no edition when several are taken in at the same time, whoever gives its own to the name last', async () => {
    const edition = (q: number): string =>
      countsCsv([countLine(DAY, { arc: '1', hour: 8, q, k: 10 })]);
    const files = await Promise.all([1, 2, 3].map((q) => file(`counts-${q}.csv`, edition(q))));
    const stored = async (): Promise<Set<string>> => {
      const keys = (await namesUnder(engine.objects, ['raw/', 'archive/'])).filter((key) =>
        key.endsWith('.csv'),
      );
      return new Set(
        await Promise.all(keys.map(async (key) => collectText(await engine.objects.get(key)))),
      );
    };
    await take(files[0]!);
    const signals = new EventEmitter();
    const [arrived, released] = [once(signals, 'arrived'), once(signals, 'released')];
    const slow = whenPut(engine.objects, async ({ mode }) => {
      if (mode !== 'replace') return;
      signals.emit('arrived');
      await released;
    });
    const late = importFiles({ ...engine, objects: slow }, 'cityflow', [files[1]!], testControl());
    await arrived;
    await take(files[2]!);
    signals.emit('released');
    await late;
    expect(await stored()).toEqual(new Set([1, 2, 3].map(edition)));
  });

  it('is joined, moved and read on the disk of the installation, not among the temporary files of the system', async () => {
    vi.stubEnv('TMPDIR', path.join(engine.home, 'full', 'tmpfs'));
    try {
      const counts = (q: number) =>
        file('counts.csv', countsCsv([countLine(DAY, { arc: '1', hour: 8, q, k: 10 })]));
      await take(await counts(1));
      await take(await counts(2));
      await take(
        await file(hourly('bikes', '08'), bikePage([hour(7, 20)])),
        await file(hourly('bikes', '09'), bikePage([hour(8, 40)])),
      );
      const outcomes = await importStored(engine, 'cityflow', testControl());
      expect(
        outcomes.map((outcome) => ('code' in outcome ? outcome.message : outcome.days)),
      ).toEqual([1, 1]);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await readdir(path.join(engine.home, 'scratch', 'raw'))).toEqual([]);
  });

  it('of many months is what a run of any of their days uses', async () => {
    const lines = ['2025-09-15', '2025-10-31', DAY].map((date) =>
      countLine(date, { arc: '1', hour: 8, q: 70, k: 10 }),
    );
    const [taken] = await take(await file('counts.csv', countsCsv(lines)));
    expect(taken).toMatchObject({ days: 3, recognised: { from: '2025-09-15', to: DAY } });
    for (const date of ['2025-09-15', '2025-10-31', DAY]) {
      const { plan } = await runDay(engine, 'cityflow', date, { offline: true });
      expect(plan.steps.find(({ step }) => step === 'download/comptages')).toMatchObject({
        action: 'reuse',
      });
    }
  });

  it('re-runs only the day that a new edition adds', async () => {
    const dates = ['2025-10-31', '2025-11-01', DAY];
    const lines = dates.map((date) => countLine(date, { arc: '1', hour: 8, q: 70, k: 10 }));
    await take(await file('counts.csv', countsCsv(lines.slice(0, 2))));
    for (const date of dates.slice(0, 2)) await runDay(engine, 'cityflow', date, { offline: true });
    await take(await file('counts.csv', countsCsv([...lines].reverse())));
    const plans = [];
    for (const date of dates)
      plans.push((await runDay(engine, 'cityflow', date, { offline: true })).plan);
    const ran = plans.map(({ steps }) =>
      steps.filter(({ action }) => action === 'run').map(({ step }) => step),
    );
    // The new day's history reads the days before it, never the other way round.
    expect(ran.slice(0, 2)).toEqual([[], []]);
    expect(ran[2]).toContain('transform/comptages');
  });

  it('of unknown content is refused with what would be recognised', async () => {
    await expect(take(await file('raw/batch/x.csv', 'a;b\n1;2\n'))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('comptages-routiers-permanents') as string,
    });
  });
});

describe('a reference without a date', () => {
  it('is stored once for the thousands of days that have it, slice and table, and each day verifies', async () => {
    const shape = SHAPE.replaceAll('"', '""');
    const [network, districts] = await take(
      await file('network.csv', networkCsv([{ arc: '1', shape }])),
      await file('districts.geojson', DISTRICTS),
    );
    expect([network!.days, districts!.days]).toEqual([5_844, 5_844]);
    const days = ['2025-11-03', DAY];
    for (const day of days) await runDay(engine, 'cityflow', day, { offline: true });
    const keys = await namesUnder(engine.objects, [
      'slices/cityflow/referentiel/',
      'slices/cityflow/arrondissements/',
      'core/cityflow/referentiel/',
    ]);
    expect(keys.map((key) => path.posix.dirname(key))).toEqual([
      'core/cityflow/referentiel',
      'slices/cityflow/arrondissements',
      'slices/cityflow/referentiel',
    ]);
    const verified = await verifyDays(engine, testControl(), { pipeline: 'cityflow', dates: days });
    expect(verified.days.map(({ result }) => result)).toEqual(['identical', 'identical']);
  });
});

describe('a file that is nearly another', () => {
  const LINE = countLine(DAY, { arc: '7', hour: 8, q: 100, k: 5 });
  const renamed = (from: string, to: string): string => countsCsv([LINE]).replace(from, to);

  it.each([
    ['flow', renamed('Débit horaire', 'Flow'), 'debit horaire'],
    ['occupancy', renamed("Taux d'occupation", 'Occupancy'), 'taux d occupation'],
    ['time', renamed('Date et heure de comptage', 'When'), 'date et heure de comptage'],
    [
      'flow and time',
      renamed('Débit horaire', 'Flow').replace('Date et heure de comptage', 'When'),
      'debit horaire',
    ],
  ])(
    'is never the road network: road counts with a renamed %s are refused by name',
    async (_what, text, missing) => {
      const refusal = expect(take(await file('counts.csv', text))).rejects;
      await refusal.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          new RegExp(`^counts\\.csv comes nearest to road counts .*has no column .*${missing}`),
        ) as string,
      });
      expect(await namesUnder(engine.objects, ['raw/'])).toEqual([]);
    },
  );

  it('is refused as road counts when there is nothing but their header', async () => {
    await expect(take(await file('counts.csv', countsCsv([])))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/header of road counts and no row/) as string,
    });
  });

  it('is refused when it is put into the place of the network by hand', async () => {
    const name =
      'raw/batch/referentiel-geographique-pour-les-donnees-trafic-issues-des-capteurs-permanents.csv';
    const text = Buffer.from(renamed('Débit horaire', 'Flow'));
    await engine.objects.put(name, text, { mediaType: 'text/csv', mode: 'replace' });
    expect(await importStored(engine, 'cityflow', testControl())).toMatchObject([
      { file: name, code: 'INPUT_INVALID' },
    ]);
  });
});

describe('days before a part has data', () => {
  const counts = (...dates: string[]): string =>
    countsCsv(dates.map((date) => countLine(date, { arc: '1', hour: 8, q: 70, k: 10 })));

  it('are left out, named, and not proposed to be run', async () => {
    const [taken] = await take(await file('counts.csv', counts('2013-06-01', '2014-01-02')));
    expect(taken).toMatchObject({
      days: 1,
      failed: [],
      recognised: { from: '2014-01-01', to: '2014-01-02' },
      leftOut: { from: '2013-06-01', to: '2013-12-31' },
    });
    const { plan } = await runDay(engine, 'cityflow', '2014-01-02', { offline: true });
    expect(plan.steps.find(({ step }) => step === 'download/comptages')).toMatchObject({
      action: 'reuse',
    });
  });

  it('make a file that has no others a refusal that says from when on there are data', async () => {
    const [outcome] = await importFiles(
      engine,
      'cityflow',
      [await file('counts.csv', counts('2013-06-01'))],
      testControl(),
    );
    expect(outcome).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /counts\.csv holds road counts of 2013.*no data before 2014-01-01/,
      ) as string,
    });
    expect(await namesUnder(engine.objects, ['raw/'])).toEqual([]);
  });

  it('are none for the road network: it is there for every day of the city', async () => {
    const [network] = await take(
      await file('network.csv', networkCsv([{ arc: '1', shape: SHAPE }])),
    );
    expect(network!.recognised).toMatchObject({ from: cityflow.definition.since });
    await take(await file('counts.csv', counts('2016-05-03')));
    await runDay(engine, 'cityflow', '2016-05-03', { offline: true });
    const metrics = path.join(
      engine.home,
      'store/processed/metrics/comptages_metrics_2016-05-03.json',
    );
    expect(JSON.parse(await readFile(metrics, 'utf8'))).toMatchObject({
      coverage: { longueurs: { referentiel: 1, comptages: 0, aucune: 0 } },
    });
  });
});

describe('a list of roadworks', () => {
  const works = (...lines: string[]): string => [WORK_HEADER, ...lines, ''].join('\n');
  /** One that has ended in most days of the list, one that goes on, one that starts later. */
  const LIST = works(
    'CP1;75001;1;x;2022-05-01;2022-06-20;RESTREINTE;2;;48.86, 2.30',
    'CP2;75001;1;x;2022-09-01;2023-06-30;RESTREINTE;2;;48.86, 2.30',
    'CP3;75001;1;x;2023-04-01;2023-09-30;RESTREINTE;2;;48.86, 2.30',
  );
  const importAsOf = async (name: string, asOf?: string) =>
    importFiles(
      engine,
      'cityflow',
      [await file(name, LIST)],
      testControl(),
      asOf === undefined ? {} : { asOf },
    );
  const activeOn = async (date: string): Promise<number | undefined> => {
    await runDay(engine, 'cityflow', date, { offline: true });
    const published = path.join(
      engine.home,
      'store',
      'processed',
      'metrics',
      `chantiers_metrics_${date}.json`,
    );
    return existsSync(published)
      ? (JSON.parse(await readFile(published, 'utf8')) as { total_chantiers_actifs: number })
          .total_chantiers_actifs
      : undefined;
  };

  it('without a date is refused with how to give one, and nothing of it is stored', async () => {
    const [outcome] = await importAsOf('chantiers.csv');
    expect(outcome).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('--as-of') as string,
    });
    expect(await namesUnder(engine.objects, ['raw/'])).toEqual([]);
  });

  it('speaks for its day and the weeks after it, by --as-of or by its name, and never for days before', async () => {
    const window = { from: '2023-02-15', to: '2023-05-18' };
    expect(await importAsOf('chantiers.csv', '2023-02-15')).toMatchObject([{ recognised: window }]);
    expect(await importAsOf('chantiers-2023-02-15.csv')).toMatchObject([{ recognised: window }]);
    expect(await activeOn('2023-02-14')).toBeUndefined();
    expect(await activeOn('2023-03-01')).toBe(1);
    expect(await activeOn('2023-04-01')).toBe(2);
  });

  it('keeps its date when it is taken in again from where it lies', async () => {
    await importAsOf('chantiers.csv', '2023-02-15');
    const again = await importStored(engine, 'cityflow', testControl());
    expect(again).toMatchObject([{ recognised: { part: 'chantiers', from: '2023-02-15' } }]);
  });
});

describe('files of which some are no use', () => {
  it('are each reported, and those after one that cannot be read are taken in', async () => {
    const good = await file(
      'counts.csv',
      countsCsv([countLine(DAY, { arc: '7', hour: 8, q: 100, k: 5 })]),
    );
    const later = await file(
      'counts-2.csv',
      countsCsv([countLine('2025-11-05', { arc: '7', hour: 8, q: 9, k: 5 })]),
    );
    const folder = path.dirname(good);
    const outcomes = await importFiles(
      engine,
      'cityflow',
      [
        good,
        path.join(folder, 'nowhere.csv'),
        folder,
        await file('zip.csv', 'PK\u{3}\u{4}'),
        later,
      ],
      testControl(),
    );
    expect(outcomes.map((one) => ('code' in one ? one.code : one.days))).toEqual([
      1,
      'INPUT_INVALID',
      'INPUT_INVALID',
      'INPUT_INVALID',
      1,
    ]);
    const messages = outcomes.flatMap((one) => ('code' in one ? [one.message] : []));
    expect(messages[0]).toMatch(/nowhere\.csv cannot be read .*give the path of a file/);
    expect(messages[1]).toMatch(/is a folder.* give the files in it/);
    expect(messages[2]).toMatch(/zip\.csv is a ZIP archive: unpack it/);
  });
});
