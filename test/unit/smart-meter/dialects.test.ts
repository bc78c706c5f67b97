import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaled } from '../../../src/datasets/smart-meter/dialects/green-button.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { parquetOf } from '../../../src/datasets/smart-meter/tables.ts';
import { testMeters, TEST_SECRET } from '../../fixtures/meters.ts';
import { openStepRunner, rejection } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

/** The rows of a slice in short: `start channel step Wh quality revision` or `! reason`. */
async function rowsOf(name: string, text: string, date: string): Promise<string[]> {
  const file = await runner.file(name, text);
  const [done] = await runner.slice({ part: 'readings', path: file }, [date]);
  const path = done?.outputs['slice']?.path;
  if (path === undefined) return [];
  const rows = await runner.sql((sql) =>
    sql.rows<{ row: string }>(`SELECT CASE WHEN refused IS NOT NULL THEN '! ' || refused ELSE
      concat_ws(' ', strftime(timezone('UTC', to_timestamp(start_s)), '%d %H:%M'), channel, step_min, energy_wh, quality, revision) END AS row
      FROM ${parquetOf([path])} ORDER BY line`),
  );
  return rows.map(({ row }) => row);
}

const R63 =
  'Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;Horodate;Valeur;Nature;Pas;Indice de vraisemblance;Etat complémentaire';

function r63(
  ...rows: readonly [
    prm: string,
    unit: string,
    kind: string,
    at: string,
    value: string,
    step: string,
    stage?: string,
  ][]
): string {
  const lines = rows.map(
    ([prm, unit, kind, at, value, step, stage = 'BRUT']) =>
      `${prm};2024-01-01;2024-01-02;${unit === 'W' ? 'PA' : 'EA'};${kind};${stage};${unit};${at};${value};B;${step};;`,
  );
  return `${R63}\n${lines.join('\n')}\n`;
}

const PRM = '12345678901234';

describe('a Linky export', () => {
  it('has its meter before the header, ends intervals at its stamps, and finds a change of the step', async () => {
    const text = `\uFEFFIdentifiant PRM;${PRM}\nType;Courbe\nHorodate;Valeur\n2024-01-15T00:30:00+01:00;100\n2024-01-15T01:00:00+01:00;\n2024-01-15T01:30:00+01:00;60
2024-01-15T01:45:00+01:00;40\n2024-01-15T02:00:00+01:00;40\n`;
    expect(await rowsOf('linky.csv', text, '2024-01-15')).toEqual([
      '14 23:00 import 30 50.00000 A 0',
      '! no_value',
      '15 00:00 import 30 30.00000 A 0',
      '15 00:30 import 15 10.00000 A 0',
      '15 00:45 import 15 10.00000 A 0',
    ]);
  });

  it('gives the interval that ends at midnight to the day before', async () => {
    const text =
      '2024-01-15T23:30:00+01:00;2\n2024-01-16T00:00:00+01:00;4\n2024-01-16T00:30:00+01:00;6\n';
    expect(await rowsOf('linky.csv', text, '2024-01-15')).toEqual([
      '15 22:00 import 30 1.00000 A 0',
      '15 22:30 import 30 2.00000 A 0',
    ]);
  });
});

