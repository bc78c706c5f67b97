import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smartMeterDefinition } from '../../../src/datasets/smart-meter/definition.ts';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import type { MeterReport } from '../../../src/datasets/smart-meter/report/model.ts';
import { weekLoad, WEEK_LOAD_DAYS } from '../../../src/datasets/smart-meter/report/week-load.ts';
import type { WeekHour, WeekLoad } from '../../../src/datasets/smart-meter/report/week-load.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Ten meters over two Sundays and the week between, the first of them 25 hours long (27 October
 * 2024).
 */

const DAYS = datesBetween('2024-10-27', '2024-11-03');
const LAST = '2024-11-03';
let runner: StepRunner;
let made: ReadonlyMap<string, Readonly<Record<string, Done>>>;
let done: Done;

/** Of each half-hour: 100 Wh, on the second Sunday 300 Wh, in its hour after 19 o'clock 400 Wh. */
function whOf(date: string, slot: number): number {
  if (date !== LAST) return 100;
  return slot >= 38 && slot < 40 ? 400 : 300;
}

beforeAll(async () => {
  runner = await openStepRunner(testMeters);
  const ids = Array.from({ length: 10 }, (_, index) => `M${index}`);
  const readings = bulkFile(
    Object.fromEntries(
      DAYS.map((date) => [
        date,
        ids.map((id) => ({ id, whOf: (slot: number) => whOf(date, slot) })),
      ]),
    ),
  );
  made = await runner.days(
    [{ part: 'readings', path: await runner.file('bulk.csv', readings) }],
    DAYS,
    'report/daily',
  );
  done = made.get(LAST)!['report/daily']!;
});
afterAll(() => runner.close());

function cell({ hours }: WeekLoad, weekday: number, hour: number): WeekHour | undefined {
  return hours.find((row) => row.weekday === weekday && row.hour === hour);
}

const fleetOf = (date: string): Promise<FleetDay> =>
  readOutput<FleetDay>(made.get(date)?.['metrics/day'], 'fleet');

describe('the load by weekday and hour', () => {
  it('is the mean of the days of four weeks that are there, in the report of the day', async () => {
    const { week } = await readOutput<MeterReport>(done, 'report');
    expect(week).toMatchObject({ days: DAYS, left_out: [] });
    expect(week!.hours).toHaveLength(168);
    // Ten meters: 2 kWh in an hour of a usual day; Sundays are the mean of 2 and 6, or 2 and 8.
    expect(cell(week!, 1, 19)).toEqual({ weekday: 1, hour: 19, mean_kwh: 2, days: 1 });
    expect(cell(week!, 7, 18)).toEqual({ weekday: 7, hour: 18, mean_kwh: 4, days: 2 });
    expect(cell(week!, 7, 19)).toEqual({ weekday: 7, hour: 19, mean_kwh: 5, days: 2 });
  });

  it('counts an hour that the clock shows twice as one hour, not as their sum', async () => {
    const { week } = await readOutput<MeterReport>(
      made.get('2024-10-27')?.['report/daily'],
      'report',
    );
    expect(cell(week!, 7, 2)).toEqual({ weekday: 7, hour: 2, mean_kwh: 2, days: 1 });
  });

  it('has no value, and not zero, for what no day has', async () => {
    const { week } = await readOutput<MeterReport>(
      made.get('2024-10-27')?.['report/daily'],
      'report',
    );
    expect(cell(week!, 1, 19)).toEqual({ weekday: 1, hour: 19, mean_kwh: null, days: 0 });
    const fleet = await fleetOf(LAST);
    const silent = {
      ...fleet,
      load: fleet.load.map((row) => (row.hour === 5 ? { ...row, observed: 0 } : row)),
    };
    expect(cell(weekLoad([silent]), 7, 5)).toMatchObject({ mean_kwh: null, days: 0 });
  });

  it('leaves out a day with less than 90 % of its readings, and names it', async () => {
    const [usual, last] = [await fleetOf('2024-10-27'), await fleetOf(LAST)];
    const covered = (coverage: number): FleetDay => ({
      ...last,
      metrics: last.metrics.map((row) => ({ ...row, coverage })),
    });
    expect(weekLoad([usual, covered(0.9)])).toMatchObject({
      days: [usual.date, LAST],
      left_out: [],
    });
    const week = weekLoad([usual, covered(0.899)]);
    expect(week).toMatchObject({ days: [usual.date], left_out: [LAST] });
    expect(cell(week, 7, 19)).toMatchObject({ mean_kwh: 2, days: 1 });
  });

  it('reads the four weeks up to the day, and no day after it', () => {
    const { inputs } = smartMeterDefinition.steps.find(({ id }) => id === 'report/daily')!;
    const fleets = inputs.filter(({ step }) => step === 'metrics/day');
    expect(fleets.map(({ step, daysBefore = 0 }) => [step, daysBefore])).toEqual(
      Array.from({ length: WEEK_LOAD_DAYS }, (_, days) => ['metrics/day', days]),
    );
  });
});

describe('what shows the load by weekday and hour', () => {
  it('is a CSV with one row for each weekday and hour', async () => {
    const rows = (await readFile(done.outputs['week']!.path, 'utf8'))
      .replace('\uFEFF', '')
      .trimEnd()
      .split(/\r?\n/);
    expect(rows).toHaveLength(169);
    expect(rows[0]).toBe('weekday;hour;mean_kwh;days');
    expect(rows[1]).toBe('1;0;2;1');
    expect(rows.at(-5)).toBe('7;19;5;2');
  });

  it('is a heat map on the page, with its peak in words and its figures as a table', async () => {
    const page = await pageOf(await readOutput<MeterReport>(done, 'report'));
    const section = /<section id="semaine".*?<\/section>/su.exec(page)![0];
    const [wide] = /<svg class="heat".*?<\/svg>/su.exec(section)!;
    expect(wide).toContain(
      'aria-label="Énergie soutirée en moyenne par jour de la semaine et par heure ; ' +
        'la plus forte : dimanche, 19 h : 5,000 kWh"',
    );
    expect(wide.match(/<rect/gu)).toHaveLength(168);
    // Four fifths of the darkest.
    expect(wide).toContain('fill-opacity="0.812"><title>dimanche, 18 h : 4,000 kWh</title>');
    const row = /<tr><th scope="row">19 h<\/th>(.*?)<\/tr>/su.exec(section)![1]!;
    expect([...row.matchAll(/<td>(.*?)<\/td>/gu)].map(([, value]) => value)).toEqual([
      ...Array.from({ length: 6 }, () => '2,000'),
      '5,000',
    ]);
    expect(section).toContain('moyenne de 8\u00A0jours des quatre dernières semaines');
  });

  it('is not there for a report of an earlier version', async () => {
    const { week, ...earlier } = await readOutput<MeterReport>(done, 'report');
    expect(week).toBeDefined();
    expect(await pageOf(earlier)).not.toContain('id="semaine"');
  });
});

async function pageOf(report: MeterReport): Promise<string> {
  const path = await runner.file('report.json', JSON.stringify(report));
  const ref = { key: 'test/report', sha256: '', bytes: 0, mediaType: '' };
  const [drawn] = await runner.step('report/page', [
    dayUnit(LAST, { report: [{ scope: LAST, path, ref }] }),
  ]);
  return readFile(drawn!.outputs['page']!.path, 'utf8');
}
