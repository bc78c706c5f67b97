import { describe, expect, it } from 'vitest';
import type { ArcDigest, Digest } from '../../../src/datasets/cityflow/metrics/digest.ts';
import { USUAL_DAYS, usualMetrics } from '../../../src/datasets/cityflow/metrics/usual.ts';
import type { UsualMetrics } from '../../../src/datasets/cityflow/metrics/usual.ts';
import { coverageText, shareOf } from '../../../src/datasets/cityflow/report/page/words.ts';
import { sectionDetails } from '../../../src/datasets/cityflow/report/sections.ts';
import type { DayMetrics } from '../../../src/datasets/cityflow/report/model.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import { cityflowDefinition } from '../../../src/datasets/cityflow/definition.ts';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import { isWhole, lacksOf } from '../../../src/pipelines/completeness.ts';
import type { LedgerEntry } from '../../../src/pipelines/ledger.ts';
import type { Manifest } from '../../../src/pipelines/manifest.ts';

/** What the publisher usually delivers, and what of it a day has. */

const DAY = '2025-11-04';
const CLOCK = Array.from({ length: 24 }, (_, hour) => hour);
const ALL = 2 ** 24 - 1;

function digest(daysAgo: number, arcs: Record<string, ArcDigest> | null): Digest {
  const roads =
    arcs === null
      ? null
      : {
          vehicles: 1,
          lost_minutes: 1,
          saturated: 0,
          availability: 1,
          by_hour: CLOCK.map(() => 1),
          arcs,
        };
  return {
    ...{ schema: 'cityflow.digest/1', date: addDays(DAY, -daysAgo), hours: 24, clock: CLOCK },
    ...{ bikes: null, roads, weather: null, works: null, traffic: null },
  };
}

/** A day and so many before it; an arc has all hours on the days for which it says so. */
function days(
  before: number,
  arcs: Record<string, (daysAgo: number) => boolean>,
): (Digest | null)[] {
  return Array.from({ length: before + 1 }, (_, daysAgo) =>
    digest(
      daysAgo,
      Object.fromEntries(
        Object.entries(arcs).map(([id, isThere]) => [
          id,
          [1, 1, isThere(daysAgo) ? ALL : 0] as ArcDigest,
        ]),
      ),
    ),
  );
}

const always = () => true;
const never = () => false;

describe('what usually comes of the road sensors', () => {
  it('is what had a value on half of the stored days: one that was never repaired is no fault of the day', () => {
    const { comptages } = usualMetrics(
      DAY,
      days(USUAL_DAYS, { a: always, b: always, dead: never, d: never }),
    );
    expect(comptages).toEqual({
      jours: USUAL_DAYS,
      ...{
        capteurs: 2,
        presents: 2,
        heures_attendues: 48,
        heures_observees: 48,
        taux: 1,
        au_moins: 0.85,
      },
    });
  });

  it('still has a sensor that fell silent on the day, and no longer one that has been for most of the days', () => {
    const silentSince = (since: number) => (daysAgo: number) => daysAgo >= since;
    const { comptages } = usualMetrics(
      DAY,
      days(USUAL_DAYS, {
        a: always,
        today: silentSince(1),
        half: silentSince(31),
        long: silentSince(32),
      }),
    );
    expect(comptages).toMatchObject({
      capteurs: 3,
      presents: 1,
      heures_attendues: 72,
      heures_observees: 24,
    });
  });

  it('is not known before seven days are stored, and days without the source do not count', () => {
    const six = days(6, { a: always });
    expect(usualMetrics(DAY, six).comptages).toBeNull();
    expect(usualMetrics(DAY, [...six, digest(7, null), null]).comptages).toBeNull();
    expect(usualMetrics(DAY, days(7, { a: always })).comptages).toMatchObject({ jours: 7 });
    expect(usualMetrics(DAY, [digest(0, null), ...days(20, { a: always })]).comptages).toBeNull();
    expect(usualMetrics(DAY, days(20, { a: never })).comptages).toBeNull();
  });
});

const usualRoads = {
  jours: 60,
  capteurs: 500,
  presents: 490,
  heures_attendues: 12_000,
  au_moins: 0.85,
};

