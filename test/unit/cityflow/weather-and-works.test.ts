import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { WeatherMetrics } from '../../../src/datasets/cityflow/metrics/weather.ts';
import { worksMetrics } from '../../../src/datasets/cityflow/metrics/works.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import type { Work } from '../../../src/datasets/cityflow/transform/works.ts';
import { districtOfPostcode } from '../../../src/datasets/cityflow/transform/works.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { weatherAnswer } from './made-data.ts';

const DAY = '2025-11-04';
let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

async function weatherOf(
  sources: readonly { part: string; text: string }[],
): Promise<WeatherMetrics> {
  const files = await Promise.all(
    sources.map(async ({ part, text }) => ({
      part,
      path: await runner.file('weather_data.json', text),
    })),
  );
  return readOutput(
    (await runner.days(files, [DAY], 'metrics/weather')).get(DAY)?.['metrics/weather'],
    'metrics',
  );
}

const crossing = (values: Record<string, number>) => ({
  part: 'weather',
  text: weatherAnswer(DAY, {
    temp: 15,
    tempmin: 10,
    tempmax: 20,
    precip: 0,
    windspeed: 10,
    ...values,
  }),
});

describe('weather', () => {
  it('is 50 of 100 on an ordinary day, less when it rains or is cold, more when it is hot', async () => {
    const impact = async (values: Record<string, number>) => {
      const { categories, impact_mobilite } = await weatherOf([crossing(values)]);
      return [categories, impact_mobilite];
    };
    expect(await impact({})).toEqual([[], 50]);
    expect(await impact({ precip: 5 })).toEqual([['Pluvieux'], 30]);
    expect(await impact({ precip: 12, temp: 9.9, tempmin: 1, windspeed: 30 })).toEqual([
      ['Pluvieux', 'Venteux', 'Froid'],
      20,
    ]);
    expect(await impact({ temp: 25.1, tempmax: 31 })).toEqual([['Chaud'], 55]);
    expect(await impact({ temp: 25 })).toEqual([[], 50]);
  });

  it('falls back to Open-Meteo, in the same units', async () => {
    const meteo = JSON.stringify({
      daily: {
        time: ['2025-11-03', DAY],
        temperature_2m_max: [1, 15.6],
        temperature_2m_min: [1, 7.3],
        temperature_2m_mean: [1, 11.6],
        precipitation_sum: [9, 0],
        wind_speed_10m_max: [1, 15.5],
        weather_code: [3, 2],
      },
      hourly: {
        time: [`${DAY}T00:00`],
        temperature_2m: [8],
        precipitation: [0],
        wind_speed_10m: [3],
        weather_code: [2],
      },
    });
    const metrics = await weatherOf([{ part: 'open-meteo', text: meteo }]);
    expect(metrics.source).toBe('open-meteo');
    expect(metrics.metrics).toEqual({
      ...{
        date: DAY,
        temp_moyenne: 11.6,
        temp_min: 7.3,
        temp_max: 15.6,
        precip_totale: 0,
        vent_moyen: 15.5,
      },
      ...{ conditions: 'Partially cloudy', impact_mobilite: 50 },
    });
    expect((await weatherOf([{ part: 'open-meteo', text: meteo }, crossing({})])).source).toBe(
      'visual-crossing',
    );
  });
});

function work(work_id: string, rest: Partial<Work>): Work {
  return {
    ...{
      work_id,
      typology: '1',
      streets: null,
      purpose: null,
      impact: 'RESTREINTE',
      level: '1',
      status: '2',
      postcode: '75011',
    },
    ...{
      district: 11,
      starts_on: '2025-11-01',
      ends_on: '2025-11-30',
      has_usable_dates: true,
      area_m2: 10.5,
      lon: 2.38,
      lat: 48.86,
      outlines: '[]',
    },
    ...rest,
  };
}

describe('roadworks', () => {
  it('are active from their first to their last day, and count what comes within 7 days', () => {
    const metrics = worksMetrics(
      DAY,
      [
        work('first', { starts_on: DAY }),
        work('last', { ends_on: DAY }),
        work('over', { ends_on: '2025-11-03' }),
        work('soon', { starts_on: '2025-11-11' }),
        work('later', { starts_on: '2025-11-12' }),
        work('ends', { ends_on: '2025-11-11' }),
      ],
      THRESHOLDS,
    );
    expect(metrics.chantiers_actifs.map(({ identifiant }) => identifiant)).toEqual([
      'first',
      'last',
      'ends',
    ]);
    expect(metrics.demarrent).toEqual(['soon']);
    expect(metrics.se_terminent).toEqual(['last', 'ends']);
    expect(metrics.surface_totale_impactee_m2).toBe(31.5);
  });

  it('score their impact, count an unknown one as unknown, and invent no district', () => {
    const metrics = worksMetrics(
      DAY,
      [
        work('a', { impact: 'BARRAGE_TOTAL' }),
        work('b', { impact: 'IMPASSE' }),
        work('c', { impact: null }),
        work('d', { impact: 'AUTRE' }),
        work('e', { district: null, postcode: null }),
        work('f', { has_usable_dates: false }),
      ],
      THRESHOLDS,
    );
    expect(metrics.impacts).toEqual({
      BARRAGE_TOTAL: 1,
      IMPASSE: 1,
      RESTREINTE: 1,
      SENS_UNIQUE: 0,
      INCONNU: 2,
    });
    expect(metrics.impact_by_arrondissement).toEqual({ '75011': 180 });
    expect(metrics.zones_critiques).toEqual([{ arrondissement: '75011', nombre_chantiers: 4 }]);
    expect(metrics.coverage).toMatchObject({
      connus: 6,
      sans_dates_utilisables: ['f'],
      sans_code_postal: ['e'],
      sans_arrondissement: ['e'],
    });
  });

  it('take both postcodes of the 16th, and no other town’s', () => {
    expect(['75001', '75116', '75020', '75021', '92100', null].map(districtOfPostcode)).toEqual([
      1,
      16,
      20,
      null,
      null,
      null,
    ]);
  });
});
