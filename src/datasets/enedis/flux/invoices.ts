import type { FluxReader, Linear, LinearColumns, LinearTable } from './linear.ts';
import { unknownValue } from './linear.ts';
import { civilDayOf } from './paris-time.ts';
import type { DocumentRecord } from './document-tree.ts';
import { decimalOf } from './registers.ts';
import { listAt, many, textAt, texts, treeAt } from './shape.ts';
import type { TreeObject } from './shape.ts';

/**
 * F15 and F12: the lines of the distributor's invoices. Their key is the inner file and the
 * position of the line in it.
 */

const AMOUNT_COLUMNS: LinearColumns = {
  unite: 'text',
  prix_unitaire: 'decimal',
  quantite: 'decimal',
  montant_ht: 'decimal',
  date_debut: 'text',
  date_fin: 'text',
};

const AMOUNTS = texts(
  'Unite_Quantite',
  'Prix_Unitaire',
  'Quantite',
  'Montant_HT',
  'Date_Debut',
  'Date_Fin',
);

/** Prices, quantities and amounts have signs, and keep all their decimals. */
function amountsOf(element: TreeObject | undefined) {
  return {
    unite: textAt(element, 'Unite_Quantite'),
    prix_unitaire: decimalOf(textAt(element, 'Prix_Unitaire')),
    quantite: decimalOf(textAt(element, 'Quantite')),
    montant_ht: decimalOf(textAt(element, 'Montant_HT')),
    date_debut: civilDayOf(textAt(element, 'Date_Debut')),
    date_fin: civilDayOf(textAt(element, 'Date_Fin')),
  };
}

function linearF15({ occurrence, head, record }: DocumentRecord, document: string): Linear {
  const point = treeAt(record, 'Donnees_PRM');
  let position = 0;
  const rows = listAt(record, 'Groupe_Valorise').flatMap((group) =>
    listAt(group, 'Element_Valorise').map((element) => {
      position += 1;
      return {
        type_facturation: textAt(record, 'Type_Facturation'),
        pdl: textAt(point, 'Id_PRM'),
        ref_situation_contractuelle: textAt(point, 'Ref_Situation_Contractuelle'),
        type_compteur: textAt(point, 'Type_Compteur'),
        id_ev: textAt(element, 'Id_EV'),
        nature_ev: textAt(group, 'Nature_EV'),
        // A rate, or "NS" where none applies.
        taux_tva_applicable: textAt(element, 'Taux_TVA_Applicable'),
        formule_tarifaire_acheminement:
          textAt(element, 'Formule_Tarifaire_Acheminement') ??
          textAt(group, 'Formule_Tarifaire_Acheminement') ??
          textAt(point, 'Formule_Tarifaire_Acheminement'),
        ...amountsOf(element),
        libelle_ev: textAt(element, 'Libelle_EV'),
        flux: textAt(head, 'En_Tete_Flux', 'Identifiant_Flux'),
        num_facture: textAt(head, 'Rappel_En_Tete', 'Num_Facture'),
        date_facture: civilDayOf(textAt(head, 'Rappel_En_Tete', 'Date_Facture')),
        source: 'flux_F15',
        occurrence_id: `${document}#${occurrence}#${position}`,
      };
    }),
  );
  return { rows };
}

const F15_TABLE: LinearTable = {
  name: 'f15_detail',
  title: 'F15: lines of the network invoice, C5',
  columns: {
    type_facturation: 'text',
    pdl: 'text',
    ref_situation_contractuelle: 'text',
    type_compteur: 'text',
    id_ev: 'text',
    nature_ev: 'text',
    taux_tva_applicable: 'text',
    formule_tarifaire_acheminement: 'text',
    ...AMOUNT_COLUMNS,
    libelle_ev: 'text',
    flux: 'text',
    num_facture: 'text',
    date_facture: 'text',
    source: 'text',
    occurrence_id: 'text',
  },
  personal: ['pdl', 'ref_situation_contractuelle'],
  linear: linearF15,
};

const ELEMENT_F15 = {
  ...texts('Id_EV', 'Libelle_EV', 'Taux_TVA_Applicable', 'Formule_Tarifaire_Acheminement'),
  ...AMOUNTS,
};

