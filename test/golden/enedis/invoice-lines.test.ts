import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeXlsx } from 'hucre/xlsx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { enedisAt, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

const CAMPAIGN = '2025-11-05';

let server: SftpServer;
let engine: TestEngine;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await server.close();
});

async function give(name: string, content: string | Uint8Array) {
  const file = path.join(engine.home, name);
  await writeFile(file, content);
  const [outcome] = await importFiles(engine, 'enedis', [file], testControl());
  return outcome!;
}

async function billed(...days: string[]): Promise<void> {
  for (const day of days) await runDay(engine, 'enedis', day, { recheck: true });
  await rollUpDays(engine, 'enedis', days);
}

const published = (name: string): string =>
  `read_parquet('${path.join(engine.home, 'store', 'enedis', `${name}.parquet`)}')`;

function rows<T extends object>(query: string): Promise<T[]> {
  return engine.sql!.session((sql) => sql.rows<T>(query));
}

interface Line {
  readonly point: string | null;
  readonly mois: string | null;
  readonly categorie: string | null;
  readonly enedis: number | null;
  readonly bill: boolean;
  readonly remove: boolean;
  readonly memo: string | null;
  readonly file: string;
}

const lines = (): Promise<Line[]> =>
  rows<Line>(
    `SELECT right(ref_situation_contractuelle, 2) AS point, mois, categorie, quantite_enedis AS enedis, a_facturer AS bill, a_supprimer AS remove, memo, fichier AS file
     FROM ${published('lignes')} ORDER BY campagne, fichier, ligne`,
  );

const rsc = (index: number, copy = 'R'): string => `${copy}${99_000_000_000_000 + index}`;