describe('R63', () => {
  it('mixes consumption and production, W and Wh, and knows corrected values', async () => {
    const text = r63(
      [PRM, 'W', 'CONS', '2024-01-15T10:30:00+01:00', '1000', 'PT30M'],
      [PRM, 'Wh', 'PROD', '2024-01-15T10:15:00+01:00', '12,5', 'PT15M', 'CORRIGE'],
      [PRM, 'W', 'CONS', '2024-01-15T10:20:00+01:00', '1', 'PT10M'],
    );
    expect(await rowsOf('r63.csv', text, '2024-01-15')).toEqual([
      '15 09:00 import 30 500.00000 A 0',
      '15 09:00 export 15 12.50000 A 2',
      '15 09:10 import 10 0.16667 A 0',
    ]);
  });

  it('tells the repeated hour of autumn by the order of a sorted file', async () => {
    const at = ['01:30', '02:00', '02:30', '02:00', '02:30', '03:00'];
    const rows = at.map((time): [string, string, string, string, string, string] => [
      PRM,
      'Wh',
      'CONS',
      `2023-10-29 ${time}:00`,
      '1',
      'PT30M',
    ]);
    expect(await rowsOf('r63.csv', r63(...rows), '2023-10-29')).toEqual(
      ['28 23:00', '28 23:30', '29 00:00', '29 00:30', '29 01:00', '29 01:30'].map(
        (start) => `${start} import 30 1.00000 A 0`,
      ),
    );
  });

  it('refuses the repeated hour where the file is not in order, and times that no clock showed', async () => {
    const row = (date: string, time: string): [string, string, string, string, string, string] => [
      PRM,
      'Wh',
      'CONS',
      `${date} ${time}:00`,
      '1',
      'PT30M',
    ];
    const autumn = ['02:30', '02:00', '02:30', '02:00', '04:00'].map((time) =>
      row('2023-10-29', time),
    );
    expect(await rowsOf('r63.csv', r63(...autumn), '2023-10-29')).toEqual([
      ...new Array<string>(4).fill('! ambiguous_time'),
      '29 02:30 import 30 1.00000 A 0',
    ]);
    expect(
      await rowsOf(
        'r63.csv',
        r63(row('2024-03-31', '02:30'), row('2024-03-31', '03:30')),
        '2024-03-31',
      ),
    ).toEqual(['! no_such_time', '31 01:00 import 30 1.00000 A 0']);
  });

  it('is refused as a whole when a spreadsheet has rounded its ids', async () => {
    const file = await runner.file(
      'r63.csv',
      r63(['1,9E+13', 'W', 'CONS', '2024-01-15T10:30:00+01:00', '1', 'PT30M']),
    );
    const error = await rejection(runner.recognise(file));
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('scientific notation') as string,
    });
  });

  it('as JSON says the same as the CSV', async () => {
    const json = {
      header: { dateHeureFichier: '2024-01-16T08:00:00+01:00' },
      mesures: [
        {
          idPrm: PRM,
          etapeMetier: 'BRUT',
          grandeur: [
            {
              grandeurMetier: 'CONS',
              grandeurPhysique: 'PA',
              unite: 'W',
              points: [{ d: '2024-01-15T10:30:00+01:00', v: '1000', p: 'PT30M', n: 'B' }],
            },
          ],
        },
      ],
    };
    expect(await rowsOf('r63.json', JSON.stringify(json), '2024-01-15')).toEqual([
      '15 09:00 import 30 500.00000 A 0',
    ]);
  });
});

