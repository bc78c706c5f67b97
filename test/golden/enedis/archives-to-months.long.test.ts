import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { destroyDataKey } from '../../../src/engine/sources/data-keys.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import { enedisWith } from '../../fixtures/enedis-server.ts';
import { KEY_16, KEY_32, keysText, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let engine: TestEngine;

beforeEach(async () => {
  engine = await openTestEngine(enedisWith());
});

afterEach(async () => {
  await engine.close();
});

async function deliver(archives: readonly SampleArchive[], ring = [KEY_16, KEY_32]) {
  return withFolder(async (folder) => {
    const files: string[] = [];
    for (const { name, bytes } of archives) files.push(await put(folder, name, bytes));
    return importFiles(
      engine.withDatasets(enedisWith({ fileKeys: keysText(ring) })),
      'enedis',
      files,
      testControl(),
    );
  });
}

async function run(dates: readonly string[]): Promise<void> {
  await runDays(engine, 'enedis', dates);
  await rollUpDays(engine, 'enedis', dates);
}

async function publishedBytes(key: string): Promise<Buffer> {
  const found = await engine.objects.get(key);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function totals() {
  const file = path.join(engine.home, 'store', 'enedis', 'mois.parquet');
  const [row] = await engine.sql!.session((sql) =>
    sql.rows<Record<string, number>>(
      `SELECT count(*) AS months, sum(energie_base_kwh) AS kwh, sum(turpe_fixe_eur) AS fixe, sum(turpe_variable_eur) AS variable,
         sum(cta_eur) AS cta FROM read_parquet('${file}') WHERE mois = '2025-10'`,
    ),
  );
  return row;
}

/** Nobody has given the hours over the power of one contract: its variable part is not known. */
const OCTOBER = { months: 16, kwh: 6_210, fixe: 253.48, variable: 70.18, cta: 55.58 };
const DAYS = OCTOBER_DAYS;

describe('archives of a supplier', () => {
  it('become the months of its contracts, and a report for each day', async () => {
    const outcomes = await deliver(octoberArchives());
    expect(outcomes.filter((outcome) => 'code' in outcome)).toEqual([]);
    await run(DAYS);
    expect(await totals()).toEqual(OCTOBER);
    const report = JSON.parse(
      (await publishedBytes('reports/enedis/daily_report_2025-11-01.json')).toString(),
    ) as object;
    expect(report).toMatchObject({
      flux: [
        { flux: 'C15', archives: 1, failed: 0 },
        { flux: 'R151', archives: 1 },
        { flux: 'R64', archives: 1 },
      ],
      sequences: [
        { key: 'C15/GRD-F/0327', gaps: ['00002'], tail: '00003' },
        { key: 'R151/5073', gaps: [], tail: '00002' },
      ],
    });
    const page = (await publishedBytes('reports/enedis/monthly_report.html')).toString();
    expect(page).toContain('2025-10');
    expect(page).not.toContain('99000000000001');
  });

  it('give the same bytes in any order of arrival, one by one, twice, and with a late one', async () => {
    const archives = octoberArchives();
    await deliver(archives);
    await run(DAYS);
    const first = await publishedBytes('enedis/mois.parquet');
    await engine.close();
    engine = await openTestEngine(enedisWith());
    for (const archive of [...archives].reverse().slice(0, 4)) await deliver([archive]);
    await run(DAYS);
    await deliver([archives[0]!]);
    await deliver([archives[1]!]);
    await run(['2025-10-21']);
    expect(await publishedBytes('enedis/mois.parquet')).toEqual(first);
  });

  it('are known to have come when they cannot be opened, and count once they can', async () => {
    const archives = octoberArchives();
    await deliver(archives, [KEY_32]);
    await run(DAYS);
    const failed = JSON.parse(
      (await publishedBytes('reports/enedis/daily_report_2025-10-21.json')).toString(),
    ) as object;
    expect(failed).toMatchObject({ failures: [{ cause: 'no_key', archive: archives[0]!.name }] });
    await deliver([archives[0]!]);
    await run(['2025-10-21']);
    const mended = JSON.parse(
      (await publishedBytes('reports/enedis/daily_report_2025-10-21.json')).toString(),
    ) as object;
    expect(mended).toMatchObject({ failures: [], flux: [{ flux: 'C15', archives: 1, failed: 0 }] });
    expect(await totals()).toEqual(OCTOBER);
  });

  it('are refused by name when they are none', async () => {
    const [outcome] = await deliver([{ name: 'holiday.zip', bytes: zip([]) }]);
    expect(outcome).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('holiday.zip') as string,
    });
  });

  it('are kept sealed: nothing of a household is in a raw file', async () => {
    await deliver(octoberArchives());
    let sealed = 0;
    for await (const { key } of engine.objects.list('raw/')) {
      sealed += 1;
      const text = await readFile(path.join(engine.home, 'store', key), 'latin1');
      expect(text, key).toMatch(/^\{"sealed":"aes-256-gcm"/);
      expect(text, key).not.toMatch(/990000000000|DUPONT|PK\u0003\u0004/);
    }
    expect(sealed).toBeGreaterThanOrEqual(5);
  });

  it('cannot be read any more, by whoever has the settings, when the key of their month is destroyed', async () => {
    const archives = octoberArchives();
    await deliver(archives);
    await run(DAYS);
    await destroyDataKey(engine, 'enedis', '2025-10');
    await expect(
      runDays(engine, 'enedis', ['2025-10-21'], { recheck: true }),
    ).resolves.toBeDefined();
    const [again] = await deliver([archives[0]!]);
    expect(again).toMatchObject({ message: expect.stringContaining('was destroyed') as string });
    const [other] = await deliver([archives[1]!]);
    expect(other).not.toHaveProperty('code');
  });

  it('leave no name of a customer in what is kept', async () => {
    await deliver(octoberArchives());
    await run(DAYS);
    for await (const { key } of engine.objects.list('')) {
      const local = path.join(engine.home, 'store', key);
      expect((await readFile(local)).includes('DUPONT'), key).toBe(false);
    }
  });
});
