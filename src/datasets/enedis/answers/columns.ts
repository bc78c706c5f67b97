import { definedMembers } from '../../kit/index.ts';
import type { ColumnType, TableColumn } from '../../kit/index.ts';
import { energyColumn, powerColumn, registerLabel, REGISTERS } from '../flux/registers.ts';

/** The contract, under the name that the distributor has for it. */
export const RSC = 'ref_situation_contractuelle';
/** The formula of its network tariff. */
export const FTA = 'formule_tarifaire_acheminement';

/** How the columns of the model's tables are called, and in what they count. */

type Told = readonly [type: ColumnType, fr: string, en: string, unit?: string];

const IDS: Readonly<Record<string, Told>> = {
  ref_situation_contractuelle: ['text', 'Contrat (RSC)', 'Contract (RSC)'],
  pdl: ['text', 'Point de livraison', 'Delivery point'],
  releve_id: ['text', 'Relevé', 'Reading'],
  d_releve_id: ['text', 'Relevé de début', 'Reading at the start'],
  f_releve_id: ['text', 'Relevé de fin', 'Reading at the end'],
  occurrence_id: ['text', 'Occurrence', 'Occurrence'],
  id_affaire: ['text', 'Affaire', 'Affair'],
  id: ['text', 'Ligne dans l’ERP', 'Line in the ERP'],
};

const TIMES: Readonly<Record<string, Told>> = {
  mois: ['text', 'Mois', 'Month'],
  trimestre: ['text', 'Trimestre', 'Quarter'],
  debut: ['date', 'Début', 'Start'],
  fin: ['date', 'Fin (exclue)', 'End (excluded)'],
  jour_precedent: ['date', 'Jour du relevé précédent', 'Day of the reading before'],
  jour: ['date', 'Jour', 'Day'],
  nb_jours: ['integer', 'Jours', 'Days', 'd'],
  date_evenement: ['text', 'Date de l’événement (heure de Paris)', 'Time of the event (Paris)'],
  date_releve: ['text', 'Date du relevé (heure de Paris)', 'Time of the reading (Paris)'],
  date_effet: ['text', 'Date d’effet', 'Takes effect'],
  date_facture: ['text', 'Date de facture', 'Date of the invoice'],
  campagne: ['text', 'Campagne', 'Campaign'],
  age_jours: ['integer', 'Âge', 'Age', 'd'],
  jours_couverts: ['integer', 'Jours couverts', 'Covered days', 'd'],
};

