import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datesOfMonth } from '../../../src/pipelines/civil-date.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import { dayUnit } from '../../fixtures/step-runner.ts';
import type { Done } from '../../fixtures/step-runner.ts';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';

/**
 * The tables over all time on the publisher's real month, against figures that plain arithmetic
 * finds in its file.
 */

const FILE = 'eco2mix/eco2mix-national-tr.csv';
const SOURCES = [
  'Fioul',
  'Charbon',
  'Gaz',
  'Nucléaire',
  'Eolien',
  'Solaire',
  'Hydraulique',
  'Bioénergies',
];
const LOW_CARBON = ['Nucléaire', 'Eolien', 'Solaire', 'Hydraulique', 'Bioénergies'];

interface Published {
  readonly second: number;
  readonly date: string;
  readonly of: (label: string) => number;
}

/** The rows of the export by its labels, ascending. */
function published(): Published[] {
  const [head = '', ...lines] = readFileSync(realData(FILE), 'utf8').trimEnd().split('\n');
  const names = head.replace(/^\uFEFF/, '').split(';');
  return lines
    .map((line): Published => {
      const cells = line.split(';');
      const cell = (name: string): string => cells[names.indexOf(name)]!;
      return {
        second: Date.parse(cell('Date - Heure')) / 1000,
        date: cell('Date'),
        of: (label) => Number(cell(`${label} (MW)`)),
      };
    })
    .sort((a, b) => a.second - b.second);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describeOnRealFiles('the tables over all time of December 2021', [FILE], () => {
  let runner: Runner;
  let history: Done;
  let rows: readonly Published[];

  beforeAll(async () => {
    rows = published();
    runner = await openRunner();
    const days = datesOfMonth('2021-12');
    const cores = await runner.core([{ part: 'tr', path: realData(FILE) }], days);
    const core = cores.map(({ outputs }) => outputs['core']!);
    const measured = await runner.step(
      'metrics/national',
      days.map((day, index) => dayUnit(day, { core: [core[index]!] })),
    );
    const metrics = measured.map(({ outputs }) => outputs['metrics']!);
    const [month] = await runner.step('rollup/month', [
      { scope: '2021-12', inputs: { core, metrics } },
    ]);
    const energies = [month!.outputs['energies']!];
    const [year] = await runner.step('rollup/year', [{ scope: '2021', inputs: { energies } }]);
    const inputs = {
      core: [month!.outputs['core']!],
      days: [month!.outputs['days']!],
      month_energies: energies,
      year_energies: [year!.outputs['energies']!],
    };
    [history] = (await runner.step('rollup/history', [{ scope: 'all', inputs }])) as [Done];
  }, 120_000);
  afterAll(() => runner.close());

  const table = (name: string, where: string) =>
    runner.sql((sql) =>
      sql.rows<Record<string, number | string | null>>(
        `SELECT * FROM read_parquet('${history.outputs[name]!.path}') WHERE ${where}`,
      ),
    );

  it('has the peak and the trough of each quantity, of the year and of all time alike', async () => {
    for (const [quantity, label] of Object.entries({
      consommation: 'Consommation',
      eolien: 'Eolien',
      solaire: 'Solaire',
    })) {
      const peak = rows.reduce((best, row) => (row.of(label) > best.of(label) ? row : best));
      const trough = rows.reduce((best, row) => (row.of(label) < best.of(label) ? row : best));
      const found = await table('peaks', `quantity = '${quantity}'`);
      expect(found.map(({ period }) => period)).toEqual(['2021', 'all']);
      for (const row of found) {
        expect(row).toMatchObject({
          peak_mw: peak.of(label),
          trough_mw: trough.of(label),
          instants: 2_976,
        });
        expect(Date.parse(String(row['peak_at'])) / 1000).toBe(peak.second);
        expect(Date.parse(String(row['trough_at'])) / 1000).toBe(trough.second);
        // One month of twelve.
        expect(row['coverage']).toBeCloseTo(31 / 365, 3);
      }
    }
  });

  it('has the low-carbon share of the year up to each day', async () => {
    for (const until of ['2021-12-01', '2021-12-17', '2021-12-31']) {
      const before = rows.filter(({ date }) => date <= until);
      const sum = (labels: readonly string[]): number =>
        before.reduce(
          (total, row) => total + labels.reduce((mw, label) => mw + row.of(label), 0),
          0,
        );
      const [found] = await table('low_carbon', `date = DATE '${until}'`);
      expect(found).toMatchObject({
        generation_to_date_mwh: sum(SOURCES) / 4,
        low_carbon_to_date_mwh: sum(LOW_CARBON) / 4,
        days_known: Number(until.slice(8)),
        days_of_year: 334 + Number(until.slice(8)),
      });
      expect(found!['share_to_date']).toBeCloseTo(sum(LOW_CARBON) / sum(SOURCES), 6);
    }
  });

  it.each([
    ['j1', 'Prévision J-1'],
    ['j', 'Prévision J'],
  ])(
    'has the errors of forecast %s over the last 30 days, and its skill against persistence',
    async (name, label) => {
      const loads = new Map(rows.map((row) => [row.second, row.of('Consommation')]));
      const window = rows.filter(({ date }) => date >= '2021-12-02');
      const error = (row: Published): number => row.of(label) - row.of('Consommation');
      const [found] = await table(
        'forecast_skill',
        `forecast = '${name}' AND date = DATE '2021-12-31'`,
      );
      expect(found).toMatchObject({ days: 30, samples: 2_880 });
      expect(found!['mae_mw']).toBeCloseTo(mean(window.map((row) => Math.abs(error(row)))), 1);
      expect(found!['bias_mw']).toBeCloseTo(mean(window.map(error)), 1);
      expect(found!['mape_pct']).toBeCloseTo(
        mean(window.map((row) => (100 * Math.abs(error(row))) / row.of('Consommation'))),
        1,
      );
      for (const [reference, hours] of [
        ['day', 24],
        ['week', 168],
      ] as const) {
        const compared = window.filter(({ second }) => loads.has(second - hours * 3600));
        const persistence = mean(
          compared.map((row) =>
            Math.abs(loads.get(row.second - hours * 3600)! - row.of('Consommation')),
          ),
        );
        expect(found![`persistence_${reference}_mae_mw`]).toBeCloseTo(persistence, 1);
        expect(found![`skill_${reference}`]).toBeCloseTo(
          1 - mean(compared.map((row) => Math.abs(error(row)))) / persistence,
          3,
        );
      }
    },
  );

  it('says of a window with fewer days how many it has', async () => {
    const [found] = await table('forecast_skill', `forecast = 'j1' AND date = DATE '2021-12-01'`);
    expect(found).toMatchObject({
      days: 1,
      samples: 96,
      skill_day: null,
      persistence_day_mae_mw: null,
    });
  });

  it('has the calendar of the whole year', async () => {
    const [found] = await table('calendar', `date = DATE '2021-12-25'`);
    expect(found).toMatchObject({ public_holiday: 'Noël', is_ouvrable: false, iso_weekday: 6 });
    expect(history.outputs['calendar']!.ref.rows).toBe(365);
  });
});
