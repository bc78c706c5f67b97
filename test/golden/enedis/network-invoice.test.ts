import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import type { MonthlyReport } from '../../../src/datasets/enedis/report/monthly-page.tsx';
import { testContext } from '../../fixtures/cli-context.ts';
import { enedisAt, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';

/** The distributor's invoice of October beside what was calculated of the same month. */

const [FIRST, SECOND, STRANGER] = ['99000000000001', '99000000000002', '99000000000099'] as const;
const DAYS = [...OCTOBER_DAYS, '2025-11-05'];

type Line = readonly [
  label: string,
  from: string,
  to: string,
  quantity: string,
  unit: string,
  amount: string,
];

const YEAR: Line = ['Composante de gestion', '2025-10-01', '2025-11-01', '31', 'JOUR', '1.43'];

/**
 * By point. Of the first all fixed parts are right and five kWh too many; of the second one day of
 * two months is missing.
 */
const INVOICE: Readonly<Record<string, readonly Line[]>> = {
  [FIRST]: [
    YEAR,
    ['Composante de comptage', '2025-10-01', '2025-11-01', '31', 'JOUR', '1.87'],
    ['Composante de soutirage, part fixe', '2025-10-01', '2025-11-01', '31', 'JOUR', '5.64'],
    ['Composante de soutirage, part variable', '2025-10-01', '2025-11-01', '215', 'kWh', '10.41'],
    ['Pénalité pour coupure réseau', '2025-10-17', '2025-10-17', '2', 'UNITE', '-48.00'],
  ],
  [SECOND]: [['Soutirage part fixe et gestion', '2025-10-01', '2025-10-30', '29', 'JOUR', '12.73']],
  [STRANGER]: [YEAR],
};

function f15(): SampleArchive {
  const points = Object.entries(INVOICE).map(([pdl, lines]) => {
    const elements = lines.map(
      ([label, from, to, quantity, unit, amount], index) =>
        `<Element_Valorise><Id_EV>EV${index}</Id_EV><Libelle_EV>${label}</Libelle_EV><Date_Debut>${from}</Date_Debut><Date_Fin>${to}</Date_Fin>` +
        `<Quantite>${quantity}</Quantite><Unite_Quantite>${unit}</Unite_Quantite><Montant_HT>${amount}</Montant_HT></Element_Valorise>`,
    );
    const group = `<Groupe_Valorise><Nature_EV>01</Nature_EV>${elements.join('')}</Groupe_Valorise>`;
    return `<Donnees_Valorisation><Type_Facturation>CYCL</Type_Facturation><Donnees_PRM><Id_PRM>${pdl}</Id_PRM></Donnees_PRM>${group}</Donnees_Valorisation>`;
  });
  const head =
    '<En_Tete_Flux><Identifiant_Flux>F15</Identifiant_Flux><Version_XSD>4.0.0</Version_XSD></En_Tete_Flux>';
  const stem = '17XEMIT0_F15_17XSUPP0_GRD-F_0327_C_M_1_P_00007_20251105050823';
  const files = [
    { name: `${stem}_FA_00001_00001.xml`, content: '<F15_Facture/>' },
    {
      name: `${stem}_FL_00001_00001.xml`,
      content: `<F15_Detail_Facturation>${head}${points.join('')}</F15_Detail_Facturation>`,
    },
  ];
  return { name: `${stem}.zip`, bytes: seal(zip(files), KEY_32) };
}

/**
 * Above 36 kVA; billed for 66 kVA where 60 are subscribed, and for hours over the power that nobody
 * told us of.
 */
const LARGE = '99000000000014';
const LARGE_LINES: readonly Line[] = [
  ['Composante annuelle de gestion', '2025-10-01', '2025-11-01', '31', 'JOUR', '18.50'],
  ['Composante annuelle de comptage', '2025-10-01', '2025-11-01', '31', 'JOUR', '24.06'],
  ['Composante de soutirage, part fixe', '2025-10-01', '2025-11-01', '31', 'JOUR', '98.71'],
  ['Composante de soutirage HPB', '2025-10-01', '2025-11-01', '3000', 'kWh', '63.90'],
  ['Composante de soutirage HCB', '2025-10-01', '2025-11-01', '1.2', 'MWh', '18.24'],
  // Taken back and billed again.
  ['Composante de soutirage HCB', '2025-10-01', '2025-11-01', '-50', 'kWh', '-0.76'],
  ['Composante de soutirage HCB', '2025-10-01', '2025-11-01', '50', 'kWh', '0.76'],
  ['Composante de dépassement', '2025-10-01', '2025-11-01', '2', 'H', '24.82'],
];

/**
 * As the distributor's guide of F12 lays it out; a summary and a file of rectifications lie beside
 * the details.
 */
function f12(): SampleArchive {
  const elements = LARGE_LINES.map(([label, from, to, quantity, unit, amount], index) => {
    const what = `<Id_EV>EV${index}</Id_EV><Libelle_EV>${label}</Libelle_EV><Code_Recapitulatif>R1</Code_Recapitulatif><CSPE_Applicable>N</CSPE_Applicable>`;
    const paid = `<Taux_TVA_Applicable>20.00</Taux_TVA_Applicable><Code_Debit_Credit>${amount.startsWith('-') ? 'C' : 'D'}</Code_Debit_Credit>`;
    const sum = `<Unite_Quantite>${unit}</Unite_Quantite><Prix_Unitaire>0.01</Prix_Unitaire><Quantite>${quantity}</Quantite><Montant_HT>${amount}</Montant_HT>`;
    return `<Element_Valorise>${what}${paid}<Acheminement>${sum}<Date_Debut>${from}</Date_Debut><Date_Fin>${to}</Date_Fin></Acheminement></Element_Valorise>`;
  });
  const point = `<Num_Sous_Lot>1</Num_Sous_Lot><Type_Facturation>CYCL</Type_Facturation><Id_PRM>${LARGE}</Id_PRM><Type_PRM>C4</Type_PRM><Code_Segmentation_ERDF>C4</Code_Segmentation_ERDF><Puissance_Ponderee>66</Puissance_Ponderee><Autoproducteur>N</Autoproducteur><Tarif_Souscrit>BTSUPCU4</Tarif_Souscrit>`;
  const head =
    '<En_Tete_Flux><Identifiant_Flux>F12</Identifiant_Flux><Version_XSD>1.10.3</Version_XSD></En_Tete_Flux><Rappel_En_Tete><Num_Facture>F1</Num_Facture><Date_Facture>2025-11-05</Date_Facture></Rappel_En_Tete>';
  const stem = '17XEMIT0_F12_17XSUPP0_GRD-F001_0327_00003_D_30_20251105060000';
  const files = [
    { name: `${stem}_FA_00001_00001.xml`, content: '<Facture/>' },
    { name: `${stem}_FR_00001_00001.xml`, content: '<Recapitulatif/>' },
    {
      name: `${stem}_FL_00001_00001.xml`,
      content: `<Detail_Facturation>${head}<Sous_Lot>${point}${elements.join('')}</Sous_Lot></Detail_Facturation>`,
    },
  ];
  return { name: `${stem}.zip`, bytes: seal(zip(files), KEY_32) };
}

let server: SftpServer;
let engine: TestEngine;

beforeAll(async () => {
  server = await startDistributor([...octoberArchives(), f15(), f12()]);
  engine = await openTestEngine(enedisAt(server));
  await runDays(engine, 'enedis', DAYS);
  await rollUpDays(engine, 'enedis', DAYS);
});

afterAll(async () => {
  await engine.close();
  await server.close();
});

function checkOf(pdl: string): Promise<Record<string, unknown>[]> {
  const file = path.join(engine.home, 'store', 'enedis', 'controle_reseau.parquet');
  return engine.sql!.session((sql) =>
    sql.rows(`SELECT * FROM read_parquet('${file}') WHERE pdl = '${pdl}' ORDER BY composante`),
  );
}

describe('the network’s invoice', () => {
  it('is held against the month by component, and explained by index where kWh differ', async () => {
    expect(await checkOf(FIRST)).toMatchObject([
      {
        composante: 'fixe',
        facture_eur: 8.94,
        calcule_eur: 8.94,
        ecart_eur: 0,
        jours_factures: 31,
        nb_jours: 31,
      },
      {
        composante: 'inconnue',
        facture_eur: -48,
        calcule_eur: null,
        ecart_eur: null,
        libelles: 'Pénalité pour coupure réseau',
        sans_comparaison: 'composante inconnue',
      },
      {
        composante: 'énergie',
        facture_eur: 10.41,
        calcule_eur: 10.16,
        ecart_eur: 0.25,
        kwh_factures: 215,
        energie_base_kwh: 210,
        ecart_index_eur: 0.24,
        ecart_taux_eur: 0.01,
      },
    ]);
  });

  it('is explained by days where the days differ, and what is left is another rate', async () => {
    // 13.61 € of 31 days: two days less are 0.88 €.
    expect(await checkOf(SECOND)).toMatchObject([
      {
        composante: 'fixe',
        calcule_eur: 13.61,
        ecart_eur: -0.88,
        jours_factures: 29,
        ecart_jours_eur: -0.88,
        ecart_taux_eur: 0,
      },
    ]);
    expect(await checkOf(STRANGER)).toMatchObject([
      { ecart_eur: null, sans_comparaison: 'point ou mois inconnu' },
    ]);
  });

  it('above 36 kVA is read from F12, and explained by the power that only F12 tells', async () => {
    const lines = path.join(engine.home, 'store', 'months', 'enedis', 'f12_detail');
    const rows = await engine.sql!.session((sql) =>
      sql.rows(
        `SELECT id_ev, pdl, tarif_souscrit, puissance_ponderee, code_debit_credit, quantite, montant_ht, num_facture, occurrence_id
         FROM read_parquet('${lines}/**/*.parquet', hive_partitioning = false) WHERE pdl IS NOT NULL ORDER BY id_ev`,
      ),
    );
    expect(rows).toHaveLength(LARGE_LINES.length);
    expect(rows[5]).toMatchObject({
      id_ev: 'EV5',
      tarif_souscrit: 'BTSUPCU4',
      code_debit_credit: 'C',
      num_facture: 'F1',
    });
    expect(rows[5]).toMatchObject({ puissance_ponderee: 66, quantite: -50, montant_ht: -0.76 });
    expect(rows[5]?.['occurrence_id']).toMatch(/_FL_00001_00001\.xml#1#6$/);
    expect(await checkOf(LARGE)).toMatchObject([
      {
        composante: 'dépassement',
        facture_eur: 24.82,
        ecart_eur: null,
        sans_comparaison: 'pas de montant calculé',
      },
      {
        ...{ composante: 'fixe', facture_eur: 141.27, calcule_eur: 132.3, ecart_eur: 8.97 },
        ...{
          puissance_facturee_kva: 66,
          ecart_puissance_eur: 8.97,
          ecart_jours_eur: 0,
          ecart_taux_eur: 0,
        },
      },
      {
        composante: 'énergie',
        facture_eur: 82.14,
        calcule_eur: 82.14,
        ecart_eur: 0,
        kwh_factures: 4_200,
      },
    ]);
  });

  it('is in the report of the months with its differences, and on the page of a contract', async () => {
    const text = await readFile(
      path.join(engine.home, 'store', 'reports', 'enedis', 'monthly_report.json'),
      'utf8',
    );
    const { months, review } = JSON.parse(text) as MonthlyReport;
    // 8.94 + 10.41 − 48 + 12.73 + 1.43 + 141.27 + 82.14 + 24.82; 0.25 − 0.88 + 8.97; −48 + 1.43 +
    // 24.82.
    expect(months[0]).toMatchObject({
      mois: '2025-10',
      reseau_facture_eur: 233.74,
      reseau_ecart_eur: 8.34,
      reseau_non_compare_eur: -21.75,
    });
    const rows = review.filter(({ sujet }) => sujet === 'facture du réseau');
    expect(rows.map(({ detail, ecart, suite }) => [detail, ecart, suite])).toEqual([
      ['inconnue', null, 'composante inconnue'],
      ['dépassement', null, 'pas de montant calculé'],
      ['fixe', 8.97, 'puissance 8.97'],
      ['fixe', null, 'point ou mois inconnu'],
      ['fixe', -0.88, 'jours -0.88'],
      ['énergie', 0.25, 'index 0.24 ; taux 0.01'],
    ]);
    expect(text).not.toMatch(/99000000000\d{3}/);
    const monthly = await readFile(
      path.join(engine.home, 'store', 'reports', 'enedis', 'monthly_report.html'),
      'utf8',
    );
    expect(monthly).not.toContain('Aucune facture du réseau');
    const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat')!;
    const output = path.join(engine.home, 'contrat.html');
    await command.run(
      { arguments: [FIRST], options: { output } },
      hostOf(testContext(engine), 'enedis contrat', 'enedis'),
    );
    const page = await readFile(output, 'utf8');
    for (const told of [
      'Facture du réseau',
      'index 0.24 ; taux 0.01',
      'composante inconnue',
      'Pénalité pour coupure réseau',
    ])
      expect(page).toContain(told);
  });
});
