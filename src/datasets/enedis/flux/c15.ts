import type { FluxReader, Linear, LinearColumns, LinearRow, LinearTable } from './linear.ts';
import { registerColumns, registerValues, unknownValue } from './linear.ts';
import { indexesOf, MEASURED_CLASS, readingFindings } from './measured-classes.ts';
import type { Indexes } from './measured-classes.ts';
import { civilDayOf, instantOf, instantOfWallTime } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import { decimalOf } from './registers.ts';
import { listAt, many, textAt, texts, treeAt } from './shape.ts';
import type { Shape, TreeObject } from './shape.ts';

/** C15: an event in the life of a contract, with the readings on its two sides. */

const OCCURRENCE: Readonly<Record<string, Shape>> = {
  ...texts('Id_PRM', 'Segment_Clientele', 'Num_Depannage', 'Date_Derniere_Modification_FTA'),
  ...texts('Niveau_Ouverture_Services', 'Date_Changement_Niveau_Ouverture_Services'),
  Evenement_Declencheur: {
    ...texts('Type_Evenement', 'Date_Evenement', 'Nature_Evenement', 'Id_Affaire', 'Ref_Demandeur'),
    Releves: {
      Donnees_Releve: many({
        ...texts('Code_Qualification', 'Date_Releve', 'Nature_Index'),
        ...texts('Id_Calendrier_Distributeur', 'Id_Calendrier'),
        Classe_Temporelle_Distributeur: MEASURED_CLASS,
      }),
    },
  },
  Situation_Contractuelle: {
    ...texts('Etat_Contractuel', 'Ref_Situation_Contractuelle'),
    Structure_Tarifaire: texts('Puissance_Souscrite', 'Formule_Tarifaire_Acheminement'),
    Titulaire_Contrat: texts('Categorie'),
  },
  Dispositif_De_Comptage: { Compteur: texts('Type', 'Num_Serie') },
};

const SIDES = { avant: '1', apres: '2' } as const;
type Side = keyof typeof SIDES;

function sideColumns(side: Side): LinearColumns {
  return {
    ...registerColumns(`${side}_index_`),
    [`${side}_date_releve`]: 'text',
    [`${side}_nature_index`]: 'text',
    [`${side}_id_calendrier_distributeur`]: 'text',
    [`${side}_id_calendrier_fournisseur`]: 'text',
    [`${side}_nb_chiffres_cadran`]: 'integer',
    [`${side}_passage_a_zero`]: 'boolean',
  };
}

const COLUMNS: LinearColumns = {
  pdl: 'text',
  segment_clientele: 'text',
  num_depannage: 'text',
  categorie: 'text',
  etat_contractuel: 'text',
  ref_situation_contractuelle: 'text',
  puissance_souscrite_kva: 'decimal',
  formule_tarifaire_acheminement: 'text',
  type_compteur: 'text',
  num_compteur: 'text',
  date_derniere_modification_fta: 'text',
  niveau_ouverture_services: 'text',
  date_changement_niveau_ouverture_services: 'text',
  evenement_declencheur: 'text',
  type_evenement: 'text',
  date_evenement: 'text',
  ref_demandeur: 'text',
  id_affaire: 'text',
  ...sideColumns('avant'),
  ...sideColumns('apres'),
  occurrence_id: 'text',
};

function sideOf(
  record: TreeObject,
  side: Side,
): { readonly row: LinearRow; readonly indexes: Indexes } {
  const readings = listAt(record, 'Evenement_Declencheur', 'Releves', 'Donnees_Releve');
  const reading = readings.find((one) => textAt(one, 'Code_Qualification') === SIDES[side]);
  const indexes = indexesOf(listAt(reading, 'Classe_Temporelle_Distributeur'));
  const row = {
    ...registerValues(`${side}_index_`, indexes.values),
    [`${side}_date_releve`]: instantOf(textAt(reading, 'Date_Releve')),
    [`${side}_nature_index`]: textAt(reading, 'Nature_Index'),
    [`${side}_id_calendrier_distributeur`]: textAt(reading, 'Id_Calendrier_Distributeur'),
    [`${side}_id_calendrier_fournisseur`]: textAt(reading, 'Id_Calendrier'),
    [`${side}_nb_chiffres_cadran`]: indexes.digits,
    [`${side}_passage_a_zero`]: reading === undefined ? null : indexes.passedZero,
  };
  return { row, indexes };
}