const WORDS: Readonly<Record<string, Told>> = {
  evenement: ['text', 'Événement', 'Event'],
  evenement_declencheur: ['text', 'Événement', 'Event'],
  formule_tarifaire_acheminement: ['text', 'Formule tarifaire', 'Network tariff formula'],
  fta: ['text', 'Formule tarifaire', 'Network tariff formula'],
  niveau_ouverture_services: ['text', 'Niveau de services', 'Level of services'],
  source: ['text', 'Flux', 'Flux'],
  d_source: ['text', 'Flux du début', 'Flux of the start'],
  f_source: ['text', 'Flux de la fin', 'Flux of the end'],
  nature_index: ['text', 'Nature', 'Nature'],
  nature_debut: ['text', 'Nature du début', 'Nature of the start'],
  nature_fin: ['text', 'Nature de la fin', 'Nature of the end'],
  calendrier: ['text', 'Calendrier', 'Calendar'],
  id_calendrier_distributeur: ['text', 'Calendrier distributeur', 'Distributor’s calendar'],
  methode_estimation: ['text', 'Méthode d’estimation', 'Method of the estimate'],
  appui: ['text', 'Appui', 'Rests on'],
  qualite: ['text', 'Qualité', 'Quality'],
  memo: ['text', 'Mémo', 'Memo'],
  memo_puissance: ['text', 'Puissances du mois', 'Powers of the month'],
  erreur: ['text', 'Erreur', 'Error'],
  sens: ['text', 'Sens', 'Direction'],
  prestation: ['text', 'Prestation', 'Service'],
  taxe: ['text', 'Taxe', 'Tax'],
  unite: ['text', 'Unité du taux', 'Unit of the rate'],
  etat: ['text', 'État', 'State'],
  categorie: ['text', 'Catégorie', 'Category'],
  fichier: ['text', 'Fichier', 'File'],
  ligne: ['integer', 'Ligne du fichier', 'Line of the file'],
  reste: ['text', 'Ligne telle que donnée', 'The line as given'],
  origine: ['text', 'Origine', 'Origin'],
  motif: ['text', 'Motif', 'Reason'],
  decision: ['text', 'Décision', 'Decision'],
  composante: ['text', 'Composante', 'Component'],
  debut_lissage: ['text', 'Premier mois lissé', 'First smoothed month'],
  mois_manquants: ['integer', 'Mois manquants', 'Missing months'],
  nb_lignes: ['integer', 'Lignes', 'Lines'],
  libelles: ['text', 'Libellés', 'Labels'],
  sans_comparaison: ['text', 'Sans comparaison', 'Not compared'],
  cause: ['text', 'Cause', 'Cause'],
  gele_le: ['text', 'Gelé le', 'Frozen at'],
  gele_par: ['text', 'Gelé par', 'Frozen by'],
  version_facturee: ['integer', 'Version facturée', 'Invoiced version'],
  saisi_par: ['text', 'Saisi par', 'Given by'],
  archive: ['text', 'Fichier', 'File'],
  anomalie: ['text', 'Anomalie', 'Oddity'],
  registre: ['text', 'Cadran', 'Register'],
  evenements: ['text', 'Événements', 'Events'],
  index_debut: ['text', 'Index de début', 'Indexes at the start'],
  index_fin: ['text', 'Index de fin', 'Indexes at the end'],
  nb_chiffres_cadran: ['integer', 'Chiffres du cadran', 'Digits of the counter'],
};

const FLAGS: Readonly<Record<string, Told>> = {
  ordre_index: ['boolean', 'Après l’événement', 'After the event'],
  releve_manquant: ['boolean', 'Relevé manquant', 'Reading missing'],
  depassement_manquant: ['boolean', 'Dépassement manquant', 'Overrun missing'],
  est_partage: ['boolean', 'Sur deux barèmes', 'Over a change of rates'],
  est_communicante: ['boolean', 'Communicante', 'Communicating'],
  est_passage_a_zero: ['boolean', 'Passage à zéro', 'Counter passed zero'],
  est_baisse_inconnue: ['boolean', 'Index en baisse', 'Index fell'],
  est_douteux: ['boolean', 'Douteux', 'Doubtful'],
  est_saut: ['boolean', 'Saut', 'Jump'],
  est_retenu: ['boolean', 'Retenu', 'Held'],
  est_gele: ['boolean', 'Gelé', 'Frozen'],
  est_en_attente: ['boolean', 'En attente', 'Waiting'],
  est_couverte: ['boolean', 'Année couverte', 'Year covered'],
  est_alerte: ['boolean', 'À vérifier', 'To be checked'],
  est_brouillon: ['boolean', 'Brouillon', 'Draft'],
  est_rattache: ['boolean', 'Rattaché', 'Has its contract'],
  a_facturer: ['boolean', 'À facturer', 'To be billed'],
  a_supprimer: ['boolean', 'À supprimer', 'To be removed'],
};

