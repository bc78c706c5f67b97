import { describe, expect, it } from 'vitest';
import { cityflow } from '../../src/datasets/cityflow/index.ts';
import { planDay } from '../../src/pipelines/plan.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';

const KEYS = { idfm: { key: 'secret-1' }, 'visual-crossing': { key: 'secret-2' } };

function configured(
  hosts: Parameters<typeof configuredDatasets>[1],
  thresholds: Readonly<Record<string, Readonly<Record<string, number>>>> = {},
) {
  return configuredDatasets({ cityflow }, hosts, { thresholds })['cityflow']!;
}

describe('configuredDatasets', () => {
  it('closes the parts whose publisher wants a key that nobody gave, and tells the report', () => {
    const { definition } = configured({});
    const closed = definition.parts.filter((part) => part.closed !== undefined).map(({ id }) => id);
    expect(closed).toEqual(['traffic', 'weather']);
    const report = definition.steps.find(({ id }) => id === 'report/daily');
    expect(report?.params?.['closed_parts']).toEqual({
      traffic: 'QUOTIDIEN_IDFM_KEY',
      weather: 'QUOTIDIEN_VISUAL_CROSSING_KEY',
    });
  });

  it('leaves a closed part out of the plan, with the reason, and asks the others', () => {
    const plan = planDay(configured({}).definition, {
      date: '2026-01-15',
      now: '2026-01-20T00:00:00.000Z',
      expected: { parts: {} },
      manifest: undefined,
      ledger: [],
      damaged: new Map(),
      deliveries: {},
      previousOutput: () => undefined,
    });
    const of = (step: string) => plan.steps.find((planned) => planned.step === step);
    expect(of('download/traffic')).toMatchObject({
      action: 'skip',
      reason: 'its publisher wants a key: set QUOTIDIEN_IDFM_KEY',
    });
    expect(of('download/bikes')).toMatchObject({ action: 'run' });
    expect(of('report/daily')).toMatchObject({ action: 'run' });
  });

  it('has nothing closed with the keys, and keeps them out of the definition', () => {
    const dataset = configured(KEYS);
    expect(dataset.definition.parts.some(({ closed }) => closed !== undefined)).toBe(false);
    expect(dataset.sources['traffic']).toMatchObject({
      credential: { place: 'header', name: 'apikey', key: 'secret-1' },
    });
    expect(JSON.stringify(dataset.definition)).not.toContain('secret');
  });

  it('puts thresholds into the steps that judge by them, and leaves the others', () => {
    const { definition } = configured(KEYS, { cityflow: { rain_mm: 4 } });
    const paramsOf = (id: string) => definition.steps.find((step) => step.id === id)?.params;
    expect(paramsOf('metrics/weather')).toMatchObject({ thresholds: { rain_mm: 4, cold_c: 10 } });
    expect(paramsOf('transform/weather')).toBeUndefined();
  });

  it('gives each step the thresholds that it names and no other, so that one more limit changes no other key', () => {
    const { definition } = configured({}, { cityflow: { peak_hour_pct: 130 } });
    const named = (steps: typeof definition.steps, id: string): string[] => {
      const { thresholds = {} } = steps.find((step) => step.id === id)?.params ?? {};
      return Object.keys(thresholds as object).sort();
    };
    for (const { id } of definition.steps) {
      expect(named(definition.steps, id), id).toEqual(named(cityflow.definition.steps, id));
    }
    expect(named(definition.steps, 'metrics/weather')).not.toContain('peak_hour_pct');
    const study = definition.steps.find(({ id }) => id === 'metrics/bike-study');
    expect(study?.params).toMatchObject({
      thresholds: { peak_hour_pct: 130, corridor_percentile: 75 },
    });
  });

  it('refuses a threshold that no pipeline has, with those there are', () => {
    expect(() => configured(KEYS, { cityflow: { rain_cm: 4 } })).toThrow(
      /names cityflow\.rain_cm; there are .*cityflow\.rain_mm/,
    );
  });
});