/** Segment C5, version 4.0.0: a line for each valued element. */
export const F15: FluxReader = {
  shape: {
    xml: {
      roots: ['F15_Detail_Facturation'],
      head: {
        En_Tete_Flux: texts('Identifiant_Flux', 'Version_XSD'),
        Rappel_En_Tete: texts('Num_Facture', 'Date_Facture'),
      },
      each: 'Donnees_Valorisation',
      occurrence: {
        Type_Facturation: 'text',
        Donnees_PRM: texts(
          'Id_PRM',
          'Ref_Situation_Contractuelle',
          'Type_Compteur',
          'Formule_Tarifaire_Acheminement',
        ),
        Groupe_Valorise: many({
          ...texts('Nature_EV', 'Formule_Tarifaire_Acheminement'),
          Element_Valorise: many(ELEMENT_F15),
        }),
      },
    },
  },
  findings: ({ head }) =>
    unknownValue('unknown_version', 'the version', textAt(head, 'En_Tete_Flux', 'Version_XSD'), [
      '4.0.0',
    ]),
  tables: [F15_TABLE],
};

function linearF12({ occurrence, head, record }: DocumentRecord, document: string): Linear {
  const rows = listAt(record, 'Element_Valorise').map((element, index) => ({
    num_sous_lot: textAt(record, 'Num_Sous_Lot'),
    type_facturation: textAt(record, 'Type_Facturation'),
    motif_rectif: textAt(record, 'Motif_Rectif'),
    pdl: textAt(record, 'Id_PRM'),
    type_prm: textAt(record, 'Type_PRM'),
    code_segmentation_erdf: textAt(record, 'Code_Segmentation_ERDF'),
    puissance_ponderee: decimalOf(textAt(record, 'Puissance_Ponderee')),
    autoproducteur: textAt(record, 'Autoproducteur'),
    tarif_souscrit: textAt(record, 'Tarif_Souscrit'),
    id_ev: textAt(element, 'Id_EV'),
    libelle_ev: textAt(element, 'Libelle_EV'),
    code_recapitulatif: textAt(element, 'Code_Recapitulatif'),
    cspe_applicable: textAt(element, 'CSPE_Applicable'),
    taux_tva_applicable: textAt(element, 'Taux_TVA_Applicable'),
    code_debit_credit: textAt(element, 'Code_Debit_Credit'),
    ...amountsOf(listAt(element, 'Acheminement')[0]),
    flux: textAt(head, 'En_Tete_Flux', 'Identifiant_Flux'),
    num_facture: textAt(head, 'Rappel_En_Tete', 'Num_Facture'),
    date_facture: civilDayOf(textAt(head, 'Rappel_En_Tete', 'Date_Facture')),
    source: 'flux_F12',
    occurrence_id: `${document}#${occurrence}#${index + 1}`,
  }));
  return { rows };
}

const F12_TABLE: LinearTable = {
  name: 'f12_detail',
  title: 'F12: lines of the network invoice, C2 to C4',
  columns: {
    num_sous_lot: 'text',
    type_facturation: 'text',
    motif_rectif: 'text',
    pdl: 'text',
    type_prm: 'text',
    code_segmentation_erdf: 'text',
    puissance_ponderee: 'decimal',
    autoproducteur: 'text',
    tarif_souscrit: 'text',
    id_ev: 'text',
    libelle_ev: 'text',
    code_recapitulatif: 'text',
    cspe_applicable: 'text',
    taux_tva_applicable: 'text',
    code_debit_credit: 'text',
    ...AMOUNT_COLUMNS,
    flux: 'text',
    num_facture: 'text',
    date_facture: 'text',
    source: 'text',
    occurrence_id: 'text',
  },
  personal: ['pdl'],
  linear: linearF12,
};

const SUB_LOT = texts(
  'Num_Sous_Lot',
  'Type_Facturation',
  'Motif_Rectif',
  'Id_PRM',
  'Type_PRM',
  'Code_Segmentation_ERDF',
  'Puissance_Ponderee',
  'Autoproducteur',
  'Tarif_Souscrit',
);

/** Segments C2 to C4, version 1.10.3: a line for each valued element of a sub-lot. */
export const F12: FluxReader = {
  shape: {
    xml: {
      roots: ['Detail_Facturation'],
      head: {
        En_Tete_Flux: texts('Identifiant_Flux', 'Version_XSD'),
        Rappel_En_Tete: texts('Num_Facture', 'Date_Facture'),
      },
      each: 'Sous_Lot',
      occurrence: {
        ...SUB_LOT,
        Element_Valorise: many({
          ...texts('Id_EV', 'Libelle_EV', 'Code_Recapitulatif', 'CSPE_Applicable'),
          ...texts('Taux_TVA_Applicable', 'Code_Debit_Credit'),
          Acheminement: many(AMOUNTS),
        }),
      },
    },
  },
  findings: ({ head }) =>
    unknownValue('unknown_version', 'the version', textAt(head, 'En_Tete_Flux', 'Version_XSD'), [
      '1.10.3',
    ]),
  tables: [F12_TABLE],
};
