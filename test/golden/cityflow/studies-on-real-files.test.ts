import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { STUDY_QUESTIONS } from '../../../src/datasets/cityflow/answers/study-questions.ts';
import { CITY_TABLES } from '../../../src/datasets/cityflow/answers/tables.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { CountsMetrics } from '../../../src/datasets/cityflow/metrics/counts.ts';
import type { HistoryMetrics } from '../../../src/datasets/cityflow/metrics/history.ts';
import { counterName } from '../../../src/datasets/cityflow/studies/counter-name.ts';
import type { LinksMetrics } from '../../../src/datasets/cityflow/studies/links.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import { rowsSql } from '../../../src/pipelines/tables.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { Days, StepRunner } from '../../fixtures/step-runner.ts';
import { dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';

/**
 * What was promised over many days, on the publisher's own files, against the same figure taken
 * from the raw text another way.
 */

const FILE = 'paris/comptages-routiers-permanents-washington.csv';
const NETWORK = 'paris/referentiel-comptages-routiers.csv';
const REFERENCE = 'cityflow-reference/bikes_metrics_2025-11-04.json';
const COUNTS = () => ({ part: 'comptages', path: realData(FILE) });
const ARC = '4264';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

/** The raw rows by the hour in which they began, from the text alone. */
interface RawHour {
  readonly day: string;
  readonly clock: number;
  readonly q: number | null;
  readonly k: number | null;
}

async function rawHours(): Promise<RawHour[]> {
  const number = (text = ''): number | null => (text === '' ? null : Number(text));
  return (await readFile(realData(FILE), 'utf8'))
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(';'))
    .filter(([, , at = '']) => at !== '')
    .map(([, , at = '', q, k]) => {
      const local = new Date(Date.parse(`${at.slice(0, 19)}Z`) - 3_600_000).toISOString();
      return {
        day: local.slice(0, 10),
        clock: Number(local.slice(11, 13)),
        q: number(q),
        k: number(k),
      };
    });
}

const sum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describeOnRealFiles('the same weekday of the previous year', [FILE], () => {
  it('is that of 364 days before, with absolute and relative changes of what was counted', async () => {
    const [day, before] = ['2024-12-03', '2023-12-05'];
    expect(addDays(day, -364)).toBe(before);
    const days = await runner.days([COUNTS()], [before, day], 'metrics/links');
    const links = await readOutput<LinksMetrics>(days.get(day)?.['metrics/links'], 'links');
    const hours = await rawHours();
    const [own, earlier] = [day, before].map((date) =>
      sum(hours.filter((one) => one.day === date).map(({ q }) => q)),
    );
    expect(earlier).toBeGreaterThan(10_000);
    expect(links.annee_precedente).toMatchObject({ date_reference: before, disponible: true });
    const { vehicules } = links.annee_precedente.sections['comptages'] as Record<
      string,
      unknown
    > as {
      vehicules: Record<string, number>;
    };
    expect(vehicules).toMatchObject({ valeur: own, reference: earlier, ecart: own! - earlier! });
    expect(vehicules['ecart_pct']).toBeCloseTo((own! / earlier! - 1) * 100, 2);
    expect(links.annee_precedente.sections['bikes']).toBe('not available');
    const first = await readOutput<LinksMetrics>(days.get(before)?.['metrics/links'], 'links');
    expect(first.annee_precedente.disponible).toBe(false);
    expect(first.correlations.every(({ n, note }) => n > 0 && note === 'pas assez de jours')).toBe(
      true,
    );
    expect(first.sans_jours_communs).toContain('température × véhicules');
  });
});

