import { dayAfter } from '../synthetic/paris-days.ts';

/**
 * The flux of the distributor, written from rows: the other way round than a supplier reads them.
 */

/** An occurrence by the names of its columns; null where nothing is said. */
export type FluxRow = Readonly<Record<string, string | number | boolean | null>>;

/** The registers of a meter: one, two by hours, or four by hours and season. */
const REGISTERS = ['base', 'hp', 'hc', 'hph', 'hch', 'hpb', 'hcb'] as const;

type Value = FluxRow[string] | undefined;

function element(name: string, value: Value): string {
  return value === null || value === undefined ? '' : `<${name}>${value}</${name}>`;
}

function side(row: FluxRow, name: 'avant' | 'apres', code: number): string {
  const classes = REGISTERS.map(
    (register) => [register, row[`${name}_index_${register}_kwh`]] as const,
  ).filter(([, value]) => value !== undefined && value !== null);
  if (classes.length === 0) return '';
  const written = classes.map(
    ([register, value]) =>
      `<Classe_Temporelle_Distributeur>${element('Id_Classe_Temporelle', register.toUpperCase())}${element('Classe_Mesure', 1)}${element('Unite_Mesure', 'kWh')}${element('Sens_Mesure', 0)}${element('Valeur', value)}${element('Nb_Chiffres_Cadran', row[`${name}_nb_chiffres_cadran`])}</Classe_Temporelle_Distributeur>`,
  );
  return `<Donnees_Releve>${element('Code_Qualification', code)}${element('Date_Releve', row['date_evenement'])}${element('Nature_Index', row[`${name}_nature_index`])}${element('Id_Calendrier_Distributeur', row[`${name}_id_calendrier_distributeur`])}${written.join('')}</Donnees_Releve>`;
}

/** Version 5.0.0, with a name of a customer that no reader may take up. */
export function c15Xml(rows: readonly FluxRow[]): string {
  const points = rows.map((row) => {
    const event = `<Evenement_Declencheur>${element('Date_Evenement', row['date_evenement'])}${element('Nature_Evenement', row['evenement_declencheur'])}<Releves>${side(row, 'avant', 1)}${side(row, 'apres', 2)}</Releves></Evenement_Declencheur>`;
    const tariff = `<Structure_Tarifaire>${element('Formule_Tarifaire_Acheminement', row['formule_tarifaire_acheminement'])}${element('Puissance_Souscrite', row['puissance_souscrite_kva'])}</Structure_Tarifaire>`;
    const holder =
      '<Titulaire_Contrat><Categorie>RES</Categorie><Personne_Physique><Nom>DUPONT</Nom></Personne_Physique></Titulaire_Contrat>';
    const contract = `<Situation_Contractuelle>${element('Ref_Situation_Contractuelle', row['ref_situation_contractuelle'])}${tariff}${holder}</Situation_Contractuelle>`;
    return `<PRM>${element('Id_PRM', row['pdl'])}${element('Niveau_Ouverture_Services', row['niveau_ouverture_services'])}${event}${contract}</PRM>`;
  });
  return `<C15><En_Tete_Flux><Version_XSD>5.0.0</Version_XSD></En_Tete_Flux>${points.join('')}</C15>`;
}

/** Version V1, indexes in Wh: 999 Wh above the kWh of the row, which a reader must cut off. */
export function r151Xml(rows: readonly FluxRow[]): string {
  const points = rows.map((row) => {
    const classes = REGISTERS.filter(
      (register) => typeof row[`index_${register}_kwh`] === 'number',
    ).map(
      (register) =>
        `<Classe_Temporelle_Distributeur>${element('Id_Classe_Temporelle', register.toUpperCase())}${element('Valeur', `${String(row[`index_${register}_kwh`])}999`)}${element('Indice_Vraisemblance', 0)}</Classe_Temporelle_Distributeur>`,
    );
    const day = dayAfter(String(row['date_releve']).slice(0, 10), -1);
    return `<PRM>${element('Id_PRM', row['pdl'])}<Donnees_Releve>${element('Date_Releve', day)}${element('Id_Calendrier_Distributeur', row['id_calendrier_distributeur'])}${classes.join('')}</Donnees_Releve></PRM>`;
  });
  const head =
    '<En_Tete_Flux><Version_XSD>V1</Version_XSD><Unite_Mesure_Index>Wh</Unite_Mesure_Index></En_Tete_Flux>';
  return `<R151>${head}${points.join('')}</R151>`;
}

/** Indexes in Wh, wall time of Paris without offset. */
export function r64Json(rows: readonly FluxRow[]): string {
  const mesures = rows.map((row) => {
    const d = String(row['date_releve']).slice(0, 19).replace('T', ' ');
    const classeTemporelle = REGISTERS.filter(
      (register) => typeof row[`index_${register}_kwh`] === 'number',
    ).map((register) => ({
      idClasseTemporelle: register.toUpperCase(),
      valeur: [{ d, v: Number(row[`index_${register}_kwh`]) * 1_000, iv: 0 }],
    }));
    const calendrier = [{ idCalendrier: row['id_calendrier_distributeur'], classeTemporelle }];
    const grandeur = [{ grandeurMetier: 'CONS', grandeurPhysique: 'EA', unite: 'Wh', calendrier }];
    return {
      idPrm: row['pdl'],
      contexte: [{ etapeMetier: row['etape_metier'], typeReleve: row['type_releve'], grandeur }],
    };
  });
  return JSON.stringify({ header: { codeFlux: 'R64' }, mesures });
}
