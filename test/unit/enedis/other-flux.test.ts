import { describe, expect, it } from 'vitest';
import type { Flux } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { instantOfWallTime } from '../../../src/datasets/enedis/flux/paris-time.ts';
import { readJson } from '../../../src/datasets/enedis/flux/read-json.ts';
import { READERS } from '../../../src/datasets/enedis/flux/readers.ts';
import { readXml } from '../../../src/datasets/enedis/flux/read-xml.ts';
import type { LinearRow } from '../../../src/datasets/enedis/flux/linear.ts';

// oxlint-disable-next-line typescript/require-await -- stands for a stream
async function* chunksOf(text: string) {
  // Cut in the middle of everything, also of characters.
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

async function linear(flux: Flux, text: string) {
  const { shape, tables, findings } = READERS[flux];
  const place = { archive: 'a.zip', document: 'd' };
  if (!('xml' in shape || 'json' in shape))
    throw new Error(`${flux} is no flux of the distributor`);
  const records =
    'xml' in shape
      ? readXml(chunksOf(text), shape.xml, place)
      : readJson(chunksOf(text), shape.json, place);
  const [rows, found, leftOut]: [LinearRow[], string[], object[]] = [[], [], []];
  for await (const some of records) {
    for (const record of some) {
      found.push(...findings(record).map(({ detail }) => detail));
      const made = tables[0]!.linear(record, 'd');
      rows.push(...made.rows);
      leftOut.push(made.leftOut ?? {});
    }
  }
  return { rows, found, leftOut };
}

function r151(...readings: readonly string[]): string {
  const head =
    '<En_Tete_Flux><Version_XSD>V1</Version_XSD><Unite_Mesure_Index>Wh</Unite_Mesure_Index></En_Tete_Flux>';
  return `<R151>${head}<PRM><Id_PRM>14</Id_PRM>${readings.join('')}</PRM></R151>`;
}

function r151Reading(day: string, calendar: string, values: Record<string, string>): string {
  const classes = Object.entries(values).map(
    ([id, value]) =>
      `<Classe_Temporelle_Distributeur><Id_Classe_Temporelle>${id}</Id_Classe_Temporelle><Valeur>${value}</Valeur></Classe_Temporelle_Distributeur>`,
  );
  return `<Donnees_Releve><Date_Releve>${day}</Date_Releve><Id_Calendrier_Distributeur>${calendar}</Id_Calendrier_Distributeur>${classes.join('')}</Donnees_Releve>`;
}

describe('R151', () => {
  it('counts at the midnight that ends its day, also when the clocks change', async () => {
    const { rows } = await linear(
      'R151',
      r151(
        r151Reading('2025-10-25', 'DI000001', { BASE: '1999' }),
        r151Reading('2025-10-26', 'DI000001', { BASE: '2000' }),
      ),
    );
    expect(rows.map((row) => [row['date_releve'], row['index_base_kwh']])).toEqual([
      ['2025-10-26T00:00:00+02:00', 1],
      ['2025-10-27T00:00:00+01:00', 2],
    ]);
  });

  it('leaves out calendars that say nothing, and registers that nobody bills, and counts both', async () => {
    const { rows, leftOut, found } = await linear(
      'R151',
      r151(
        r151Reading('2025-10-25', 'INCONNU', { BASE: '1' }),
        r151Reading('2025-10-25', 'DN999999', { BASE: '1' }),
        r151Reading('2025-10-25', 'DI000001', { BASE: '5000', POINTE: '7' }),
      ),
    );
    expect(rows).toHaveLength(1);
    expect(leftOut).toEqual([{ registers: 1, unusable_calendars: 2, undated: 0 }]);
    expect(found).toEqual([]);
  });
});

function r64(contexts: readonly object[]): string {
  return JSON.stringify({
    header: { idDemande: '1', codeFlux: 'R64' },
    mesures: [{ idPrm: '14', contexte: contexts }],
  });
}

function r64Context(stage: string, points: readonly object[], rest: object = {}) {
  const classes = [{ idClasseTemporelle: 'BASE', valeur: points }, { valeur: points }];
  const calendars = [
    { idCalendrier: 'DI000001', classeTemporelle: classes },
    { idCalendrier: 'FC1', classeTemporelle: classes },
  ];
  const quantity = {
    grandeurMetier: 'CONS',
    grandeurPhysique: 'EA',
    unite: 'Wh',
    calendrier: calendars,
    ...rest,
  };
  return { etapeMetier: stage, typeReleve: 'AQ', grandeur: [quantity] };
}

describe('R64', () => {
  it('takes valid points of consumed energy, the corrected ones before the others', async () => {
    const at = (day: number, v: number, iv = 0) => ({ d: `2026-06-0${day} 00:00:00`, v, iv });
    const { rows, leftOut } = await linear(
      'R64',
      r64([
        r64Context('BRUT', [at(1, 1_000), at(2, 2_000, 1), at(3, 3_999)]),
        r64Context('CORR', [at(1, 1_500_000)]),
        r64Context('BRUT', [at(1, 9)], { grandeurMetier: 'PROD' }),
      ]),
    );
    expect(
      rows.map((row) => [row['date_releve'], row['nature_index'], row['index_base_kwh']]),
    ).toEqual([
      ['2026-06-01T00:00:00+02:00', 'corrigé', 1_500],
      ['2026-06-03T00:00:00+02:00', 'réel', 3],
    ]);
    expect(leftOut).toEqual([{ registers: 2, invalid: 1 }]);
  });
});

describe('R67', () => {
  it('has one row a period from the best grid, signed and cut towards −∞', async () => {
    const quantity = (quantite: number, dateCreation = '2025-02-01 00:00:00') => ({
      ...{
        dbtMesure: '2025-01-01 00:00:00',
        finMesure: '2025-02-01 00:00:00',
        codeNature: 'R',
        quantite,
        dateCreation,
      },
    });
    const calendar = (
      codeGrille: string,
      codeCalendrier: string,
      id: string,
      ...quantite: readonly object[]
    ) => ({
      codeGrille,
      codeCalendrier,
      classeTemporelle: [{ idClasseTemporelle: id, quantite }],
    });
    const calendrier = [
      calendar('F', 'FC1', 'BASE', quantity(5_000)),
      calendar('D', 'DI000003', 'HPB', quantity(7_000, '2025-01-15 00:00:00'), quantity(-1_999)),
      calendar('D', 'DI000001', 'BASE', quantity(6_000)),
    ];
    const grandeur = [{ grandeurMetier: 'CONS', grandeurPhysique: 'EA', unite: 'Wh', calendrier }];
    const { rows } = await linear(
      'R67',
      r64([{ etapeMetier: 'FACT', idMotifReleve: 'CYC', grandeur }]),
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      pdl: '14',
      debut: '2025-01-01',
      fin: '2025-02-01',
      code_calendrier: 'DI000003',
      energie_hpb_kwh: -2,
      energie_base_kwh: null,
    });
  });
});