describe('the other dialects', () => {
  it('the Linky API ends intervals at local times', async () => {
    const json = {
      meter_reading: {
        usage_point_id: PRM,
        quality: 'BRUT',
        reading_type: { unit: 'W' },
        interval_reading: [
          {
            value: '240',
            date: '2024-01-15 00:30:00',
            interval_length: 'PT30M',
            measure_type: 'B',
          },
        ],
      },
    };
    expect(await rowsOf('api.json', JSON.stringify(json), '2024-01-15')).toEqual([
      '14 23:00 import 30 120.00000 A 0',
    ]);
  });

  it('Green Button starts intervals, scales by powers of ten, and refuses registers and refused qualities', async () => {
    const entry = (self: string, up: string, content: string): string =>
      `<entry><link rel="self" href="${self}"/><link rel="up" href="${up}"/>${content}</entry>`;
    const type = (id: string, behaviour: string, flow: string): string =>
      entry(
        `/ReadingType/${id}`,
        '/ReadingType',
        `<content><ReadingType xmlns="http://naesb.org/espi"><accumulationBehaviour>${behaviour}</accumulationBehaviour><flowDirection>${flow}</flowDirection><powerOfTenMultiplier>-3</powerOfTenMultiplier><uom>72</uom></ReadingType></content>`,
      );
    const reading = (id: string): string =>
      `<entry><link rel="self" href="/UsagePoint/7/MeterReading/${id}"/><link rel="related" href="/ReadingType/${id}"/><content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>`;
    const block = (id: string, quality = '17'): string =>
      entry(
        `/UsagePoint/7/MeterReading/${id}/IntervalBlock/1`,
        `/UsagePoint/7/MeterReading/${id}/IntervalBlock`,
        `<content><IntervalBlock xmlns="http://naesb.org/espi"><IntervalReading><ReadingQuality><quality>${quality}</quality></ReadingQuality><timePeriod><duration>900</duration><start>1705312800</start></timePeriod><value>123456</value></IntervalReading></IntervalBlock></content>`,
      );
    const feed = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><updated>2024-01-16T00:00:00Z</updated>${type('a', '4', '1')}${type('b', '4', '19')}${type('c', '1', '1')}${['a', 'b', 'c'].map(reading).join('')}${block('a')}${block('b', '8')}${block('c')}${block('a', '12')}</feed>`;
    expect(await rowsOf('green.xml', feed, '2024-01-15')).toEqual([
      '15 10:00 import 15 123.45600 A 0',
      '15 10:00 export 15 123.45600 E 0',
      '! register_not_interval',
      '! refused_quality',
    ]);
    expect([scaled('5', 3), scaled('5', -3), scaled('1250', -2), scaled('0', 0)]).toEqual([
      '5000',
      '0.005',
      '12.5',
      '0',
    ]);
  });

  it('Green Button refuses a block that names no reading, where several types could be its own', async () => {
    const espi = 'xmlns="http://naesb.org/espi"';
    const entry = (content: string): string => `<entry><content>${content}</content></entry>`;
    const type = (flow: string): string =>
      `<ReadingType ${espi}><accumulationBehaviour>4</accumulationBehaviour><flowDirection>${flow}</flowDirection><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>`;
    const block = `<IntervalBlock ${espi}><IntervalReading><timePeriod><duration>900</duration><start>1705312800</start></timePeriod><value>1</value></IntervalReading></IntervalBlock>`;
    const named = `<entry><link rel="self" href="/ReadingType/b"/><content>${type('19')}</content></entry>`;
    const feed = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">${entry(type('1'))}${named}${entry(`<MeterReading ${espi}/>`)}${entry(block)}</feed>`;
    expect(await rejection(rowsOf('unlinked.xml', feed, '2024-01-15'))).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
    });
  });

  it('London has a blank in its header, padded values, Null and seven decimals of a second', async () => {
    const text = `LCLid,stdorToU,DateTime,KWH/hh (per half hour) \nMAC000002,Std,2012-10-12 00:30:00.0000000, 0.125 \nMAC000002,Std,2012-10-12 01:00:00.0000000,Null\n`;
    expect(await rowsOf('lcl.csv', text, '2012-10-12')).toEqual([
      '11 23:30 import 30 125.00000 A 0',
      '! no_value',
    ]);
  });

  it('bulk files may have spaces around what they say, and lengths of intervals in some rows alone', async () => {
    const text = `meter_id,start_at,kwh,step_min,quality,revision
A , 2024-01-15T10:00:00Z,0.5,,a,corrigé
A,2024-01-15T10:15:00Z , 0.5 ,15, E ,BRUT
 A,2024-01-15T10:30:00Z,0.5,30,A,Complete
A,2024-01-15T11:00:00Z, ,30,A,
A, ,1,30,A,
 ,2024-01-15T11:30:00Z,1,,A,
`;
    const rows = [
      '15 10:00 import 30 500.00000 A 2',
      '15 10:15 import 15 500.00000 E 0',
      '15 10:30 import 30 500.00000 A 1',
      '! no_value',
      '! no_stamp',
      '! no_meter',
    ];
    expect(await rowsOf('spaces.csv', text, '2024-01-15')).toEqual(rows);
    const file = await runner.file('spaces.csv', text);
    const [first, second] = await runner.slice({ part: 'readings', path: file }, [
      '2024-01-15',
      '2024-01-16',
    ]);
    const { slice } = first?.outputs ?? {};
    expect([first?.facts['rows'], second?.facts['rows']]).toEqual([6, 0]);
    const keys = await runner.sql((sql) =>
      sql.rows<{ keys: number; refused: string[]; others: number }>(
        `SELECT count(DISTINCT meter_key) AS keys, list(stamp ORDER BY stamp) FILTER (WHERE stamp IS NOT NULL) AS refused,
           count(stamp) FILTER (WHERE refused IS NULL) + count(value) FILTER (WHERE refused IS NULL) AS others
         FROM ${parquetOf([slice?.path ?? ''])}`,
      ),
    );
    // What was published stands beside rows that are refused, without spaces around it.
    const refused = ['2024-01-15T11:00:00Z', '2024-01-15T11:30:00Z'];
    expect(keys).toEqual([{ keys: 1, refused, others: 0 }]);
  });

  it.each([
    ['ends of intervals of one length', 'wh,step_min', '1,30'],
    ['ends of intervals that are not declared', 'wh,step_min', '1,'],
    ['ends of intervals of several lengths', 'wh,step_min', '1,60'],
  ])('bulk files with %s tell their days before they are cut', async (_, columns, last) => {
    const text = `meter_id,end_at,${columns}\nA,2024-01-15T00:00:00+01:00,1,30\nB,2024-01-16T00:00:00+01:00,${last}\n`;
    const file = await runner.file('ends.csv', text);
    expect(await runner.recognise(file)).toMatchObject({
      from: '2024-01-14',
      to: '2024-01-15',
      rows: 2,
    });
  });

  it('bulk files are CSV or Parquet, and reject what cannot be', async () => {
    const text =
      'meter_id,start_at,wh,quality\nA,2024-01-15T10:00:00Z,7,A\nA,2024-01-15T10:30:00Z,-1,A\nA,2024-01-15T11:00:00Z,nan,A\n,2024-01-15T11:30:00Z,1,A\nA,2024-01-15T12:00:00Z,99999999,A\nA,,5,A\n';
    const expected = [
      '15 10:00 import 30 7.00000 A 0',
      '! negative',
      '! not_finite',
      '! no_meter',
      '! out_of_range',
      '! no_stamp',
    ];
    expect(await rowsOf('bulk.csv', text, '2024-01-15')).toEqual(expected);
    const file = await runner.file('bulk.csv', text);
    const parquet = `${file}.parquet`;
    await runner.sql((sql) =>
      sql.run(`COPY (SELECT * FROM read_csv('${file}', all_varchar = true)) TO '${parquet}'`),
    );
    const [done] = await runner.slice({ part: 'readings', path: parquet }, ['2024-01-15']);
    expect(done?.facts['rows']).toBe(6);
  });

  it('knows meters by a key of the secret, the same in SQL as by the definition of HMAC', async () => {
    const file = await runner.file('bulk.csv', 'meter_id,start_at,wh\nA,2024-01-15T10:00:00Z,7\n');
    const [done] = await runner.slice({ part: 'readings', path: file }, ['2024-01-15']);
    const path = done!.outputs['slice']!.path;
    const [row] = await runner.sql((sql) =>
      sql.rows<{ key: string }>(
        `SELECT CAST(meter_key AS VARCHAR) AS key FROM ${parquetOf([path])}`,
      ),
    );
    expect(row!.key).toBe(meterKey(TEST_SECRET, 'A'));
  });
});
