import { describe, expect, it } from 'vitest';
import type { ArcDigest, Digest } from '../../../src/datasets/cityflow/metrics/digest.ts';
import { evolutionOf, historyMetrics } from '../../../src/datasets/cityflow/metrics/history.ts';
import {
  averageDay,
  bikeAnomalies,
  correlations,
  typicalDay,
} from '../../../src/datasets/cityflow/metrics/patterns.ts';
import { sensorHealth } from '../../../src/datasets/cityflow/metrics/sensors.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';

const DAY = '2025-11-04';
const CLOCK = Array.from({ length: 24 }, (_, hour) => hour);
const ALL = 2 ** 24 - 1;

function digest(daysAgo: number, rest: Partial<Digest> = {}): Digest {
  return {
    ...{ schema: 'cityflow.digest/1', date: addDays(DAY, -daysAgo), hours: 24, clock: CLOCK },
    ...{ bikes: null, roads: null, weather: null, works: null, traffic: null },
    ...rest,
  };
}

function roads(arcs: Record<string, ArcDigest>): NonNullable<Digest['roads']> {
  return {
    vehicles: 100,
    lost_minutes: 10,
    saturated: 1,
    availability: 1,
    by_hour: CLOCK.map(() => 4),
    arcs,
  };
}

function bikes(perHour: number): NonNullable<Digest['bikes']> {
  const hours = CLOCK.map(() => perHour);
  return { total: perHour * 24, by_hour: hours, counters: { a: hours } };
}

describe('sensor health', () => {
  it('expects the open network and what was seen, over the hours of the day', () => {
    const days = [
      digest(0, { roads: roads({ a: [1, 1, ALL], b: [1, 1, 2 ** 12 - 1] }) }),
      digest(1, { roads: roads({ c: [1, 1, ALL] }) }),
    ];
    const health = sensorHealth(days, new Set(['a', 'd']), THRESHOLDS);
    // a, b, c and d; 24 and 12 hours of 96.
    expect(health).toMatchObject({
      attendus: 4,
      observes: 2,
      heures_attendues: 96,
      heures_observees: 36,
      disponibilite: 0.375,
    });
  });

  it('measures silence back to the last value, and says at least where a day is missing', () => {
    const days = [
      digest(0, {
        roads: roads({ early: [1, 1, 2 ** 10], fine: [1, 1, 2 ** 17], dead: [null, null, 0] }),
      }),
      digest(1, { roads: roads({ dead: [1, 1, 2 ** 20], early: [1, 1, ALL], lost: [1, 1, 0] }) }),
      null,
    ];
    expect(sensorHealth(days, new Set(), THRESHOLDS).liste).toEqual([
      { identifiant_arc: 'lost', heures: 48, au_moins: true },
      { identifiant_arc: 'dead', heures: 27, au_moins: false },
      { identifiant_arc: 'early', heures: 13, au_moins: false },
    ]);
    expect(sensorHealth(days, new Set(), THRESHOLDS)).toMatchObject({
      silencieux: 3,
      longtemps_silencieux: 2,
    });
  });

  it('blames no sensor when the counts of the day are missing as a whole', () => {
    expect(
      sensorHealth(
        [digest(0), digest(1, { roads: roads({ a: [1, 1, ALL] }) })],
        new Set(),
        THRESHOLDS,
      ),
    ).toMatchObject({ disponibilite: null, silencieux: 0 });
  });
});

describe('a typical day', () => {
  it('is that of the weekday, and the day is held against it', () => {
    const before = [7, 14, 21, 28].map((ago) => digest(ago, { bikes: bikes(10) }));
    const typical = typicalDay(
      digest(0, { bikes: bikes(15) }),
      [...before, digest(1, { bikes: bikes(1_000) })],
      'bikes',
    );
    expect(typical).toMatchObject({ jours: 4, ecart_total_pct: 50 });
    expect(typical.par_heure[8]).toBe(10);
    expect(typical.par_jour_de_semaine[1]![8]).toBe(1_000);
  });
});

