import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import {
  BIKE_EXPORT,
  BIKE_PAGE,
  COUNT_EXPORT,
  CROSSING_ANSWER,
  DISRUPTION,
  DISTRICT_EXPORT,
  EXPORT_DAY,
  METEO_ANSWER,
  navitiaAnswer,
  NETWORK_EXPORT,
  SERVICE_EXPORT,
  SURFACE_EXPORT,
  WORK_EXPORT,
} from './city-exports.ts';

/**
 * An answer of every publisher as it really comes, with all that nothing is made of, through
 * recognition, slice and transform.
 */

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

const NAVITIA = navitiaAnswer([DISRUPTION], { total: 1, page: 0, size: 1_000 });

interface Published {
  readonly name: string;
  readonly part: string;
  readonly text: string;
  readonly step: string;
  /** SQL of what the transform made of it, and the rows that this gives. */
  readonly select: string;
  readonly rows: readonly object[];
}

const JSON_ROWS = 'FROM read_json_auto($core)';
const ROWS = 'FROM read_parquet($core)';

const PUBLISHED: readonly Published[] = [
  ...[BIKE_EXPORT, BIKE_PAGE].map((answer, index) => ({
    name: index === 0 ? 'bikes-export.json' : 'bikes-records.json',
    part: 'bikes',
    text: JSON.stringify(answer),
    step: 'transform/bikes',
    select: `SELECT counter_id, name, hour, bikes, installed_on ${ROWS} ORDER BY hour`,
    rows: [7, 8].map((hour) => ({
      ...{
        counter_id: '100007049-101007049',
        name: '28 boulevard Diderot O-E',
        hour,
        bikes: hour * 10,
      },
      installed_on: '2013-01-18',
    })),
  })),
  {
    name: 'line_reports.json',
    part: 'traffic',
    text: JSON.stringify(NAVITIA),
    step: 'transform/traffic',
    select: `SELECT unnest(disruptions).id AS id, unnest(disruptions).lines AS lines, unnest(disruptions).priority AS priority ${JSON_ROWS}`,
    rows: [{ id: DISRUPTION.id, lines: ['8'], priority: 50 }],
  },
  {
    name: 'timeline.json',
    part: 'weather',
    text: JSON.stringify(CROSSING_ANSWER),
    step: 'transform/weather',
    select: `SELECT source, temp_mean_c, temp_min_c, temp_max_c, precip_mm, wind_kmh, len(hours) AS hours ${JSON_ROWS}`,
    rows: [
      {
        ...{
          source: 'visual-crossing',
          temp_mean_c: 11.6,
          temp_min_c: 7.3,
          temp_max_c: 15.6,
          precip_mm: 0.4,
        },
        ...{ wind_kmh: 15.5, hours: 24 },
      },
    ],
  },
  {
    name: 'archive.json',
    part: 'open-meteo',
    text: JSON.stringify(METEO_ANSWER),
    step: 'transform/weather',
    select: `SELECT source, temp_mean_c, precip_mm, conditions, len(hours) AS hours ${JSON_ROWS}`,
    rows: [
      { source: 'open-meteo', temp_mean_c: 11.6, precip_mm: 0.4, conditions: 'Rain', hours: 24 },
    ],
  },
  {
    name: 'comptages.csv',
    part: 'comptages',
    text: COUNT_EXPORT,
    step: 'transform/comptages',
    select: `SELECT arc_id, hour, flow_vehicles, occupancy_pct ${ROWS} ORDER BY hour`,
    // The time is the end of the hour: midnight is the last hour of the day before it.
    rows: [
      { arc_id: '4264', hour: 8, flow_vehicles: 1_034, occupancy_pct: 22.86333 },
      { arc_id: '4264', hour: 23, flow_vehicles: null, occupancy_pct: null },
    ],
  },
  {
    name: `chantiers-${EXPORT_DAY}.csv`,
    part: 'chantiers',
    text: WORK_EXPORT,
    step: 'transform/chantiers',
    select: `SELECT work_id, district, impact, streets, has_usable_dates ${ROWS}`,
    rows: [
      {
        ...{
          work_id: 'CP002771',
          district: 15,
          impact: 'SENS_UNIQUE',
          streets: 'rue Auguste Dorchain',
        },
        has_usable_dates: true,
      },
    ],
  },
  {
    name: 'referentiel.csv',
    part: 'referentiel',
    text: NETWORK_EXPORT,
    step: 'transform/referentiel',
    select: `SELECT arc_id, label, is_open, district ${ROWS}`,
    rows: [{ arc_id: '4264', label: 'AV_Champs_Elysees', is_open: true, district: 8 }],
  },
  {
    name: 'validations.csv',
    part: 'validations',
    text: SURFACE_EXPORT,
    step: 'transform/validations',
    select: `SELECT network, unit_id, name, group_id, category, validations ${ROWS}`,
    rows: [
      {
        ...{ network: 'surface', unit_id: '100-110-021', name: 'LIGNE 21', group_id: 'A01536' },
        ...{ category: 'Forfait Navigo', validations: 8_412 },
      },
    ],
  },
  {
    name: 'indicateurs.csv',
    part: 'service-quality',
    text: SERVICE_EXPORT,
    step: 'transform/service-quality',
    select: `SELECT operator, mode, line, quarter, result_pct, target_pct, gap_pct, penalty ${ROWS}`,
    rows: [
      {
        ...{ operator: 'RATP', mode: 'metro', line: '8', quarter: '2025-T4' },
        ...{ result_pct: 96.2, target_pct: 97, gap_pct: -0.8, penalty: true },
      },
    ],
  },
];

describe('a whole answer of', () => {
  it.each(PUBLISHED.map((one) => [one.name, one] as const))(
    '%s is read member by member',
    async (_name, published) => {
      const { name, part, text, step, select, rows } = published;
      const path = await runner.file(name, text);
      expect(await runner.recognise(path)).toMatchObject({ part });
      const districts = await runner.file(
        'arrondissements.geojson',
        JSON.stringify(DISTRICT_EXPORT),
      );
      expect(await runner.recognise(districts)).toMatchObject({ part: 'arrondissements', rows: 1 });
      const sources = [
        { part: 'arrondissements', path: districts },
        { part, path },
      ];
      const days = await runner.days(sources, [EXPORT_DAY], step);
      const core = days.get(EXPORT_DAY)?.[step]?.outputs['core']?.path ?? '';
      expect(await runner.sql((sql) => sql.rows(select.replace('$core', `'${core}'`)))).toEqual(
        rows,
      );
    },
  );

  it('the publisher of CSV names every column that we know, and no other is missing', async () => {
    for (const { name, text } of PUBLISHED.filter((one) => one.name.endsWith('.csv'))) {
      const found = await runner.recognise(await runner.file(name, text));
      expect(found.columns?.missing, name).toEqual([]);
    }
  });
});
