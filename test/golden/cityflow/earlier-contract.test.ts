import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { JsonObject, JsonValue } from '../../../src/ports/json.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { MADE_PARTS, madeCity } from '../../unit/cityflow/made-city.ts';

/**
 * What readers of the earlier system rely on: every member of its metrics files has its name, its
 * type and its scale in ours. Its figures are known to be wrong; ours are checked against the same
 * document's own members.
 */

const PUBLISHED = ['bikes', 'traffic', 'weather', 'chantiers', 'referentiel'] as const;
const fileOf = (part: string): string => `cityflow-reference/${part}_metrics_2025-11-04.json`;

const DAY = '2025-11-12';
let runner: StepRunner;
const ours: Record<string, JsonObject> = {};

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  const sources = await madeCity(runner, dates('2025-11-05', DAY));
  const days = await runner.days(
    MADE_PARTS.map((part) => sources[part]),
    dates('2025-11-05', DAY),
  );
  for (const part of [...PUBLISHED, 'comptages'])
    ours[part] = await readOutput(days.get(DAY)![`metrics/${part}` as never], 'metrics');
});
afterAll(() => runner.close());

/** Every member below a value by its path; items of a list and entries of a mapping share one. */
function membersOf(
  value: JsonValue,
  path = '',
  found = new Map<string, Set<string>>(),
): Map<string, Set<string>> {
  const types = found.get(path) ?? new Set();
  found.set(path, types.add(typeOf(value)));
  if (Array.isArray(value))
    for (const item of value) membersOf(item as JsonValue, `${path}[]`, found);
  else if (typeof value === 'object' && value !== null) {
    const isMapping = /\.(mapping|impact_by_arrondissement)$/.test(path);
    for (const [name, member] of Object.entries(value))
      membersOf(member, isMapping ? `${path}{}` : `${path}.${name}`, found);
  }
  return found;
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

/** Scales: what of a member may be read as which unit. */
const WITHIN: Readonly<Record<string, readonly [least: number, most: number]>> = {
  '.reliability_index': [1.000001, 100],
  '.frequentation_index': [0, 100],
  '.metrics[].pic_horaire': [0, 23],
  '.top_counters[].pic_horaire': [0, 23],
};

describeOnRealFiles('metrics under the names of the earlier system', PUBLISHED.map(fileOf), () => {
  it.each(PUBLISHED)('have every member of %s with its type', async (part) => {
    const published = membersOf(
      JSON.parse(await readFile(realData(fileOf(part)), 'utf8')) as JsonObject,
    );
    const own = membersOf(ours[part]!);
    expect(published.size).toBeGreaterThan(5);
    for (const [path, types] of published) {
      // A list that was empty on that day, or is on ours, says nothing of its items.
      const listed = path.split('[]').slice(0, -1);
      const isEmpty = listed.some(
        (_, index) => !own.has(`${listed.slice(0, index + 1).join('[]')}[]`),
      );
      if (isEmpty) continue;
      expect(own.has(path), `${part}${path}`).toBe(true);
      const known = [...types].filter((type) => type !== 'null');
      const made = [...own.get(path)!].filter((type) => type !== 'null');
      for (const type of made)
        if (known.length > 0) expect(known, `${part}${path}`).toContain(type);
    }
  });
});

describe('metrics of bikes', () => {
  it('give the hour of the peak, the counters themselves, and ids of those that fail', () => {
    const bikes = ours['bikes'] as unknown as {
      metrics: {
        id_compteur: string;
        date: string;
        pic_horaire: number;
        total_jour: number;
        moyenne_horaire: number;
        anomalie_detectee: boolean;
      }[];
      top_counters: { id_compteur: string; total_jour: number }[];
      failing_sensors: string[];
      anomalies: unknown[];
    };
    for (const counter of bikes.metrics) {
      expect(counter.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00:00\+00:00$/);
      expect(Number.isInteger(counter.pic_horaire)).toBe(true);
      expect(counter.moyenne_horaire).toBeCloseTo(counter.total_jour / 24, 2);
    }
    const totals = bikes.metrics.map(({ total_jour }) => total_jour).sort((a, b) => b - a);
    expect(bikes.top_counters.map(({ total_jour }) => total_jour)).toEqual(totals.slice(0, 10));
    for (const id of bikes.failing_sensors) {
      expect(typeof id).toBe('string');
      expect(bikes.metrics.map(({ id_compteur }) => id_compteur)).not.toContain(id);
    }
    expect(bikes.anomalies).toEqual(bikes.metrics.filter((one) => one.anomalie_detectee));
  });
});

describe('metrics that had a scale', () => {
  it.each(Object.entries(WITHIN))('keep it in %s', (path, [least, most]) => {
    const values = Object.values(ours).flatMap((document) => valuesAt(document, path));
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) {
      expect(value, path).toBeGreaterThanOrEqual(least);
      expect(value, path).toBeLessThanOrEqual(most);
    }
  });

  it('give ours beside it under another name', () => {
    const { reliability_index: percent, fiabilite_metro: share } = ours['traffic'] as Record<
      string,
      number
    >;
    expect(percent).toBeCloseTo(share! * 100, 4);
  });
});

