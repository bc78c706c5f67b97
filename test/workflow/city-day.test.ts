import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { cityflow } from '../../src/datasets/cityflow/index.ts';
import type { Report } from '../../src/datasets/cityflow/report/model.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { addDays } from '../../src/pipelines/civil-date.ts';
import { civilDateAt } from '../../src/pipelines/zoned-day.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
import type { TickResult } from '../../src/workflows/tick.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';

/**
 * City days through the real engine, from the sample portal to what is published. Just after
 * midnight their clock is some hours ahead of that of Temporal, whose ticks stand for the real
 * yesterday: that day is published by then.
 */
function now(): Date {
  const [real, ahead] = [new Date(), new Date(Date.now() + 3 * 3_600_000)];
  return civilDateAt(real, 'Europe/Paris') === civilDateAt(ahead, 'Europe/Paris') ? ahead : real;
}

const YESTERDAY = addDays(civilDateAt(new Date(), 'Europe/Paris'), -1);
const BEFORE = addDays(YESTERDAY, -1);
const SECTIONS = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'];

let portal: Portal;
let city: Installation;

const HOSTS = ['PARIS', 'IDFM', 'VISUAL_CROSSING', 'OPEN_METEO'];
const KEYS = { QUOTIDIEN_IDFM_KEY: 'k1', QUOTIDIEN_VISUAL_CROSSING_KEY: 'k2' };

/** The portal instead of all publishers. */
function urls(): Record<string, string> {
  return Object.fromEntries(HOSTS.map((host) => [`QUOTIDIEN_${host}_URL`, portal.url]));
}

function settingsOf(keys: Readonly<Record<string, string>>): Record<string, string> {
  const rates = HOSTS.map((host) => [`QUOTIDIEN_${host}_REQUESTS_PER_SECOND`, '50']);
  return { ...urls(), ...(Object.fromEntries(rates) as Record<string, string>), ...keys };
}

let startedAt: number;

beforeAll(async () => {
  startedAt = now().getTime();
  portal = await startPortal({ now });
  city = await openInstallation({
    datasets: { cityflow },
    settings: settingsOf(KEYS),
    change: () => ({ now }),
  });
});
afterAll(async () => {
  await city.close();
  await portal.close();
});

async function run(installation: Installation, date: string, input: Partial<DayInput> = {}) {
  return dayResult(await startDay(installation.target, { pipeline: 'cityflow', date, ...input }));
}

async function reportOf(installation: Installation, date: string): Promise<Report> {
  const file = path.join(
    installation.home,
    'store',
    'processed',
    'reports',
    `daily_report_${date}.json`,
  );
  return JSON.parse(await readFile(file, 'utf8')) as Report;
}

function stepsOf(installation: Installation, date: string) {
  return newestManifests(installation.engine.documents, 'cityflow', [date]).then(
    (found) => found.get(date)?.steps ?? {},
  );
}

