import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OCTOBER_DAYS } from '@quotidien/sample-portal/sftp/sample-archives';
import { writeSampleFolder } from '@quotidien/sample-portal/sftp/sample-folder';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { enedisWith } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';

/**
 * A home of the demo: the archives are the sample portal's, and everything that people look at says
 * so.
 */

const MARK = 'onnées d’exemple (sample data)';

let engine: TestEngine;

beforeAll(async () => {
  const plain = await openTestEngine(enedisWith());
  const { url, fileKeys } = await writeSampleFolder(path.join(plain.home, 'sample-archives'));
  engine = { ...plain, ...plain.withDatasets(enedisWith({ url, fileKeys })) };
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  // Pages are made for days that are run alone.
  await runDay(engine, 'enedis', '2025-11-01');
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
});

afterAll(() => engine.close());

const published = (name: string): Promise<string> =>
  readFile(path.join(engine.home, 'store', 'reports', 'enedis', name), 'utf8');

describe('reports over archives of the sample portal', () => {
  it('say so for a day: as page, JSON, CSV and Parquet', async () => {
    expect(JSON.parse(await published('daily_report_2025-11-01.json'))).toMatchObject({
      sample_data: ['C15', 'R151', 'R64'],
    });
    const page = await published('daily_report_2025-11-01.html');
    expect(page).toContain(MARK);
    // What waits for a person is told of by month.
    const [, target, section] = /href="(monthly_report\.html)#(retenus)"/.exec(page) ?? [];
    expect(await published(String(target))).toContain(`id="${section}"`);
    const [head, first] = (await published('daily_report_2025-11-01.csv')).split('\n');
    expect([head?.trim().endsWith(';sample_data'), first?.trim().endsWith(';C15')]).toEqual([
      true,
      true,
    ]);
    const file = path.join(
      engine.home,
      'store',
      'reports',
      'enedis',
      'daily_report_2025-11-01.parquet',
    );
    const metadata = await engine.sql!.session((sql) =>
      sql.rows<{ key: string }>(`SELECT decode(key) AS key FROM parquet_kv_metadata('${file}')`),
    );
    expect(metadata.map(({ key }) => key)).toContain('sample_data');
  });

  it('say so for the months, and on the page of a contract', async () => {
    expect(JSON.parse(await published('monthly_report.json'))).toMatchObject({
      sample_data: ['C15', 'R151', 'R64'],
    });
    expect(await published('monthly_report.html')).toContain(MARK);
    for (const name of ['monthly_report.csv', 'monthly_review.csv'])
      expect((await published(name)).split('\n')[0]?.trim(), name).toMatch(/;sample_data$/);
    const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat')!;
    const output = path.join(engine.home, 'contrat.html');
    const call = { arguments: ['99000000000001'], options: { output } };
    await command.run(call, hostOf(testContext(engine), 'enedis contrat', 'enedis'));
    expect(await readFile(output, 'utf8')).toContain(MARK);
  });
});
