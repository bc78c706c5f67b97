import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { openStepRunner, rejection } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

const PART = 'school-holidays';

/**
 * As the ministry writes it: instants of midnights in Paris, the second one of the day on which
 * school begins again.
 */
const CALENDAR = `Description;Population;Date de début;Date de fin;Académies;Zones;annee_scolaire
Vacances d'Hiver;-;2024-02-16T23:00:00+00:00;2024-03-03T23:00:00+00:00;Lyon;Zone A;2023-2024
Vacances d'Hiver;-;2024-02-16T23:00:00+00:00;2024-03-03T23:00:00+00:00;Dijon;Zone A;2023-2024
Vacances d'Hiver;-;2024-02-23T23:00:00+00:00;2024-03-10T23:00:00+00:00;Lille;Zone B;2023-2024
Vacances d'Hiver;-;2024-02-09T23:00:00+00:00;2024-02-25T23:00:00+00:00;Paris;Zone C;2023-2024
Vacances d'Hiver;-;2024-02-16T23:00:00+00:00;2024-03-03T23:00:00+00:00;Corse;Corse;2023-2024
Prérentrée;Enseignants;2024-03-12T23:00:00+00:00;2024-03-13T23:00:00+00:00;Paris;Zone C;2023-2024
Vacances de Printemps;Élèves;2024-04-05T22:00:00+00:00;2024-04-21T22:00:00+00:00;Paris;Zone C;2023-2024
`;

let runner: StepRunner;

beforeAll(async () => {
  runner = await openStepRunner(eco2mix);
});
afterAll(() => runner.close());

/** The zones of each day, as the month has them; days without a slice are left out. */
async function zonesOf(csv: string, from: string, to: string): Promise<Record<string, string>> {
  const dates = datesBetween(from, to);
  const slices = await runner.slice(
    { part: PART, path: await runner.file('calendar.csv', csv) },
    dates,
  );
  const school = slices.flatMap(({ outputs }: Done) =>
    outputs['slice'] === undefined ? [] : [outputs['slice']],
  );
  const [month] = await runner.step('rollup/month', [
    { scope: from.slice(0, 7), inputs: { school } },
  ]);
  const path = month!.outputs['school']!.path;
  const rows = await runner.sql((sql) =>
    sql.rows<{ day: string; zones: string }>(
      `SELECT strftime(date, '%Y-%m-%d') AS day, school_holiday_zones AS zones FROM read_parquet('${path}')`,
    ),
  );
  return Object.fromEntries(rows.map(({ day, zones }) => [day, zones]));
}

describe('an imported school calendar', () => {
  it('is recognised, with the days that it knows of', async () => {
    expect(await runner.recognise(await runner.file('calendar.csv', CALENDAR))).toMatchObject({
      part: PART,
      from: '2024-02-10',
      to: '2024-04-21',
      columns: { unknown: [], missing: [] },
    });
  });

  it('tells the zones that have holidays on a day, from the first day to the eve of the return', async () => {
    const february = await zonesOf(CALENDAR, '2024-02-08', '2024-02-29');
    expect(february['2024-02-09']).toBeUndefined();
    expect(february['2024-02-10']).toBe('C');
    expect(february['2024-02-17']).toBe('A,C');
    expect(february['2024-02-24']).toBe('A,B,C');
    expect(february['2024-02-25']).toBe('A,B,C');
    expect(february['2024-02-26']).toBe('A,B');
  });

  it('tells days of school from days that it knows nothing of, and pupils from teachers', async () => {
    expect(await zonesOf(CALENDAR, '2024-03-10', '2024-03-13')).toEqual({
      '2024-03-10': 'B',
      '2024-03-11': '',
      '2024-03-12': '',
      '2024-03-13': '',
    });
    // Midnight of summer time.
    const april = await zonesOf(CALENDAR, '2024-04-05', '2024-04-30');
    expect([
      april['2024-04-05'],
      april['2024-04-06'],
      april['2024-04-21'],
      april['2024-04-22'],
    ]).toEqual(['', 'C', 'C', undefined]);
  });

  it('is read under the short names as well, with plain dates', async () => {
    const csv = `zones,start_date,end_date\nZone B,2024-02-10,2024-02-12\nZone A,2024-02-11,2024-02-13\n`;
    expect(await zonesOf(csv, '2024-02-10', '2024-02-13')).toEqual({
      '2024-02-10': 'B',
      '2024-02-11': 'A,B',
      '2024-02-12': 'A',
    });
  });

  it('is refused with a date that cannot be read', async () => {
    const csv = CALENDAR.replace('2024-02-16T23:00:00+00:00', 'mi-février');
    const path = await runner.file('calendar.csv', csv);
    expect((await rejection(runner.slice({ part: PART, path }, ['2024-02-20']))).code).toBe(
      'SRC_SHAPE_CHANGED',
    );
    expect((await rejection(runner.recognise(path))).message).toContain('What can be imported');
  });
});