describe('a city day in two processes', () => {
  it('is processed without a report, which is then made from stored metrics alone', async () => {
    const processed = await run(city, BEFORE, { only: 'processing' });
    expect(processed.verdict).toBe('ok');
    // Its data do not say how final they are; its publication calendar does.
    expect(processed.revision).toBe('provisional');
    const { typedSearchAttributes } = await city.client.workflow
      .getHandle(`day/cityflow/${BEFORE}`)
      .describe();
    expect(
      typedSearchAttributes.get(defineSearchAttributeKey('Revision', SearchAttributeType.KEYWORD)),
    ).toBe('provisional');
    expect(processed.ran.some((step) => step.startsWith('report/'))).toBe(false);
    expect((await stepsOf(city, BEFORE))['report/daily']).toMatchObject({ state: 'skipped' });

    const asked = portal.requests.length;
    const reported = await run(city, BEFORE, { only: 'report' });
    expect([...reported.ran].sort()).toEqual(['report/daily', 'report/page']);
    expect(portal.requests.length).toBe(asked);
    expect((await reportOf(city, BEFORE)).date).toBe(BEFORE);
  });

  it('has nothing left to do when the whole day is run afterwards', async () => {
    expect(await run(city, BEFORE)).toMatchObject({ ran: [], revision: 'provisional' });
  });

  it('asks nobody who has only the present for a day that is over', async () => {
    const asked = portal.requests.length;
    await run(city, BEFORE, { recheck: true });
    const again = portal.requests.slice(asked).map(({ path: asked }) => asked);
    expect(again.some((one) => one.includes('comptage-velo'))).toBe(true);
    expect(
      again.filter((one) => /chantiers|referentiel|disruptions|arrondissements/.test(one)),
    ).toEqual([]);
  });

  it('is started by its two schedules, for the civil date before their time', async () => {
    const tick = async (schedule: string): Promise<TickResult> =>
      city.client.workflow.execute('tick', {
        workflowId: `tick/cityflow/${schedule}`,
        taskQueue: city.target.taskQueue,
        args: [{ pipeline: 'cityflow', schedule }],
      }) as Promise<TickResult>;
    expect((await tick('processing')).date).toBe(YESTERDAY);
    // The second one joins the first while it runs, and its report is made all the same.
    await tick('report');
    await city.client.workflow.getHandle(`day/cityflow/${YESTERDAY}`).result();
    expect((await stepsOf(city, YESTERDAY))['report/daily']).toMatchObject({ state: 'done' });
  });

  it('has all six sections, and compares itself with nothing that is not there', async () => {
    const report = await reportOf(city, YESTERDAY);
    expect(report.sections).toEqual(Object.fromEntries(SECTIONS.map((name) => [name, 'ok'])));
    expect(report.evolution_vs_semaine_precedente).toMatchObject({ disponible: false });
  });

  it('keeps each metrics document and the report as records that other programs read', async () => {
    const { documents } = city.engine;
    for (const partition of SECTIONS) {
      const record = await documents.get({ table: 'cityflow-metrics', partition, sort: YESTERDAY });
      expect(record?.body, partition).toMatchObject({
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        metrics: { metric_type: partition, date: YESTERDAY },
      });
    }
    const key = {
      table: 'cityflow-daily-reports',
      partition: `daily_report_${YESTERDAY}`,
      sort: YESTERDAY,
    };
    const { summary, generated_at: inFile } = await reportOf(city, YESTERDAY);
    const { timestamp, report } = (await documents.get<{
      timestamp: string;
      report: { generated_at: string };
    }>(key))!.body;
    expect(report).toMatchObject({ date: YESTERDAY, summary });
    // The bytes of the file are the same whenever it is made; the record tells when that was.
    expect(inFile).toBeNull();
    expect(report.generated_at).toBe(timestamp);
    const made = Date.parse(timestamp);
    expect(made).toBeGreaterThan(startedAt);
    expect(made).toBeLessThanOrEqual(now().getTime());
  });

  it('takes in what another program puts under the raw names, when the day is run again', async () => {
    const before = (await reportOf(city, YESTERDAY)).summary.total_velos_paris ?? 0;
    const record = {
      id_compteur: 'new',
      nom_compteur: '1 rue Neuve',
      sum_counts: 500,
      date: `${YESTERDAY}T10:00:00+00:00`,
    };
    const folder = path.join(
      city.home,
      'store',
      'raw',
      'api',
      'bikes',
      `dt=${YESTERDAY}`,
      'hour=22',
    );
    await mkdir(folder, { recursive: true });
    await writeFile(
      path.join(folder, 'late.json'),
      JSON.stringify({ total_count: 1, results: [record] }),
    );
    const { ran } = await run(city, YESTERDAY);
    expect(ran).toContain('transform/bikes');
    expect((await reportOf(city, YESTERDAY)).summary.total_velos_paris).toBe(before + 500);
    expect((await run(city, YESTERDAY)).ran).toEqual([]);
  });

  it('never writes the key of a publisher down', async () => {
    const steps = await stepsOf(city, YESTERDAY);
    expect(Object.keys(steps)).toContain('download/traffic');
    const [manifest] = (
      await newestManifests(city.engine.documents, 'cityflow', [YESTERDAY])
    ).values();
    expect(JSON.stringify(manifest)).not.toMatch(/key=k2|"k1"/);
    expect(portal.requests.some(({ query }) => query['key'] === 'k2')).toBe(true);
    expect(portal.requests.some(({ headers }) => headers['apikey'] === 'k1')).toBe(true);
  });
});

describe('a city day without keys', () => {
  it('says that a key is missing where no other source serves, and fails nothing', async () => {
    const installation = await openInstallation({
      datasets: { cityflow },
      settings: settingsOf({}),
      change: () => ({ now }),
    });
    try {
      expect((await run(installation, YESTERDAY)).verdict).toBe('ok');
      const { sections, section_details: details } = await reportOf(installation, YESTERDAY);
      expect(sections).toMatchObject({ traffic: 'no_data', weather: 'ok', bikes: 'ok' });
      expect(details.traffic.reasons).toEqual([
        'aucune donnée : le diffuseur demande une clé, à donner par QUOTIDIEN_IDFM_KEY',
      ]);
      expect(details.weather.coverage).toMatchObject({ source: 'open-meteo' });
    } finally {
      await installation.close();
    }
  });
});

describe('the publishers of a city day', () => {
  it('are asked at their own rates, and again no earlier than they say', async () => {
    const installation = await openInstallation({
      datasets: { cityflow },
      settings: { ...urls(), ...KEYS },
      change: () => ({ now }),
    });
    const first = portal.requests.length;
    const refused = { dataset: 'comptage-velo-donnees-compteurs', endpoint: 'export' } as const;
    portal.behave({ kind: 'status', status: 429, retryAfter: 2, times: 1, match: refused });
    portal.behave({ kind: 'status', status: 503, times: 1, match: { path: /VisualCrossing/ } });
    try {
      expect(await run(installation, YESTERDAY, { only: 'processing' })).toMatchObject({
        verdict: 'ok',
      });
      const asked = portal.requests.slice(first);
      const bikes = asked.filter(
        ({ dataset, endpoint }) => dataset === refused.dataset && endpoint === refused.endpoint,
      );
      expect(bikes.map(({ status }) => status)).toEqual([429, 200]);
      expect(bikes[1]!.elapsedMs - bikes[0]!.elapsedMs).toBeGreaterThanOrEqual(1_990);
      const weather = asked.filter(({ path: name }) => name.includes('VisualCrossing'));
      expect(weather.map(({ status }) => status)).toEqual([503, 200]);
      // Two a second, of which the first second's may come at once.
      const exports = asked
        .filter(({ endpoint }) => endpoint === 'export')
        .map(({ elapsedMs }) => elapsedMs);
      expect(exports.length).toBeGreaterThanOrEqual(6);
      for (const [index, at] of exports.entries()) {
        const within = exports.slice(index).filter((later) => later - at < 1_000).length;
        expect(within).toBeLessThanOrEqual(4);
      }
    } finally {
      await installation.close();
    }
  });
});
