import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { october } from '@quotidien/sample-portal/sftp/october';
import {
  OCTOBER_DAYS,
  octoberArchives,
  overrunsFile,
} from '@quotidien/sample-portal/sftp/sample-archives';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { enedisAt, fetchedFrom, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

const COPIES = 50;

it('makes fifty times the amounts of October from archives on an SFTP server', async () => {
  const rows = october(COPIES);
  const archives = octoberArchives(rows);
  const server = await startDistributor(archives);
  const engine = await openTestEngine(enedisAt(server));
  onTestFinished(async () => {
    await engine.close();
    await server.close();
  });
  const { name, bytes } = overrunsFile(rows);
  await writeFile(path.join(engine.home, name), bytes);
  await importFiles(engine, 'enedis', [path.join(engine.home, name)], testControl());
  const days = [...OCTOBER_DAYS, '2025-11-03'];
  await runDays(engine, 'enedis', days);
  await rollUpDays(engine, 'enedis', days);
  expect(fetchedFrom(server).sort()).toEqual(archives.map((archive) => archive.name).sort());
  const file = (table: string): string =>
    path.join(engine.home, 'store', 'enedis', `${table}.parquet`);
  const [totals] = await engine.sql!.session((sql) =>
    sql.rows(`SELECT count(DISTINCT pdl) AS points, count(*) AS months, count(*) FILTER (WHERE qualite = 'réelle') AS reelle,
        count(*) FILTER (WHERE qualite = 'incalculable') AS incalculable, CAST(sum(energie_base_kwh) AS BIGINT) AS kwh,
        CAST(sum(turpe_fixe_eur) AS DECIMAL(18, 2)) AS fixe, CAST(sum(turpe_variable_eur) AS DECIMAL(18, 2)) AS variable,
        CAST(sum(cta_eur) AS DECIMAL(18, 2)) AS cta,
        (SELECT CAST(sum(accise_eur) AS DECIMAL(18, 2)) FROM read_parquet('${file('accise')}') WHERE mois = '2025-10') AS accise
      FROM read_parquet('${file('mois')}') WHERE mois = '2025-10'`),
  );
  expect(totals).toEqual({
    ...{
      points: 15 * COPIES,
      months: 16 * COPIES,
      reelle: 13 * COPIES,
      incalculable: 3 * COPIES,
      kwh: 6_210 * COPIES,
    },
    ...{ fixe: 12_674, variable: 8_857, cta: 2_779, accise: 8_430.5 },
  });
}, 120_000);
