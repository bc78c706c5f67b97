import { createReadStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Flux } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { readJson } from '../../../src/datasets/enedis/flux/read-json.ts';
import { READERS } from '../../../src/datasets/enedis/flux/readers.ts';
import { readXml } from '../../../src/datasets/enedis/flux/read-xml.ts';
import type { LinearRow } from '../../../src/datasets/enedis/flux/linear.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';

/** What a table has beyond the expected rows; every other column must be the same. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  c15: [
    'occurrence_id',
    ...['avant', 'apres'].flatMap((side) => [
      `${side}_nb_chiffres_cadran`,
      `${side}_passage_a_zero`,
    ]),
  ],
  r151: ['indice_vraisemblance'],
  r15: [
    ...[
      'id_calendrier_fournisseur',
      'statut_releve',
      'niveau_ouverture_services',
      'index_precedent_base_kwh',
    ],
    ...['date_releve_precedent', 'num_compteur', 'nb_chiffres_cadran', 'passage_a_zero'],
  ],
  r64: [],
  f15_detail: ['occurrence_id'],
};

async function linearise(flux: Flux, file: string) {
  const { shape, tables, findings } = READERS[flux];
  const place = { archive: 'sample', document: path.basename(file) };
  if (!('xml' in shape || 'json' in shape))
    throw new Error(`${flux} is no flux of the distributor`);
  const chunks = createReadStream(file) as AsyncIterable<Uint8Array>;
  const records =
    'xml' in shape ? readXml(chunks, shape.xml, place) : readJson(chunks, shape.json, place);
  const rows = new Map<string, LinearRow[]>(tables.map(({ name }) => [name, []]));
  const found: string[] = [];
  for await (const some of records) {
    for (const record of some) {
      found.push(...findings(record).map(({ cause }) => cause));
      for (const table of tables)
        rows.get(table.name)!.push(...table.linear(record, place.document).rows);
    }
  }
  return { rows, found: [...new Set(found)].sort() };
}

/** Without nulls and what is besides; decimals as numbers, as the expected files have them. */
function comparable(table: string, rows: readonly LinearRow[]): Record<string, unknown>[] {
  const decimals = ['puissance_souscrite_kva', 'prix_unitaire', 'quantite', 'montant_ht'];
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([name, value]) => value !== null && !BESIDES[table]!.includes(name))
        .map(([name, value]) => [name, decimals.includes(name) ? Number(value) : value]),
    ),
  );
}

function expectedRows(name: string): Record<string, unknown>[] {
  return JSON.parse(readFileSync(realData(`enedis/expected/${name}.json`), 'utf8')) as Record<
    string,
    unknown
  >[];
}

const SAMPLES = [
  ['C15', 'c15_avec_releves.xml', 'c15', 'flux_c15', []],
  // The sample of the schema has invented words where the distributor has codes: as a delivery it
  // would be refused.
  [
    'C15',
    'c15_xsd.xml',
    'c15',
    'flux_c15_xsd',
    ['unknown_calendar', 'unknown_unit', 'unknown_version'],
  ],
  ['R151', 'r151.xml', 'r151', 'flux_r151', []],
  [
    'R151',
    'r151_xsd.xml',
    'r151',
    'flux_r151_xsd',
    ['unknown_calendar', 'unknown_unit', 'unknown_version'],
  ],
  ['F15', 'f15.xml', 'f15_detail', 'flux_f15_detail', []],
] as const;

describeOnRealFiles(
  'linear tables of Enedis',
  [...SAMPLES.map(([, file]) => `enedis/${file}`), 'enedis/r15.xml', 'enedis/r64.json'],
  () => {
    it.each(SAMPLES)(
      'makes of %s, file %s, exactly the expected rows',
      async (flux, file, table, expected, findings) => {
        const { rows, found } = await linearise(flux, realData(`enedis/${file}`));
        expect(comparable(table, rows.get(table)!)).toEqual(expectedRows(expected));
        expect(found).toEqual(findings);
      },
    );

    it('makes of R64 the expected rows, whatever their order', async () => {
      const { rows, found } = await linearise('R64', realData('enedis/r64.json'));
      const byPlace = (list: Record<string, unknown>[]) =>
        [...list].sort((a, b) =>
          String(a['occurrence_id']) < String(b['occurrence_id']) ? -1 : 1,
        );
      expect(comparable('r64', rows.get('r64')!)).toEqual(byPlace(expectedRows('flux_r64')));
      expect(found).toEqual([]);
    });

    it('deviates in R15 from the expected row, which takes the supplier’s calendar for the distributor’s', async () => {
      const { rows, found } = await linearise('R15', realData('enedis/r15.xml'));
      const [expected] = expectedRows('flux_r15');
      expect(expected).toMatchObject({ id_calendrier_distributeur: 'FC022034' });
      expect(comparable('r15', rows.get('r15')!)).toEqual([
        { ...expected, id_calendrier_distributeur: 'DI000001' },
      ]);
      expect(rows.get('r15')).toMatchObject([
        {
          statut_releve: 'INITIAL',
          index_precedent_base_kwh: 10_060,
          id_calendrier_fournisseur: 'FC022034',
        },
      ]);
      expect(found).toEqual([]);
    });

    it('keeps in R15_ACC the readings that have none of its energies', async () => {
      const { rows } = await linearise('R15', realData('enedis/r15.xml'));
      expect(rows.get('r15_acc')).toMatchObject([
        { source: 'flux_R15_ACC', ea_surplus_index_base_kwh: null },
      ]);
    });

    it('never reads what names a customer', async () => {
      const { rows } = await linearise('C15', realData('enedis/c15_avec_releves.xml'));
      const text = JSON.stringify(rows.get('c15'));
      for (const word of ['ANONYME', 'EXEMPLE', '0600000000', 'Civilite'])
        expect(text).not.toContain(word);
    });
  },
);