function linear({ occurrence, record }: DocumentRecord, document: string): Linear {
  const event = treeAt(record, 'Evenement_Declencheur');
  const contract = treeAt(record, 'Situation_Contractuelle');
  const meter = treeAt(record, 'Dispositif_De_Comptage', 'Compteur');
  const [before, after] = [sideOf(record, 'avant'), sideOf(record, 'apres')];
  const row: LinearRow = {
    pdl: textAt(record, 'Id_PRM'),
    segment_clientele: textAt(record, 'Segment_Clientele'),
    num_depannage: textAt(record, 'Num_Depannage'),
    categorie: textAt(contract, 'Titulaire_Contrat', 'Categorie'),
    etat_contractuel: textAt(contract, 'Etat_Contractuel'),
    ref_situation_contractuelle: textAt(contract, 'Ref_Situation_Contractuelle'),
    puissance_souscrite_kva: decimalOf(
      textAt(contract, 'Structure_Tarifaire', 'Puissance_Souscrite'),
    ),
    formule_tarifaire_acheminement: textAt(
      contract,
      'Structure_Tarifaire',
      'Formule_Tarifaire_Acheminement',
    ),
    type_compteur: textAt(meter, 'Type'),
    num_compteur: textAt(meter, 'Num_Serie'),
    date_derniere_modification_fta: civilDayOf(textAt(record, 'Date_Derniere_Modification_FTA')),
    niveau_ouverture_services: textAt(record, 'Niveau_Ouverture_Services'),
    date_changement_niveau_ouverture_services: civilDayOf(
      textAt(record, 'Date_Changement_Niveau_Ouverture_Services'),
    ),
    evenement_declencheur: textAt(event, 'Nature_Evenement'),
    type_evenement: textAt(event, 'Type_Evenement'),
    date_evenement: eventTime(textAt(event, 'Date_Evenement')),
    ref_demandeur: textAt(event, 'Ref_Demandeur'),
    id_affaire: textAt(event, 'Id_Affaire'),
    ...before.row,
    ...after.row,
    occurrence_id: `${document}#${occurrence}`,
  };
  return { rows: [row], leftOut: { registers: before.indexes.dropped + after.indexes.dropped } };
}

/** An event that is dated by a bare day happens at its midnight. */
function eventTime(text: string | null): string | null {
  const day = text?.length === 10 ? civilDayOf(text) : null;
  return day === null ? instantOf(text) : instantOfWallTime(`${day} 00:00:00`);
}

/** One row an event; indexes in kWh stand before (`avant_`) and after (`apres_`) it. */
export const C15_TABLE: LinearTable = {
  name: 'c15',
  title: 'C15: events of contracts, with the readings before and after them',
  columns: COLUMNS,
  personal: ['pdl', 'ref_situation_contractuelle', 'num_compteur', 'id_affaire', 'ref_demandeur'],
  linear,
};

/** Version 5.0.0; an unknown level of services, unit or calendar is a finding. */
export const C15: FluxReader = {
  shape: {
    xml: { roots: ['C15'], head: { Version_XSD: 'text' }, each: 'PRM', occurrence: OCCURRENCE },
  },
  findings: ({ head, record }) => [
    ...unknownValue('unknown_version', 'the version', textAt(head, 'Version_XSD'), ['5.0.0']),
    ...unknownValue(
      'unknown_class',
      'the level of services',
      textAt(record, 'Niveau_Ouverture_Services'),
      ['0', '1', '2'],
    ),
    ...listAt(record, 'Evenement_Declencheur', 'Releves', 'Donnees_Releve').flatMap((reading) =>
      readingFindings(
        textAt(reading, 'Id_Calendrier_Distributeur'),
        listAt(reading, 'Classe_Temporelle_Distributeur'),
      ),
    ),
  ],
  tables: [C15_TABLE],
};