describe('metrics of road counts', () => {
  const LISTS = {
    metrics: ARC_MEMBERS(),
    top_10_troncons: ARC_MEMBERS(),
    top_10_zones_congestionnees: ARC_MEMBERS(),
    alertes_congestion: ARC_MEMBERS(),
    top_zones_affluence: {
      zone: 'string',
      nombre_troncons: 'number',
      total_vehicules: 'number',
      temps_perdu_total_minutes: 'number',
      nombre_troncons_satures: 'number',
      taux_saturation: 'number',
      moyenne_vehicules_par_troncon: 'number',
      top_troncons: 'list',
    },
  } as const;

  it.each(Object.entries(LISTS))('have %s, with every member of its items', (name, members) => {
    const items = ours['comptages']![name] as JsonObject[];
    expect(items.length).toBeGreaterThan(0);
    for (const [member, type] of Object.entries(members)) {
      const types = new Set(items.map((item) => typeOf(item[member] ?? null)));
      expect(
        [...types].filter((one) => one !== 'null'),
        `${name}[].${member}`,
      ).toEqual([type]);
    }
  });

  it('have the figures of the whole city in global_metrics', () => {
    const { global_metrics, totals } = ours['comptages'] as Record<string, Record<string, number>>;
    expect(global_metrics).toMatchObject({
      date: DAY,
      total_vehicules_jour: totals!['vehicules'],
      nombre_troncons_satures: totals!['troncons_satures'],
      temps_perdu_total_paris: totals!['temps_perdu_minutes'],
      debit_journalier_total: totals!['vehicules'],
    });
    expect(global_metrics!['taux_disponibilite_capteurs']).toBeGreaterThan(1);
    expect(global_metrics!['temps_perdu_total_heures']).toBeCloseTo(
      totals!['temps_perdu_minutes']! / 60,
      2,
    );
  });

  it('list zones as zones, which add up to their segments, and segments in a list of their own', () => {
    const counts = ours['comptages'] as unknown as {
      metrics: {
        identifiant_arc: string;
        zone: string;
        temps_perdu_total_minutes: number | null;
      }[];
      top_10_zones_congestionnees: {
        identifiant_arc: string;
        zone: string;
        temps_perdu_total_minutes: number;
      }[];
      top_10_troncons_congestionnes: { identifiant_arc: string }[];
    };
    const ids = new Set(counts.metrics.map(({ identifiant_arc: id }) => id));
    for (const {
      zone,
      identifiant_arc,
      temps_perdu_total_minutes: lost,
    } of counts.top_10_zones_congestionnees) {
      expect(ids.has(identifiant_arc)).toBe(false);
      const own = counts.metrics.filter((arc) => arc.zone === zone);
      expect(own.reduce((sum, arc) => sum + (arc.temps_perdu_total_minutes ?? 0), 0)).toBeCloseTo(
        lost,
        1,
      );
    }
    expect(
      counts.top_10_troncons_congestionnes.every(({ identifiant_arc: id }) => ids.has(id)),
    ).toBe(true);
  });
});

/** Of a segment; the earlier system gave zones the same. */
function ARC_MEMBERS(): Readonly<Record<string, string>> {
  return {
    date: 'string',
    identifiant_arc: 'string',
    libelle: 'string',
    debit_horaire_moyen: 'number',
    debit_journalier_total: 'number',
    debit_max: 'number',
    taux_occupation_moyen: 'number',
    etat_trafic_dominant: 'string',
    heure_pic: 'string',
    temps_perdu_minutes: 'number',
    temps_perdu_total_minutes: 'number',
    congestion_alerte: 'boolean',
    arrondissement: 'string',
    geo_point_2d: 'string',
    zone_fallback: 'string',
  };
}

function valuesAt(document: JsonObject, path: string): number[] {
  const [first = '', ...rest] = path.slice(1).split('[].');
  const value = document[first];
  const found =
    rest.length === 0
      ? [value]
      : (Array.isArray(value) ? (value as JsonObject[]) : []).map((item) => item[rest[0]!]);
  return found.filter((one): one is number => typeof one === 'number');
}