describe('F12, C12, X12 and X13', () => {
  it('reads the lines of an invoice above 36 kVA', async () => {
    const amount =
      '<Acheminement><Unite_Quantite>kWh</Unite_Quantite><Prix_Unitaire>0.0213</Prix_Unitaire><Quantite>-12.5</Quantite><Montant_HT>-0.27</Montant_HT><Date_Debut>2025-09-01</Date_Debut><Date_Fin>2025-09-30</Date_Fin></Acheminement>';
    const lot = `<Sous_Lot><Num_Sous_Lot>1</Num_Sous_Lot><Id_PRM>30001</Id_PRM><Tarif_Souscrit>BTSUPCU4</Tarif_Souscrit><Element_Valorise><Id_EV>E1</Id_EV><Code_Debit_Credit>C</Code_Debit_Credit>${amount}</Element_Valorise><Element_Valorise><Id_EV>E2</Id_EV>${amount}</Element_Valorise></Sous_Lot>`;
    const { rows } = await linear('F12', `<Detail_Facturation>${lot}</Detail_Facturation>`);
    expect(
      rows.map((row) => [
        row['pdl'],
        row['id_ev'],
        row['quantite'],
        row['prix_unitaire'],
        row['occurrence_id'],
      ]),
    ).toEqual([
      ['30001', 'E1', '-12.5', '0.0213', 'd#1#1'],
      ['30001', 'E2', '-12.5', '0.0213', 'd#1#2'],
    ]);
  });

  it('reads the powers of a contract by hour, and refuses an hour that it does not know', async () => {
    const hour = (label: string, power: number): string =>
      `<Classe_Temporelle_TURPE_Souscrite><Libelle>${label}</Libelle><Puissance_Souscrite>${power}</Puissance_Souscrite></Classe_Temporelle_TURPE_Souscrite>`;
    const c12 = (...hours: readonly string[]): string =>
      `<C12><Contrat><PRM><Identifiant>30001</Identifiant><Type_Evenement><Date_Evenement>2025-09-01T00:00:00+02:00</Date_Evenement></Type_Evenement><Situation_Contractuelle><Date_Debut>2025-09-01</Date_Debut><Evenement><Nature_Evenement>MES</Nature_Evenement><Nature_Evenement>MCT</Nature_Evenement></Evenement><Utilisateur_Reseau><Personne_Morale><Raison_Sociale>ACME</Raison_Sociale><Siret>123</Siret></Personne_Morale></Utilisateur_Reseau><Option_Tarifaire_TURPE_Souscrite><Option_Tarifaire_TURPE><Libelle>BTSUPCU4</Libelle></Option_Tarifaire_TURPE>${hours.join('')}</Option_Tarifaire_TURPE_Souscrite></Situation_Contractuelle><Situation_Contractuelle><Date_Debut>2020-01-01</Date_Debut></Situation_Contractuelle></PRM></Contrat></C12>`;
    const { rows, found } = await linear(
      'C12',
      c12(hour('HPH', 36), hour('HCH', 36), hour('HPE', 60), hour('HCE', 60), hour('JA', 9)),
    );
    expect(rows).toMatchObject([
      {
        ...{
          pdl: '30001',
          date_debut: '2025-09-01',
          nature_evenement: 'MES+MCT',
          formule_tarifaire_acheminement: 'BTSUPCU',
        },
        ...{
          puissance_souscrite_hph_kva: '36',
          puissance_souscrite_hpb_kva: '60',
          puissance_souscrite_hcb_kva: '60',
        },
      },
    ]);
    expect(JSON.stringify(rows)).not.toContain('123');
    expect(found).toEqual([]);
    expect((await linear('C12', c12(hour('NUIT', 3)))).found[0]).toMatch(
      /^the class of hours NUIT is not known/,
    );
  });

  it.each(['inside', 'beside'])(
    'reads affairs with their milestones %s the general data',
    async (place) => {
      const rest =
        '<donneesPoint><id>14</id><segment code="C5"/></donneesPoint><jalons><jalon><num>1</num><dateHeure>2025-11-10T09:00:00+01:00</dateHeure><affaireDateEffet>2025-10-01+02:00</affaireDateEffet><affaireEtat code="DEPO"/></jalon><jalon><num>2</num><dateHeure>2025-11-12T09:00:00+01:00</dateHeure><affaireEtat code="PREV"/></jalon></jalons>';
      const general = `<statut code="COURS"/>${place === 'inside' ? rest : ''}`;
      const demand = '<demande><donneesGenerales><objet code="MES"/></donneesGenerales></demande>';
      const text = `<a:affaires xmlns:a="x"><a:affaire id="A1"><donneesGenerales>${general}</donneesGenerales>${place === 'beside' ? rest : ''}${demand}</a:affaire></a:affaires>`;
      const { rows, found } = await linear('X12', text);
      expect(rows).toMatchObject([
        {
          id_affaire: 'A1',
          sens: 'initiee',
          statut: 'COURS',
          pdl: '14',
          segment: 'C5',
          prestation: 'MES',
          num: 1,
          affaire_date_effet: '2025-10-01',
        },
        { num: 2, affaire_etat: 'PREV', date_heure: '2025-11-12T09:00:00+01:00' },
      ]);
      expect(found).toEqual([]);
    },
  );
});

describe('instantOfWallTime', () => {
  it('takes the first of two equal wall times, and moves one that does not exist', () => {
    expect(instantOfWallTime('2025-10-26 02:30:00')).toBe('2025-10-26T02:30:00+02:00');
    expect(instantOfWallTime('2025-10-26 03:30:00')).toBe('2025-10-26T03:30:00+01:00');
    expect(instantOfWallTime('2025-03-30 00:00:00')).toBe('2025-03-30T00:00:00+01:00');
    expect(instantOfWallTime('2025-03-31 00:00:00')).toBe('2025-03-31T00:00:00+02:00');
    expect(instantOfWallTime('2025-03-30 02:30:00')).toBe('2025-03-30T03:30:00+02:00');
  });
});
