import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { enedis } from '../../../src/datasets/enedis/index.ts';
import type { ArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { makePiece } from '../../../src/datasets/enedis/days/make-piece.ts';
import { KEY_16, KEY_32, put, seal, withFolder, zip } from '../../fixtures/enedis-archives.ts';
import { october } from '../../fixtures/enedis-october.ts';
import type { SupplierRows } from '../../fixtures/enedis-supplier.ts';
import { c15Xml, r151Xml, r64Json } from '../../fixtures/enedis-xml.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let engine: TestEngine;

beforeEach(async () => {
  engine = await openTestEngine([enedis]);
});

afterEach(async () => {
  await engine.close();
});

interface Archive {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The supplier's month as archives, sealed in both ways, over three days. */
function archivesOf({ c15, r151, r64 }: SupplierRows): Archive[] {
  const archive = (stem: string, inner: string, content: string, key = KEY_32): Archive => {
    return { name: `${stem}.zip`, bytes: seal(zip([{ name: inner, content }]), key) };
  };
  const half = Math.ceil(c15.length / 2);
  const c15Of = (number: number, at: string, rows: typeof c15, key = KEY_32): Archive => {
    const stem = `E_C15_S_GRD-F_0327_0000${number}_${at}`;
    return archive(stem, `${stem}_00001_00001.xml`, c15Xml(rows), key);
  };
  const daily = (day: string) => r151.filter((row) => String(row['date_releve']).startsWith(day));
  return [
    c15Of(1, '20251021050000', c15.slice(0, half), KEY_16),
    c15Of(3, '20251101050000', c15.slice(half)),
    archive('E_R151_S_C_5073_00001_Q_00001_00001_20251002030000', 'a.xml', r151Xml(daily('2025-10-01'))),
    archive('E_R151_S_C_5073_00002_Q_00001_00001_20251101030000', 'b.xml', r151Xml(daily('2025-11-01'))),
    archive('E_R64_P_INDEX_M0_00001_20251101070000', 'c.JSON', r64Json(r64)),
  ];
}

async function deliver(archives: readonly Archive[], ring = [KEY_16, KEY_32]) {
  return withFolder(async (folder) => {
    const pieces: string[] = [];
    for (const [index, { name, bytes }] of archives.entries()) {
      const own = path.join(folder, String(index));
      await mkdir(own);
      const file = await put(own, name, bytes);
      const piece = await makePiece({ path: file, name: parseArchiveName(name) as ArchiveName, ring, scratch: own });
      pieces.push(piece.path);
    }
    return importFiles(engine, 'enedis', pieces, testControl());
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

/** Hours over the power of one contract are in no flux: 24.82 € less than with them. */
const OCTOBER = { months: 16, kwh: 6_210, fixe: 253.48, variable: 152.32, cta: 55.58 };
const DAYS = ['2025-10-02', '2025-10-21', '2025-11-01'];

describe('archives of a supplier', () => {
  it('become the months of its contracts, and a report for each day', async () => {
    const outcomes = await deliver(archivesOf(october()));
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
    const archives = archivesOf(october());
    await deliver(archives);
    await run(DAYS);
    const first = await publishedBytes('enedis/mois.parquet');
    await engine.close();
    engine = await openTestEngine([enedis]);
    for (const archive of [...archives].reverse().slice(0, 4)) await deliver([archive]);
    await run(DAYS);
    await deliver([archives[0]!]);
    await deliver([archives[1]!]);
    await run(['2025-10-21']);
    expect(await publishedBytes('enedis/mois.parquet')).toEqual(first);
  });

  it('are known to have come when they cannot be opened, and count once they can', async () => {
    const archives = archivesOf(october());
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

  it('are asked for by the command that has the keys when they are given to the general one', async () => {
    await withFolder(async (folder) => {
      const { name, bytes } = archivesOf(october())[0]!;
      const [outcome] = await importFiles(engine, 'enedis', [await put(folder, name, bytes)], testControl());
      expect(outcome).toMatchObject({ code: 'INPUT_INVALID' });
      expect((outcome as { message: string }).message).toContain('quotidien enedis import');
    });
  });

  it('leave no name of a customer in what is kept', async () => {
    await deliver(archivesOf(october()));
    await run(DAYS);
    for await (const { key } of engine.objects.list('')) {
      const local = path.join(engine.home, 'store', key);
      expect((await readFile(local)).includes('DUPONT'), key).toBe(false);
    }
  });
});