describe('anomalies', () => {
  it('are further than three deviations from the same hour of alike days', () => {
    const before = Array.from({ length: 20 }, (_, index) =>
      digest(index + 1, { bikes: bikes(index % 2 === 0 ? 95 : 105) }),
    );
    expect(bikeAnomalies(digest(0, { bikes: bikes(100) }), before, THRESHOLDS)).toMatchObject({
      nombre: 0,
      testees: 24,
    });
    expect(bikeAnomalies(digest(0, { bikes: bikes(200) }), before, THRESHOLDS).nombre).toBe(24);
    expect(
      bikeAnomalies(digest(0, { bikes: bikes(200) }), before.slice(0, 3), THRESHOLDS),
    ).toMatchObject({
      nombre: 0,
      testees: 0,
    });
  });
});

describe('averages', () => {
  it('part weekends from working days, and compare two weeks', () => {
    const days = Array.from({ length: 14 }, (_, ago) =>
      digest(ago, { bikes: bikes(ago < 7 ? 20 : 10) }),
    ).reverse();
    const average = averageDay(
      days,
      'bikes',
      (date) => (Date.parse(DAY) - Date.parse(date)) / 86_400_000,
    );
    expect(average).toMatchObject({ jours: 14, moyenne: 360, evolution_hebdomadaire_pct: 100 });
    expect(average?.ratio_week_end_semaine).toBeCloseTo(1, 1);
    expect(averageDay(days, 'roads', () => 0)).toBeNull();
  });
});

describe('correlations', () => {
  it('need 14 days, and are exact for a straight line', () => {
    const days = Array.from({ length: 14 }, (_, index) =>
      digest(index, {
        bikes: bikes(10 + index),
        weather: { temp_c: 2 * index, precip_mm: 14 - index, wind_kmh: 5 },
      }),
    );
    const found = Object.fromEntries(
      correlations(days, THRESHOLDS).map(({ nom, n, r, note }) => [nom, [n, r, note]]),
    );
    expect(found['température × vélos']).toEqual([14, 1, null]);
    expect(found['précipitations × vélos']).toEqual([14, -1, null]);
    expect(found['vent × vélos']).toEqual([14, null, 'une des deux grandeurs ne varie pas']);
    expect(found['chantiers × véhicules']).toEqual([0, null, 'pas assez de jours']);
    expect(correlations(days.slice(1), THRESHOLDS)[0]).toMatchObject({
      n: 13,
      r: null,
      note: 'pas assez de jours',
    });
  });
});

describe('the evolution against last week', () => {
  it('gives absolute and relative changes of what both days have', () => {
    const day = digest(0, { bikes: bikes(15), works: { active: 12 } });
    const evolution = evolutionOf(DAY, day, digest(7, { bikes: bikes(10) }));
    expect(evolution).toMatchObject({ date_reference: '2025-10-28', disponible: true, note: null });
    expect(evolution.sections['bikes']).toEqual({
      total_velos: { valeur: 360, reference: 240, ecart: 120, ecart_pct: 50 },
    });
    expect(evolution.sections['chantiers']).toBe('not available');
  });

  it('says that the day is missing', () => {
    expect(evolutionOf(DAY, digest(0), null)).toMatchObject({ disponible: false });
    expect(evolutionOf(DAY, digest(0), null).note).toContain('not available');
  });
});

describe('the history of a day', () => {
  it('is made of the day alone when nothing else is stored', () => {
    const history = historyMetrics(DAY, [digest(0, { bikes: bikes(1) })], new Set(), THRESHOLDS);
    expect(history).toMatchObject({ jours_disponibles: 1, periodes_disponibles: [[DAY, DAY]] });
    expect(history.evolution.disponible).toBe(false);
  });

  it('names its days as spans, and no correlation of what no day has', () => {
    const bikesAgo = [0, 1, 3, 4, 5].map((ago) => [ago, digest(ago, { bikes: bikes(1) })] as const);
    const digests = Array.from({ length: 31 }, (_, ago) => new Map(bikesAgo).get(ago) ?? null);
    const history = historyMetrics(DAY, digests, new Set(), THRESHOLDS);
    expect(history.jours_disponibles).toBe(5);
    expect(history.periodes_disponibles).toEqual([
      [addDays(DAY, -5), addDays(DAY, -3)],
      [addDays(DAY, -1), DAY],
    ]);
    expect(history.correlations).toEqual([]);
    expect(history.moyennes).toMatchObject({ velos: { jours: 5 }, vehicules: null });
  });
});
