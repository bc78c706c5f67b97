import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import type { StepRunner, Source } from '../../fixtures/step-runner.ts';
import {
  bikePage,
  bikeRecord,
  countLine,
  countsCsv,
  disruption,
  DISTRICTS,
  networkCsv,
  parisTime,
  SHAPE,
  weatherAnswer,
  WORK_HEADER,
} from './made-data.ts';

/** All sources of a few whole days, small and complete. */

const ARCS = ['100', '101', '102'];

export const MADE_PARTS = [
  'bikes',
  'traffic',
  'weather',
  'comptages',
  'chantiers',
  'referentiel',
  'arrondissements',
] as const;
export type MadePart = (typeof MADE_PARTS)[number];

export async function madeCity(
  runner: StepRunner,
  dates: readonly CivilDate[],
): Promise<Record<MadePart, Source>> {
  const clock = (hour: number): string => String(hour).padStart(2, '0');
  const counts = dates.flatMap((date) =>
    ARCS.flatMap((arc, place) =>
      Array.from({ length: 24 }, (_, hour) =>
        countLine(date, {
          arc,
          hour,
          q: 100 * (place + 1) + hour,
          k: (hour * 7 + place * 20) % 95,
        }),
      ),
    ),
  );
  const bikes = dates.flatMap((date) =>
    Array.from({ length: 24 }, (_, hour) =>
      bikeRecord({
        counter: '7',
        at: parisTime(Date.parse(`${date}T${clock(hour)}:00:00+01:00`)),
        bikes: 40 + hour,
      }),
    ),
  );
  const works = `CP1;75001;1;"quai; nord\nde la Seine";2025-10-01;2025-12-31;RESTREINTE;2;"{""type"": ""Polygon"", ""coordinates"": [[[2.3, 48.86], [2.301, 48.86], [2.301, 48.861], [2.3, 48.86]]]}";48.86, 2.30`;
  const contents: Record<MadePart, readonly [name: string, text: string]> = {
    bikes: ['bikes_data.json', bikePage(bikes)],
    traffic: [
      'traffic_data.json',
      JSON.stringify({
        disruptions: [
          disruption({
            id: 'd1',
            periods: [['20251001T060000', '20251130T060000']],
            text: 'Métro 8',
          }),
        ],
      }),
    ],
    weather: [
      'weather_data.json',
      JSON.stringify({
        days: dates.flatMap(
          (date) =>
            (
              JSON.parse(
                weatherAnswer(date, {
                  temp: 11.6,
                  tempmin: 7.3,
                  tempmax: 15.6,
                  precip: 0,
                  windspeed: 15.5,
                }),
              ) as { days: object[] }
            ).days,
        ),
      }),
    ],
    comptages: ['counts.csv', countsCsv(counts)],
    chantiers: ['works.csv', `\u{FEFF}${WORK_HEADER}\n${works}\n`],
    referentiel: ['network.csv', networkCsv(ARCS.map((arc) => ({ arc, shape: SHAPE })))],
    arrondissements: ['arrondissements.geojson', DISTRICTS],
  };
  const sources = {} as Record<MadePart, Source>;
  for (const part of MADE_PARTS)
    sources[part] = { part, path: await runner.file(...contents[part]) };
  return sources;
}
