import type { ColumnNames, CsvLayout } from '../kit/index.ts';

/**
 * The columns of the three CSV sources, in every dialect seen: the portal's short names, its French
 * labels, the history archives.
 */

/**
 * A road count of one arc and hour: `at` is the END of the hour, `flow` vehicles/h, `occupancy` %.
 */
export type CountColumn =
  | 'arc'
  | 'label'
  | 'at'
  | 'flow'
  | 'occupancy'
  | 'state'
  | 'barred'
  | 'upstream'
  | 'upstream_label'
  | 'downstream'
  | 'downstream_label'
  | 'available_from'
  | 'available_to'
  | 'point'
  | 'shape';

/**
 * Published names without case, accents and punctuation: the history archives say `q`, `k` and
 * `t_1h`.
 */
export const COUNT_COLUMNS: ColumnNames<CountColumn> = {
  arc: ['iu ac', 'identifiant arc'],
  label: ['libelle'],
  at: ['t 1h', 'date et heure de comptage'],
  flow: ['q', 'debit horaire'],
  occupancy: ['k', 'taux d occupation'],
  state: ['etat trafic'],
  barred: ['etat barre', 'etat arc'],
  upstream: ['iu nd amont', 'identifiant noeud amont'],
  upstream_label: ['libelle nd amont', 'libelle noeud amont'],
  downstream: ['iu nd aval', 'identifiant noeud aval'],
  downstream_label: ['libelle nd aval', 'libelle noeud aval'],
  available_from: ['date debut', 'date debut dispo data'],
  available_to: ['date fin', 'date fin dispo data'],
  point: ['geo point 2d'],
  shape: ['geo shape'],
};

/** A piece of an arc; `published_length` is 0 in every file seen, so lengths come from `shape`. */
export type NetworkColumn =
  | 'arc'
  | 'label'
  | 'available_from'
  | 'available_to'
  | 'upstream'
  | 'upstream_label'
  | 'downstream'
  | 'downstream_label'
  | 'point'
  | 'shape'
  | 'published_length';

/** Short names and French labels of the référentiel, in the form that headers are compared in. */
export const NETWORK_COLUMNS: ColumnNames<NetworkColumn> = {
  arc: ['iu ac', 'identifiant arc'],
  label: ['libelle'],
  available_from: ['date debut', 'date debut dispo data'],
  available_to: ['date fin', 'date fin dispo data'],
  upstream: ['iu nd amont', 'identifiant noeud amont'],
  upstream_label: ['libelle nd amont', 'libelle noeud amont'],
  downstream: ['iu nd aval', 'identifiant noeud aval'],
  downstream_label: ['libelle nd aval', 'libelle noeud aval'],
  point: ['geo point 2d'],
  shape: ['geo shape'],
  published_length: ['shape len', 'shape length'],
};

/** A roadwork; its dates are `YYYY-MM-DD` and may be missing or in the wrong order. */
export type WorkColumn =
  | 'id'
  | 'postcode'
  | 'typology'
  | 'owner'
  | 'purpose'
  | 'description'
  | 'streets'
  | 'starts_on'
  | 'ends_on'
  | 'impact'
  | 'impact_detail'
  | 'level'
  | 'status'
  | 'shape'
  | 'point';

/** Labels of two editions of the roadworks file, in the form that headers are compared in. */
export const WORK_COLUMNS: ColumnNames<WorkColumn> = {
  id: ['identifiant', 'cp id', 'identifiant chantier'],
  postcode: ['code postal de l arrondissement', 'cp arrondissement'],
  typology: ['typologie'],
  owner: ['maitre d ouvrage', 'maitre ouvrage'],
  purpose: ['objet'],
  description: ['description'],
  streets: ['voie s', 'voie'],
  starts_on: ['date de debut', 'date debut'],
  ends_on: ['date de fin', 'date fin'],
  impact: ['impact sur la circulation', 'impact circulation'],
  impact_detail: ['detail de l impact sur la circulation', 'impact circulation detail'],
  level: ['niveau de perturbation', 'niveau perturbation'],
  status: ['statut'],
  shape: ['geo shape'],
  point: ['geo point 2d'],
};

/**
 * The layouts of the three files. They share columns, so a file is told by what it must have and by
 * what it must not have: a file of road counts whose flow was renamed still has all that a road
 * network needs.
 */
export const COUNTS: CsvLayout<CountColumn> = {
  title: 'road counts (comptages-routiers-permanents)',
  names: COUNT_COLUMNS,
  required: ['arc', 'at', 'flow', 'occupancy'],
  foreign: NETWORK_COLUMNS.published_length,
  usual: ['label', 'state', 'barred', 'upstream', 'downstream'],
  unused: [],
};

/**
 * What a file must have to be taken as the road network; a file with counts is refused by
 * `foreign`.
 */
export const NETWORK: CsvLayout<NetworkColumn> = {
  title: 'the road network (referentiel-comptages-routiers)',
  names: NETWORK_COLUMNS,
  required: ['arc', 'label', 'shape', 'upstream', 'downstream'],
  foreign: [
    COUNT_COLUMNS.at,
    COUNT_COLUMNS.flow,
    COUNT_COLUMNS.occupancy,
    COUNT_COLUMNS.state,
  ].flat(),
  usual: ['available_from', 'available_to', 'point'],
  unused: [],
};

/** What a file must have to be taken as roadworks; a file with arcs is refused by `foreign`. */
export const WORKS: CsvLayout<WorkColumn> = {
  title: 'roadworks (chantiers-perturbants)',
  names: WORK_COLUMNS,
  required: ['id', 'starts_on', 'ends_on', 'impact'],
  foreign: COUNT_COLUMNS.arc,
  usual: ['streets', 'status', 'shape', 'point'],
  unused: [
    'identifiant ctv',
    'numero de stv',
    'precisions de localisation',
    'url lettreinfochantier',
  ],
};