const AMOUNTS: Readonly<Record<string, Told>> = {
  puissance_souscrite_kva: ['number', 'Puissance souscrite', 'Subscribed power', 'kVA'],
  puissance_moyenne_kva: ['number', 'Puissance moyenne', 'Mean power', 'kVA'],
  depassement_puissance_h: ['number', 'Dépassement', 'Overrun', 'h'],
  turpe_fixe_eur: ['number', 'TURPE fixe', 'TURPE, fixed part', '€'],
  turpe_energies_eur: ['number', 'TURPE des énergies', 'TURPE of the energies', '€'],
  turpe_depassement_eur: ['number', 'TURPE du dépassement', 'TURPE of the overrun', '€'],
  turpe_variable_eur: ['number', 'TURPE variable', 'TURPE, variable part', '€'],
  cta_eur: ['number', 'CTA', 'CTA', '€'],
  accise_eur: ['number', 'Accise', 'Accise', '€'],
  energie_kwh: ['integer', 'Énergie', 'Energy', 'kWh'],
  quantite: ['number', 'Quantité', 'Quantity'],
  quantite_enedis: ['integer', 'Quantité Enedis', 'Distributor’s quantity'],
  taux: ['number', 'Taux', 'Rate'],
  taux_accise_eur_mwh: ['number', 'Taux d’accise', 'Rate of the accise', '€/MWh'],
  taux_cta_pourcent: ['number', 'Taux de CTA', 'Rate of the CTA', '%'],
  energie_facturee_kwh: ['integer', 'Énergie facturée', 'Invoiced energy', 'kWh'],
  energie_mesuree_kwh: ['integer', 'Énergie mesurée', 'Measured energy', 'kWh'],
  accise_facturee_eur: ['number', 'Accise facturée', 'Accise of what was invoiced', '€'],
  accise_mesuree_eur: ['number', 'Accise mesurée', 'Accise of what was measured', '€'],
  mois_kwh: ['integer', 'Énergie du mois', 'Energy of the month', 'kWh'],
  facture: ['number', 'Facturé', 'Invoiced'],
  calcule: ['number', 'Calculé depuis', 'Calculated since'],
  ecart: ['number', 'Écart', 'Difference'],
  facture_eur: ['number', 'Facturé', 'Invoiced', '€'],
  calcule_eur: ['number', 'Calculé', 'Calculated', '€'],
  ecart_eur: ['number', 'Écart', 'Difference', '€'],
  ecart_jours_eur: ['number', 'Écart de jours', 'Difference of days', '€'],
  ecart_puissance_eur: ['number', 'Écart de puissance', 'Difference of power', '€'],
  ecart_index_eur: ['number', 'Écart d’index', 'Difference of indexes', '€'],
  ecart_taux_eur: ['number', 'Reste : taux ou inconnu', 'Rest: rate or unknown', '€'],
  jours_factures: ['integer', 'Jours facturés', 'Invoiced days', 'd'],
  kwh_factures: ['number', 'Énergie facturée', 'Invoiced energy', 'kWh'],
  puissance_facturee_kva: ['number', 'Puissance facturée', 'Invoiced power', 'kVA'],
  index_precedent_kwh: ['integer', 'Index précédent', 'Index before', 'kWh'],
  index_kwh: ['integer', 'Index', 'Index', 'kWh'],
  ecart_kwh: ['integer', 'Écart', 'Difference', 'kWh'],
  mensuel_kwh: ['number', 'Énergie d’un mois moyen', 'Energy of an average month', 'kWh'],
};

const BY_REGISTER: Readonly<Record<string, Told>> = Object.fromEntries<Told>(
  REGISTERS.flatMap((register): [string, Told][] => {
    const hour = registerLabel(register);
    return [
      [energyColumn(register), ['integer', `Énergie ${hour}`, `Energy, ${hour}`, 'kWh']],
      [`index_${register}_kwh`, ['integer', `Index ${hour}`, `Index, ${hour}`, 'kWh']],
      [
        `mensuel_${register}_kwh`,
        ['number', `Mois moyen ${hour}`, `Average month, ${hour}`, 'kWh'],
      ],
      [powerColumn(register), ['number', `Puissance ${hour}`, `Power, ${hour}`, 'kVA']],
    ];
  }),
);

const TOLD: Readonly<Record<string, Told>> = {
  ...IDS,
  ...TIMES,
  ...WORDS,
  ...FLAGS,
  ...AMOUNTS,
  ...BY_REGISTER,
};

/**
 * The declared columns of these names, in their order; a name that nothing is told of is a mistake
 * of ours.
 */
export function columnsOf(...names: readonly string[]): TableColumn[] {
  return names.map((name) => {
    const told = TOLD[name];
    if (told === undefined) throw new TypeError(`nothing is told of the column ${name}`);
    const [type, fr, en, unit] = told;
    return { name, type, title: { fr, en }, ...definedMembers({ unit }) };
  });
}

/** The names `<prefix><register><suffix>` of the seven registers. */
export function registers(prefix: string, suffix = '_kwh'): string[] {
  return REGISTERS.map((register) => `${prefix}${register}${suffix}`);
}
