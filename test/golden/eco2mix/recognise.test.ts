import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recogniseFile } from '../../../src/datasets/eco2mix/recognise.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { Runner } from '../../unit/eco2mix/day-runner.ts';
import { constantRows, portalCsv } from '../../unit/eco2mix/portal-csv.ts';
import { rejection } from '../../fixtures/step-runner.ts';
import { openRunner } from '../../unit/eco2mix/day-runner.ts';

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

const recognise = (path: string, name: string) =>
  runner.sql((sql) => recogniseFile({ path, name }, sql));

const FILES = [
  ['eco2mix-national-tr.csv', { part: 'tr', from: '2021-12-01', to: '2021-12-31', rows: 2_976 }],
  [
    'eco2mix-national-tr_2025_labels.csv',
    { part: 'tr', from: '2025-02-22', to: '2025-02-22', rows: 2 },
  ],
  [
    'eco2mix-national-cons-def_2024_labels.csv',
    { part: 'cons-def', from: '2024-01-01', to: '2024-01-01', rows: 4 },
  ],
  [
    'eCO2mix_RTE_En-cours-TR_2016.xls',
    { part: 'rte', from: '2016-06-01', to: '2016-06-26', rows: 2_496 },
  ],
  [
    'eCO2mix_RTE_En-cours-Consolide_2024_latin1.xls',
    { part: 'rte', from: '2024-01-01', to: '2024-01-01', rows: 3 },
  ],
  ['rte_2015.csv', { part: 'rte-annual', from: '2015-01-01', to: '2015-12-31', rows: 35_040 }],
  ['rte_2018.csv', { part: 'rte-annual', from: '2018-01-01', to: '2018-12-31', rows: 35_040 }],
] as const;

describeOnRealFiles(
  'recogniseFile',
  FILES.map(([name]) => `eco2mix/${name}`),
  () => {
    it.each(FILES)('recognises %s by its content', async (name, expected) => {
      expect(await recognise(realData(`eco2mix/${name}`), 'whatever.bin')).toMatchObject(expected);
    });
  },
);

describe('recogniseFile', () => {
  it('says what a file would need to be', async () => {
    const contents = [
      '',
      'id;name\n1;x\n',
      '<html></html>',
      'Date;Heures;Consommation\n',
      'PK\u{3}\u{4}',
    ];
    for (const content of contents) {
      const error = await rejection(recognise(await runner.file('x', content), 'given.csv'));
      expect(error.code).toBe('INPUT_INVALID');
      expect(error.message).toMatch(
        /^given\.csv .*What can be imported: a CSV export of eco2mix-national-tr/s,
      );
    }
  });

  it.each(['quand', 'Date - Heures', 'date_heure_locale'])(
    'refuses an export whose instants are called %s: it is not RTE’s own table',
    async (name) => {
      const text = portalCsv(
        '2024-01-15',
        constantRows('2024-01-15', 15, { consommation: 60_000 }),
        ['consommation'],
      );
      const path = await runner.file('renamed', text.replace('date_heure', name));
      const error = await rejection(recognise(path, 'given.csv'));
      expect(error.code).toBe('INPUT_INVALID');
      expect(error.message).toContain(
        `has no column date_heure (Date - Heure); ${JSON.stringify(name)} holds instants`,
      );
    },
  );
});
