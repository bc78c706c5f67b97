import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { TrafficMetrics } from '../../../src/datasets/cityflow/metrics/traffic.ts';
import {
  merged,
  serviceSpans,
  severityOf,
} from '../../../src/datasets/cityflow/metrics/traffic.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import { metroLinesIn } from '../../../src/datasets/cityflow/transform/traffic.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { disruption } from './made-data.ts';

const DAY = '2025-11-04';
let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

async function measure(disruptions: readonly object[], date = DAY): Promise<TrafficMetrics> {
  const path = await runner.file('traffic_data.json', JSON.stringify({ disruptions }));
  const days = await runner.days([{ part: 'traffic', path }], [date], 'metrics/traffic');
  return readOutput(days.get(date)?.['metrics/traffic'], 'metrics');
}

describe('disruptions of a day', () => {
  it('are clipped to it: a month long one has 1,440 minutes of it', async () => {
    const metrics = await measure([
      disruption({ id: 'a', periods: [['20251020T060000', '20251120T060000']] }),
    ]);
    expect(metrics.disruptions[0]).toMatchObject({
      minutes: 1_440,
      resolue: false,
      periodes: [{ debut: `${DAY}T00:00:00+01:00`, fin: '2025-11-05T00:00:00+01:00' }],
    });
    // 31 days, and the hour that the clock repeats on 26 October.
    expect(metrics.disruptions[0]!.duree_heures).toBe(745);
  });

  it('are those whose period touches the day, naive times being those of Paris', async () => {
    const metrics = await measure([
      disruption({ id: 'before', periods: [['20251103T200000', '20251104T000000']] }),
      disruption({ id: 'in', periods: [['20251104T235900', '20251105T010000']] }),
      disruption({ id: 'after', periods: [['20251105T000000', '20251105T010000']] }),
    ]);
    expect(metrics.disruptions.map(({ id, minutes }) => [id, minutes])).toEqual([['in', 1]]);
    expect(
      (
        await measure(
          [disruption({ id: 'a', periods: [['20251026T000000', '20251027T000000']] })],
          '2025-10-26',
        )
      ).disruptions[0]!.minutes,
    ).toBe(1_500);
  });

  it('say nothing of a day without any, and that is data too', async () => {
    const metrics = await measure([
      disruption({ id: 'later', periods: [['20251201T000000', '20251202T000000']] }),
    ]);
    expect(metrics).toMatchObject({
      total_disruptions_count: 0,
      reliability_index: 100,
      duree_moyenne_resolution_heures: null,
    });
  });

  it('count the newest version of one id', async () => {
    const periods: [string, string][] = [['20251104T080000', '20251104T090000']];
    const metrics = await measure([
      disruption({ id: 'a', periods, priority: 60, updated: '20251104T080000' }),
      disruption({ id: 'a', periods, priority: 10, updated: '20251104T083000' }),
    ]);
    expect(metrics.disruptions_by_severity).toEqual({
      CRITIQUE: 0,
      ELEVEE: 0,
      MOYENNE: 0,
      FAIBLE: 1,
    });
  });

  it('make the metro unreliable by the minutes of its lines, two at once on one line counting once', async () => {
    const morning: [string, string][] = [['20251104T080000', '20251104T090000']];
    const metrics = await measure([
      disruption({ id: 'a', periods: morning, text: 'Métro 4 : trafic ralenti' }),
      disruption({ id: 'b', periods: morning, text: 'Ligne 4, arrêt non desservi' }),
      disruption({ id: 'c', periods: [['20251104T020000', '20251104T050000']], text: 'Métro 1' }),
    ]);
    // Service: 18.5 h from 05:30 and 1.25 h after midnight; at night there is none to disrupt.
    expect(metrics.lines).toEqual({ minutes_perturbees: 60, minutes_service: 1_185, lignes: 14 });
    expect(metrics.fiabilite_metro).toBeCloseTo(1 - 60 / (14 * 1_185), 6);
    expect(metrics.top_lignes_impactees[0]).toEqual({ ligne: '4', count: 2, minutes: 60 });
  });

  it('count what was resolved, how fast, and how many went on at once', async () => {
    const metrics = await measure([
      disruption({
        id: 'short',
        periods: [['20251104T080000', '20251104T100000']],
        updated: '20251104T080100',
      }),
      disruption({
        id: 'long',
        periods: [['20251101T080000', '20251104T080000']],
        updated: '20251101T080100',
      }),
      ...Array.from({ length: 6 }, (_, index) =>
        disruption({
          id: `open${index}`,
          periods: [['20251104T120000', '20251110T000000']],
          cause: 'travaux',
        }),
      ),
    ]);
    expect(metrics).toMatchObject({
      total_disruptions_count: 8,
      active_disruptions_count: 6,
      resolues: 2,
      resolues_sous_24h: 1,
      planifiees: 6,
    });
    expect(metrics.duree_moyenne_resolution_heures).toBe(37);
    expect(metrics.simultanees).toEqual({
      maximum: 6,
      depuis: `${DAY}T12:00:00+01:00`,
      minutes_au_dessus_du_seuil: 720,
    });
  });
});

describe('the pieces', () => {
  it('grade by priority at 50, 30 and 15', () => {
    expect(
      [null, 14, 15, 29, 30, 49, 50].map((priority) => severityOf(priority, THRESHOLDS)),
    ).toEqual([...['FAIBLE', 'FAIBLE', 'MOYENNE', 'MOYENNE', 'ELEVEE', 'ELEVEE', 'CRITIQUE']]);
  });

  it('find metro lines and no other numbers', () => {
    expect(metroLinesIn('Métro 8 : travaux. M14 et lignes 2, 6 et 9 du métro')).toEqual([
      '2',
      '6',
      '8',
      '9',
      '14',
    ]);
    expect(metroLinesIn('Bus 91, ligne 15, RER 4, tram 3, ligne 7 du bus, métro 7bis')).toEqual([]);
  });

  it('merge spans', () => {
    expect(
      merged([
        [5, 7],
        [1, 3],
        [2, 4],
        [9, 9],
      ]),
    ).toEqual([
      [1, 4],
      [5, 7],
    ]);
  });

  it('run the metro as long on days with a change of the clock', () => {
    const minutes = (date: string): number =>
      serviceSpans(zonedDay(date, 'Europe/Paris'), THRESHOLDS).reduce(
        (sum, [from, to]) => sum + (to - from) / 60_000,
        0,
      );
    expect(['2025-03-30', DAY, '2025-10-26'].map(minutes)).toEqual([1_185, 1_185, 1_185]);
  });
});
