import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import type { MonthlyReport } from '../../../src/datasets/enedis/report/monthly-page.tsx';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { decideUnit } from '../../../src/engine/records/unit-decisions.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { put } from '../../fixtures/enedis-archives.ts';
import { enedisAt, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

/**
 * A smoothed contract of October that ends on the 20th: it was invoiced 90 kWh for each of its two
 * months.
 */

const RSC = 'R99000000000006';
const DAYS = [...OCTOBER_DAYS, '2025-11-05'];
const LINES = `rsc;categorie;quantite;state;mois;x_lisse
${RSC};Base;90;posted;2025-09;True
${RSC};Base;90;posted;2025-10;True
`;

let server: SftpServer;
let engine: TestEngine;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
  const file = await put(engine.home, 'lignes.csv', Buffer.from(LINES));
  expect((await importFiles(engine, 'enedis', [file], testControl()))[0]).toHaveProperty(
    'recognised',
  );
  await make();
});

afterAll(async () => {
  await engine.close();
  await server.close();
});

async function make(): Promise<void> {
  await runDays(engine, 'enedis', DAYS, { recheck: true });
  await rollUpDays(engine, 'enedis', DAYS);
}

function rows(name: string, where: string): Promise<Record<string, unknown>[]> {
  const file = path.join(engine.home, 'store', 'enedis', `${name}.parquet`);
  return engine.sql!.session((sql) =>
    sql.rows(`SELECT * FROM read_parquet('${file}') WHERE ${where}`),
  );
}

async function review(): Promise<MonthlyReport['review']> {
  const file = path.join(engine.home, 'store', 'reports', 'enedis', 'monthly_report.json');
  return (JSON.parse(await readFile(file, 'utf8')) as MonthlyReport).review;
}

it('settles a smoothed contract when it ends, tells of it by pseudonym, and bills it when a person accepts', async () => {
  const [settlement] = await rows('lissages', `ref_situation_contractuelle = '${RSC}'`);
  const [used] = await rows('mois', `ref_situation_contractuelle = '${RSC}' AND mois = '2025-09'`);
  const measured = Number(used!['energie_base_kwh']) + 95;
  expect(settlement).toMatchObject({
    mois: '2025-10',
    facture: 180,
    calcule: measured,
    ecart: measured - 180,
    decision: null,
  });
  const told = await review();
  expect(told.filter(({ sujet }) => sujet === 'facturé autrement')).toEqual([]);
  expect(told.filter(({ sujet }) => sujet === 'lissage')).toMatchObject([
    {
      repere: settlement!['unite'],
      mois: '2025-10',
      detail: 'Base',
      facture: 180,
      ecart: measured - 180,
      suite: 'à décider',
    },
  ]);
  for (const { memo } of await rows('lignes', 'true'))
    expect(memo).toBe('contrat lissé : comparé à l’échéance');

  const unit = String(settlement!['unite']);
  const decided = {
    decision: 'accept',
    reason: 'last invoice',
    by: 'ada',
    decidedAt: '2025-11-06T09:00:00Z',
  } as const;
  await decideUnit(engine, testControl(), { pipeline: 'enedis', scope: 'all', unit, ...decided });
  await make();
  expect(await rows('lissages', 'true')).toMatchObject([
    { decision: 'acceptée', a_facturer: true },
  ]);
  const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat')!;
  const output = path.join(engine.home, 'contrat.html');
  await command.run(
    { arguments: [unit], options: { output } },
    hostOf(testContext(engine), 'enedis contrat', 'enedis'),
  );
  const page = await readFile(output, 'utf8');
  for (const word of ['Lissage', RSC, unit, 'acceptée']) expect(page).toContain(word);
}, 60_000);