describe('invoice lines of the ERP', () => {
  it('are set against what was measured, each with a reason where there is none, and none is dropped', async () => {
    const outcome = await give(
      'lignes 2025-11-05.csv',
      [
        'id;rsc;name_product_category;quantity;state;invoice_date;client',
        `a1;${rsc(1)};Base;0;draft;2025-11-05;"Martin; Anne"`,
        `a2;${rsc(1)};Abonnements;0;draft;2025-11-05;x`,
        `a3;${rsc(2)};HP;150,0;posted;05/11/2025;x`,
        `a4;${rsc(2)};HC;91,5;posted;05/11/2025;x`,
        `a5;${rsc(4)};HP;0;draft;2025-11-05;x`,
        `a6;${rsc(9)};Base;0;draft;2025-11-05;x`,
        `a7;${rsc(11)};Base;0;draft;2025-11-05;x`,
        `a8;${rsc(77)};Base;0;draft;2025-11-05;x`,
        `a9;${rsc(1)};Prime;0;draft;2025-11-05;x`,
        `b1;;Base;0;draft;2025-11-05;x`,
        `b2;${rsc(3)};HP;0;draft;;x`,
      ].join('\n'),
    );
    expect(outcome).toMatchObject({
      recognised: { part: 'lignes', from: CAMPAIGN, to: CAMPAIGN },
      days: 1,
    });
    await billed(CAMPAIGN);
    expect((await lines()).map((line) => Object.values(line).slice(0, -1) as unknown[])).toEqual([
      ['01', '2025-10', 'Base', 210, true, false, null],
      ['01', '2025-10', 'Abonnements', 31, true, false, null],
      ['02', '2025-10', 'HP', 150, false, false, null],
      ['02', '2025-10', 'HC', 90, false, false, 'facturé 91,5, Enedis 90'],
      [
        '04',
        '2025-10',
        'HP',
        200,
        true,
        false,
        '14 jours à 6kVA, puis le 15/10/2025 : 17 jours à 9kVA',
      ],
      [
        '09',
        '2025-10',
        'Base',
        null,
        false,
        false,
        'mois incalculable : relevé manquant ou incohérent',
      ],
      [
        '11',
        '2025-10',
        'Base',
        null,
        false,
        false,
        'mois retenu : à décider avant facturation ; mois incalculable : relevé manquant ou incohérent',
      ],
      [
        '77',
        '2025-10',
        'Base',
        null,
        false,
        false,
        'aucun mois 2025-10 pour ce contrat dans les flux : quantité inconnue',
      ],
      ['01', '2025-10', 'Prime', null, false, false, 'catégorie « Prime » non rapprochée'],
      [null, '2025-10', 'Base', null, false, false, 'ligne sans RSC : non rapprochée'],
      ['03', null, 'HP', null, false, false, 'ligne sans mois : non rapprochée'],
    ]);
    const [kept] = await rows<{ reste: string }>(
      `SELECT reste FROM ${published('lignes')} WHERE ligne = 2`,
    );
    expect(JSON.parse(kept!.reste)).toMatchObject({
      id: 'a1',
      client: 'Martin; Anne',
      state: 'draft',
    });
  });

  it('count once: by their id as the last file has it, and else as the same line, as JSON lines and as a workbook too', async () => {
    const head = 'id;rsc;categorie;quantite;est_brouillon;mois';
    await give(
      'lignes 2025-11-06.csv',
      `${head}\na1;${rsc(1)};Base;0;oui;2025-10\n;${rsc(2)};HP;1;non;2025-10`,
    );
    await give('lignes 2025-11-06 bis.csv', `${head}\n;${rsc(2)};HP;1;non;2025-10`);
    const json = {
      id: 'a1',
      rsc: rsc(1),
      categorie: 'base',
      quantite: 210,
      est_brouillon: false,
      mois: '2025-10',
    };
    await give('lignes 2025-11-07.jsonl', `${JSON.stringify(json)}\n`);
    const rowsOf = [
      ['rsc', 'categorie', 'quantite', 'est_brouillon', 'date_facture'],
      [rsc(5), 'Base', 100, true, new Date('2025-11-05T00:00:00Z')],
    ];
    const workbook = await writeXlsx({ sheets: [{ name: 'lignes', rows: rowsOf }] });
    expect(await give('lignes 2025-11-08.xlsx', workbook)).toMatchObject({
      recognised: { from: CAMPAIGN },
      days: 1,
    });
    await billed(CAMPAIGN);
    const newer = (await lines()).filter(({ file }) => file > 'lignes 2025-11-05.csv');
    expect(newer.map(({ point, enedis, bill }) => [point, enedis, bill])).toEqual([
      ['02', 150, false],
      ['01', 210, false],
      ['05', 100, true],
    ]);
  });

  it('are taxed as they were invoiced, signed, beside what was measured', async () => {
    await give(
      'avoir.csv',
      [
        'rsc,categorie,quantite,est_brouillon,mois',
        `${rsc(12)},Base,89,false,2025-10`,
        `${rsc(12)},HC,-139,false,2025-10`,
      ].join('\n'),
    );
    await billed(CAMPAIGN);
    const taxes = await rows(
      `SELECT trimestre, right(pdl, 2) AS point, energie_facturee_kwh AS facture, accise_facturee_eur AS accise, energie_mesuree_kwh AS mesure,
         accise_mesuree_eur AS mesuree, taux_accise_eur_mwh AS taux, cta_eur AS cta, taux_cta_pourcent AS cta_taux
       FROM ${published('taxes')} WHERE mois = '2025-10' AND right(pdl, 2) IN ('01', '09', '12') ORDER BY pdl`,
    );
    const rate = { trimestre: '2025-T4', taux: 29.98, cta_taux: 21.93 };
    expect(taxes).toEqual([
      { ...rate, point: '01', facture: 210, accise: 6.3, mesure: 210, mesuree: 6.3, cta: 1.96 },
      { ...rate, point: '09', facture: null, accise: null, mesure: null, mesuree: null, cta: 1.85 },
      { ...rate, point: '12', facture: -50, accise: -1.5, mesure: 190, mesuree: 5.7, cta: 1.9 },
    ]);
  });

  it.each([
    [
      'a.csv',
      'rsc;quantite\nR1;2',
      'invoice lines need the columns categorie or name_product_category',
    ],
    [
      'a.csv',
      `rsc;categorie;quantite;est_brouillon;mois\nR1;Base;douze;oui;2025-10`,
      'line 2: quantite is no number',
    ],
    [
      'a.csv',
      `rsc;categorie;quantite;est_brouillon;mois\nR1;Base;1;peut-être;2025-10`,
      'line 2: est_brouillon is none of',
    ],
    [
      'a.csv',
      `rsc;categorie;quantite;est_brouillon;mois\nR1;Base;1;oui;2025-13`,
      'line 2: mois is no month',
    ],
    ['a.csv', `rsc;rsc;quantite;est_brouillon\nR1;Base;1;oui`, 'two columns have the name rsc'],
    ['a.csv', `rsc;categorie;quantite;est_brouillon\nR1;Base;1;oui`, 'no line says its month'],
    ['a.csv', '', 'the file has no line of an invoice'],
    ['a.jsonl', '{"rsc":"R1"}\n{', 'line 2 is no JSON'],
    [
      'a.json',
      '[{"rsc":12345678901234567890,"categorie":"Base","quantite":1,"state":"draft","mois":"2025-10"}]',
      'too many digits',
    ],
    ['a.xlsx', 'PK\u0003\u0004 and no more', 'cannot be read as one'],
  ])('that cannot be read are refused with the place: %s %#', async (name, content, told) => {
    expect(await give(name, content)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(told) as string,
    });
  });
});
