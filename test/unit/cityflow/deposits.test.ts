import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { BikesMetrics } from '../../../src/datasets/cityflow/metrics/bikes.ts';
import { depositKey } from '../../../src/engine/download/deposit-notes.ts';
import { takeAllDeposits, takeDayDeposits } from '../../../src/engine/download/take-deposits.ts';
import { watchPublisher } from '../../../src/engine/watch/watch-publisher.ts';
import { openEngine } from '../../../src/workers/open-engine.ts';
import type { OpenEngine } from '../../../src/workers/open-engine.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { bikePage, bikeRecord, countLine, countsCsv, WORK_HEADER } from './made-data.ts';

/**
 * Raw files that other programs put into the bucket or a folder, taken in by the runs of days and
 * by watches.
 */

const DAY = '2025-11-04';
const NOW = new Date('2025-11-05T06:00:00Z');
const COUNTS = 'raw/batch/comptages-routiers-permanents-2.csv';
let engine: TestEngine;

beforeEach(async () => {
  engine = await openTestEngine([cityflow], { now: () => NOW });
});
afterEach(() => engine.close());

/** Puts a file into the folder of the store, as a program that knows nothing of us does. */
async function deposit(
  key: string,
  text: string,
  root = path.join(engine.home, 'store'),
): Promise<void> {
  const file = path.join(root, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

const hourly = (clock: string): string => `raw/api/bikes/dt=${DAY}/hour=${clock}/bikes_data.json`;

function hour(clock: number, bikes: number, counter = '7'): object {
  return bikeRecord({ counter, at: `${DAY}T${String(clock).padStart(2, '0')}:00:00+01:00`, bikes });
}

async function velos(of: Pick<TestEngine, 'home'> = engine): Promise<number | null> {
  const published = path.join(
    of.home,
    'store',
    'processed',
    'metrics',
    `bikes_metrics_${DAY}.json`,
  );
  return (JSON.parse(await readFile(published, 'utf8')) as BikesMetrics).total_velos;
}

const counts = (q: number): string => countsCsv([countLine(DAY, { arc: '1', hour: 8, q, k: 10 })]);

describe('the deposits of a day', () => {
  it('are an answer of their part: every hour counts, and the day is made of them', async () => {
    await deposit(hourly('09'), bikePage([hour(7, 20)]));
    await deposit(hourly('10'), bikePage([hour(8, 40)]));
    const { outcomes } = await takeDayDeposits(engine, testControl(), 'cityflow', [DAY]);
    expect(outcomes).toMatchObject([
      { recognised: { part: 'bikes', from: DAY, to: DAY }, days: 1 },
    ]);
    await runDay(engine, 'cityflow', DAY, { offline: true });
    expect(await velos()).toBe(60);
  });

  it('are streams of JSON lines as well', async () => {
    const seconds = Date.parse(`${DAY}T11:00:00Z`) / 1_000;
    const lines = [hour(7, 20), hour(8, 5)].map((record) => JSON.stringify({ results: [record] }));
    await deposit(
      `raw/api/bikes/${DAY}/stream-data-${seconds}-1f2e3d.json`,
      `${lines.join('\n')}\n`,
    );
    await takeDayDeposits(engine, testControl(), 'cityflow', [DAY]);
    await runDay(engine, 'cityflow', DAY, { offline: true });
    expect(await velos()).toBe(25);
  });

  it('are taken in once, and again when another file comes or one changes', async () => {
    const look = async () =>
      (await takeDayDeposits(engine, testControl(), 'cityflow', [DAY])).outcomes.length;
    expect(await look()).toBe(0);
    await deposit(hourly('09'), bikePage([hour(7, 20)]));
    expect([await look(), await look()]).toEqual([1, 0]);
    await deposit(hourly('09'), bikePage([hour(7, 20), hour(8, 9)]));
    expect([await look(), await look()]).toEqual([1, 0]);
  });

  it('that are no use are noted with the reason, are tried again when they change, and keep the others from nothing', async () => {
    await deposit(`raw/api/weather/dt=${DAY}/hour=09/weather_data.json`, '{"days": 3}');
    await deposit(hourly('09'), bikePage([hour(7, 20)]));
    const { outcomes } = await takeDayDeposits(engine, testControl(), 'cityflow', [DAY]);
    expect(outcomes.filter((outcome) => 'code' in outcome)).toMatchObject([
      { code: 'INPUT_INVALID' },
    ]);
    expect(outcomes.filter((outcome) => !('code' in outcome))).toHaveLength(1);
    const note = depositKey('cityflow', `raw/api/weather/dt=${DAY}/hour=09/weather_data.json`);
    expect((await engine.documents.get(note))?.body).toMatchObject({
      failure: { code: 'INPUT_INVALID' },
    });
    expect((await takeDayDeposits(engine, testControl(), 'cityflow', [DAY])).outcomes).toEqual([]);
  });

  it('keep what is known of a day that was made, also past its cut-off, where they lack it', async () => {
    await deposit(hourly('09'), bikePage([hour(7, 20), hour(8, 5)]));
    const late = { ...engine, now: () => new Date('2026-05-01T00:00:00Z') };
    await takeDayDeposits(late, testControl(), 'cityflow', [DAY]);
    await runDay(late, 'cityflow', DAY, { offline: true });
    await deposit(hourly('09'), bikePage([hour(7, 21)]));
    const { outcomes } = await takeDayDeposits(late, testControl(), 'cityflow', [DAY]);
    expect(outcomes).toMatchObject([{ kept: 1 }]);
    await runDay(late, 'cityflow', DAY, { offline: true });
    expect(await velos()).toBe(25);
  });

  it('wait for the publisher’s answer with "after", and for a person with "off"', async () => {
    await deposit(hourly('09'), bikePage([hour(7, 20)]));
    const look = async (deposits: 'after' | 'off') =>
      (await takeDayDeposits({ ...engine, deposits }, testControl(), 'cityflow', [DAY])).outcomes
        .length;
    expect([await look('off'), await look('after')]).toEqual([0, 0]);
    await takeDayDeposits(engine, testControl(), 'cityflow', [DAY]);
    await deposit(hourly('10'), bikePage([hour(8, 9)]));
    expect(await look('after')).toBe(1);
  });
});

describe('a watch', () => {
  it('notices a new edition of a batch file, and names the days that it is for', async () => {
    await deposit(COUNTS, counts(70));
    expect((await takeAllDeposits(engine, testControl(), 'cityflow')).dates).toEqual([DAY]);
    await runDay(engine, 'cityflow', DAY, { offline: true });
    await deposit(COUNTS, counts(90));
    const offline = { ...engine.datasets['cityflow']!, sources: {} };
    const watched = engine.withDatasets([offline]);
    const { windows } = await watchPublisher(watched, testControl(), 'cityflow');
    expect(windows.flat()).toContain(DAY);
    const { plan } = await runDay(engine, 'cityflow', DAY, { offline: true });
    expect(plan.steps.find(({ step }) => step === 'transform/comptages')).toMatchObject({
      action: 'run',
    });
  });

  it('keeps each edition, whatever the other program writes over it', async () => {
    for (const q of [70, 90]) {
      await deposit(COUNTS, counts(q));
      await takeAllDeposits(engine, testControl(), 'cityflow');
    }
    const kept: string[] = [];
    for await (const { key } of engine.objects.list('archive/raw/batch/')) kept.push(key);
    expect(kept).toHaveLength(2);
  });

  it('takes a list of roadworks without a date for that of the day on which it is found', async () => {
    const row = 'CP1;75001;1;x;2025-10-01;2025-12-31;RESTREINTE;2;;48.86, 2.30';
    await deposit('raw/batch/chantiers-perturbants-la-circulation.csv', `${WORK_HEADER}\n${row}\n`);
    const { outcomes } = await takeAllDeposits(engine, testControl(), 'cityflow');
    expect(outcomes).toMatchObject([{ recognised: { part: 'chantiers', from: '2025-11-05' } }]);
  });
});

describe('a folder of this machine', () => {
  let home: string;
  let data: string;
  let opened: OpenEngine | undefined;
  beforeEach(async () => {
    [home, data] = await Promise.all(
      ['home', 'data'].map((name) => mkdtemp(path.join(os.tmpdir(), `quotidien-${name}-`))) as [
        Promise<string>,
        Promise<string>,
      ],
    );
  });
  afterEach(async () => {
    await opened?.close();
    await Promise.all([home, data].map((folder) => rm(folder, { recursive: true, force: true })));
  });

  async function open(env: Record<string, string>): Promise<OpenEngine> {
    opened = await openEngine(loadConfig({ env, cwd: data, home, hosts: [] }), { cityflow });
    return { ...opened, now: () => NOW };
  }

  it('that DATA_DIR names is read with its api and batch folders, and never written', async () => {
    await deposit(`api/bikes/dt=${DAY}/hour=09/bikes_data.json`, bikePage([hour(7, 20)]), data);
    await deposit('batch/comptages-routiers-permanents-2.csv', counts(70), data);
    const own = await open({ DATA_DIR: data });
    const { outcomes } = await takeAllDeposits(own, testControl(), 'cityflow');
    expect(
      outcomes
        .map((outcome) => ('code' in outcome ? outcome.message : outcome.recognised.part))
        .sort(),
    ).toEqual(['bikes', 'comptages']);
    await runDay(own, 'cityflow', DAY, { offline: true });
    expect(await velos({ home })).toBe(20);
    const key = 'deposited/local/batch/x.csv';
    await expect(
      own.objects.put(key, Buffer.from('x'), { mediaType: 'x', mode: 'replace' }),
    ).rejects.toMatchObject({
      code: 'STORE_DENIED',
    });
    const listed: string[] = [];
    for await (const object of own.objects.list('')) listed.push(object.key);
    expect(listed.filter((name) => name.startsWith('deposited/'))).toEqual([]);
  });

  it.each([
    ['COMPTAGES_CSV', 'counts of the year.csv', counts(70), 'comptages'],
    [
      'CHANTIERS_CSV',
      'works.csv',
      `${WORK_HEADER}\nCP1;75001;1;x;2025-10-01;2025-12-31;RESTREINTE;2;;48.86, 2.30\n`,
      'chantiers',
    ],
  ])(
    'has one file that %s names, wherever it lies, and no other of its folder',
    async (name, file, text, part) => {
      await deposit(file, text, data);
      await deposit('another.csv', text, data);
      const { outcomes } = await takeAllDeposits(
        await open({ [name]: file }),
        testControl(),
        'cityflow',
      );
      expect(outcomes).toMatchObject([{ recognised: { part } }]);
    },
  );
});