function roadsOf(taux: number, usual: number | null) {
  const longueurs = { referentiel: 1, comptages: 0, aucune: 0 };
  const lignes_ecartees = { sans_troncon: 0, hors_jour: 0, en_double: 0, valeur_impossible: 0 };
  const coverage = {
    taux,
    heures_attendues: 24_000,
    heures_observees: 24_000 * taux,
    longueurs,
    lignes_ecartees,
  };
  const comptages =
    usual === null ? null : { ...usualRoads, heures_observees: 12_000 * usual, taux: usual };
  const metrics = {
    ...{ bikes: null, traffic: null, weather: null, chantiers: null, referentiel: {} },
    comptages: { coverage },
    history: { capteurs: { disponibilite: taux } },
    usual: { part_des_jours: 0.5, comptages, velos: null } as unknown as UsualMetrics,
  };
  return sectionDetails(
    {
      ...metrics,
      referentiel: { coverage: { troncons: 0, avec_arrondissement: 0 } },
    } as unknown as DayMetrics,
    THRESHOLDS,
    {},
  ).comptages;
}

describe('the section of road counts', () => {
  it('is judged by the usual sensors, and tells of all of them as well', () => {
    const { status, coverage } = roadsOf(0.45, 0.97);
    expect(status).toBe('ok');
    expect(shareOf(coverage)).toBe(0.97);
    const text = coverageText('comptages', coverage).replace(/\s/g, ' ');
    expect(text).toContain('(45,0 %)');
    expect(text).toMatch(
      /490 des 500 capteurs habituels ont donné une valeur, 97,0 % de leurs heures/,
    );
    expect(text).toContain('habituel : une valeur au moins 50,0 % des 60 jours en mémoire');
  });

  it('lacks what usually comes, however much others give', () => {
    const { status, reasons } = roadsOf(0.6, 0.7);
    expect([status, reasons]).toEqual([
      'degraded',
      ['70 % des heures des capteurs habituels ont une valeur, moins de 85 %'],
    ]);
  });

  it('is judged by all sensors while nothing is usual yet', () => {
    expect(roadsOf(0.45, null).reasons).toEqual([
      '45 % des heures des capteurs ont une valeur, moins de 50 %',
    ]);
    expect(roadsOf(0.55, null)).toMatchObject({ status: 'ok' });
  });
});

describe('whether a day is whole', () => {
  const part = cityflowDefinition.parts.find(({ id }) => id === 'comptages')!;
  const done = (steps: Record<string, Record<string, number | null>>) => {
    const entries = Object.entries(steps);
    const manifest = {
      ...{ verdict: 'ok', facts: {} },
      steps: Object.fromEntries(entries.map(([step]) => [step, { state: 'done', key: step }])),
    } as unknown as Manifest;
    const ledger = entries.map(([step, facts]) => ({
      step,
      key: step,
      facts,
    })) as unknown as LedgerEntry[];
    return { manifest, ledger };
  };

  it('is told by what usually comes', () => {
    const { manifest, ledger } = done({
      'metrics/usual': { roads_coverage: 0.9, bikes_coverage: 0.99 },
      'metrics/comptages': { coverage: 0.4 },
    });
    expect(isWhole(part, manifest, ledger)).toBe(true);
    const known = { date: DAY, now: '2025-12-01T00:00:00Z', manifest, ledger };
    expect(lacksOf(cityflowDefinition, known).map((lack) => lack.part)).not.toContain('comptages');
  });

  it('is told by all sensors in versions of earlier releases', () => {
    const { manifest, ledger } = done({ 'metrics/comptages': { coverage: 0.4 } });
    expect(isWhole(part, manifest, ledger)).toBe(false);
  });

  it('misses a part of which nothing came', () => {
    const { manifest, ledger } = done({
      'metrics/usual': { roads_coverage: null, bikes_coverage: 0.99 },
    });
    const known = { date: DAY, now: '2025-12-01T00:00:00Z', manifest, ledger };
    expect(lacksOf(cityflowDefinition, known)).toContainEqual({
      part: 'comptages',
      share: null,
      least: 0.85,
    });
  });
});