describeOnRealFiles('sixty real days of road counts', [FILE, NETWORK], () => {
  const last = '2024-02-04';
  const all = dates(addDays(last, -59), last);
  let days: Days;
  let hours: RawHour[];
  beforeAll(async () => {
    days = await runner.days([COUNTS()], all, 'metrics/sensors');
    hours = await rawHours();
  }, 120_000);

  it('% missing and silence duration: hours without a value, of the day and of 31 days', async () => {
    const sensors = await runner.sql((sql) =>
      sql.rows<Record<string, number | string | boolean>>(
        `SELECT * FROM read_parquet('${days.get(last)!['metrics/sensors']!.outputs['sensors']!.path}')`,
      ),
    );
    const observed = (from: string, to: string): RawHour[] =>
      hours.filter(({ day, q, k }) => day >= from && day <= to && (q !== null || k !== null));
    const [window, today] = [observed(addDays(last, -30), last), observed(last, last)];
    expect(window.length).toBeLessThan(31 * 24);
    expect(sensors).toHaveLength(1);
    expect(sensors[0]).toMatchObject({
      ...{ kind: 'route', sensor_id: ARC, sensor_name: 'AV_Champs_Elysees', expected_hours: 24 },
      ...{
        observed_hours: today.length,
        window_expected_hours: 31 * 24,
        window_observed_hours: window.length,
      },
      silent_hours: 23 - Math.max(...today.map(({ clock }) => clock)),
    });
    expect(sensors[0]!['window_missing_pct']).toBeCloseTo((1 - window.length / (31 * 24)) * 100, 3);
  });

  it('average daily traffic: the mean of the stored days’ vehicles', async () => {
    const history = await readOutput<HistoryMetrics>(
      days.get(last)?.['metrics/history'],
      'history',
    );
    const totals = dates(addDays(last, -30), last).flatMap((date) => {
      const own = hours.filter(({ day, q }) => day === date && q !== null);
      return own.length === 0 ? [] : [sum(own.map(({ q }) => q))];
    });
    const [arc] = history.debit_moyen_journalier;
    expect(arc).toMatchObject({ identifiant_arc: ARC, jours: totals.length });
    expect(arc!.debit_moyen_journalier).toBeCloseTo(sum(totals) / totals.length, 1);
  });

  it('p95 flow alerts: arcs with an hour above the 95th percentile of the day’s hourly flows', async () => {
    const metrics = await readOutput<CountsMetrics>(
      days.get(last)?.['metrics/comptages'],
      'metrics',
    );
    const flows = hours
      .flatMap(({ day, q }) => (day === last && q !== null ? [q] : []))
      .sort((a, b) => a - b);
    const place = (flows.length - 1) * 0.95;
    const [low, high] = [flows[Math.floor(place)]!, flows[Math.ceil(place)]!];
    expect(metrics.alertes_debit.seuil_vehicules).toBeCloseTo(low + (high - low) * (place % 1), 3);
    expect(metrics.alertes_debit).toMatchObject({ troncons: 1, top: [ARC] });
  });

  it('planning suggestions: the four consecutive hours of least traffic, working days apart', async () => {
    const question = STUDY_QUESTIONS.find(({ id }) => id === 'suggest_work_hours')!;
    const parameters = question.parameters.parse({ street: 'champs' });
    const scene = { known: { from: all[0]!, to: last } };
    const span = question.span(parameters, scene);
    expect(span).toEqual({ from: addDays(last, -27), to: last });
    const asked = all.filter((date) => date >= span.from);
    const rows = await runner.sql(async (sql) => {
      for (const table of CITY_TABLES.filter(({ id }) => question.tables.includes(id))) {
        const files = asked.flatMap(
          (date) => days.get(date)?.[table.rows.step]?.outputs[table.rows.output]?.path ?? [],
        );
        await sql.run(`CREATE OR REPLACE TEMP VIEW ${table.id} AS ${rowsSql(table, files)}`);
      }
      return sql.rows<Record<string, number | string>>(question.sql(parameters, scene));
    });
    const isWorking = (day: string): boolean =>
      ![0, 6].includes(new Date(`${day}T12:00:00Z`).getUTCDay());
    for (const [kind, working] of [
      ['semaine', true],
      ['week-end', false],
    ] as const) {
      const means = Array.from({ length: 24 }, (_, clock) => {
        const own = hours.filter(
          (one) =>
            asked.includes(one.day) &&
            isWorking(one.day) === working &&
            one.clock === clock &&
            one.q !== null,
        );
        return sum(own.map(({ q }) => q)) / own.length;
      });
      const windows = means.map(
        (_, from) => sum([0, 1, 2, 3].map((step) => means[(from + step) % 24]!)) / 4,
      );
      const best = windows.indexOf(Math.min(...windows));
      const told = rows.find(({ days: own }) => own === kind)!;
      expect(told).toMatchObject({
        street: 'AV_Champs_Elysees',
        from_hour: best,
        to_hour: (best + 4) % 24,
      });
      expect(told['window_flow']).toBeCloseTo(windows[best]!, 6);
      expect(told['share_pct']).toBeCloseTo((windows[best]! / (sum(means) / 24)) * 100, 6);
    }
    expect(question.description.en).toContain('Rule:');
  });
});

describeOnRealFiles('the names of real bike counters', [REFERENCE], () => {
  it('are normalised: no direction, no abbreviation, one place for both directions', async () => {
    const { metrics } = JSON.parse(await readFile(realData(REFERENCE), 'utf8')) as {
      metrics: { nom_compteur: string }[];
    };
    const names = metrics.map(({ nom_compteur: name }) => counterName(name));
    expect(names.length).toBeGreaterThan(50);
    for (const { nom_normalise: name } of names) {
      expect(name).toMatch(/^\S+( \S+)+$/);
      expect(name).not.toMatch(/ (?:[NS]?[EO]|[NS])-(?:[NS]?[EO]|[NS])$|^Totem|^Face/);
    }
    // Most streets are counted in both directions.
    const places = new Set(names.map(({ cle }) => cle));
    expect(places.size).toBeLessThan(names.length * 0.8);
  });
});
