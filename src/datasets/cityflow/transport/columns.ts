import type { CsvLayout } from '../../kit/index.ts';

/** The columns of the public-transport files of Île-de-France Mobilités, in every dialect seen. */

/**
 * `unit` is a line or a station, `category` a kind of ticket, `count` a number or a word for "few".
 */
export type RideColumn =
  | 'day'
  | 'operator'
  | 'network'
  | 'unit'
  | 'name'
  | 'group'
  | 'category'
  | 'count';

/** Of the hourly profiles, which have the same lines and stations and no day. */
const PROFILE_COLUMNS = [
  'cat jour',
  'trnc horr 60',
  'pourc validations',
  'pourcentage validations',
];
const STATION_COLUMNS = ['code stif arret', 'libelle arret'];
const LINE_COLUMNS = ['code stif ligne', 'libelle ligne', 'ligne', 'id ligne'];

/** Ticket validations of buses and trams: they are made on board, so that they tell of a line. */
export const SURFACE_RIDES: CsvLayout<RideColumn> = {
  title: 'validations of buses and trams (validations-reseau-surface)',
  names: {
    day: ['jour'],
    operator: ['code stif trns'],
    network: ['code stif res'],
    unit: ['code stif ligne', 'ligne', 'id ligne'],
    name: ['libelle ligne'],
    group: ['id groupoflines', 'id groupofligne', 'id groupofline'],
    category: ['categorie titre'],
    count: ['nb vald'],
  },
  required: ['day', 'unit', 'category', 'count'],
  foreign: [...STATION_COLUMNS, ...PROFILE_COLUMNS],
  usual: ['operator', 'network', 'name', 'group'],
  unused: [],
};

/**
 * Ticket validations of metro and trains: they are made at the entrance, so that they tell of a
 * station and of no line.
 */
export const RAIL_RIDES: CsvLayout<RideColumn> = {
  title: 'validations of metro and trains (validations-reseau-ferre)',
  names: {
    day: ['jour'],
    operator: ['code stif trns'],
    network: ['code stif res'],
    unit: ['code stif arret'],
    name: ['libelle arret'],
    group: ['id zdc', 'id refa lda', 'lda', 'ida'],
    category: ['categorie titre'],
    count: ['nb vald'],
  },
  required: ['day', 'unit', 'category', 'count'],
  foreign: [...LINE_COLUMNS, ...PROFILE_COLUMNS],
  usual: ['operator', 'network', 'name', 'group'],
  unused: [],
};

/**
 * One indicator of one operator in one quarter; results and targets are %, where they have a unit.
 */
export type ServiceColumn =
  | 'operator'
  | 'theme'
  | 'indicator'
  | 'mode'
  | 'submode'
  | 'line_id'
  | 'line'
  | 'quarter'
  | 'year'
  | 'result_pct'
  | 'result_count'
  | 'target_pct'
  | 'penalty';

/** What the operators' contracts measure, by line and quarter. */
export const SERVICE: CsvLayout<ServiceColumn> = {
  title: 'quality of service of SNCF and RATP (indicateurs-qualite-service-sncf-ratp)',
  names: {
    operator: ['operatorname', 'operateur'],
    theme: ['theme'],
    indicator: ['indicateur', 'indicator'],
    mode: ['transportmode', 'mode'],
    submode: ['transportsubmode', 'sous mode'],
    line_id: ['id line', 'id ligne'],
    line: ['name line', 'nom ligne'],
    quarter: ['trimestre', 'trimester'],
    year: ['annee', 'year'],
    result_pct: ['resultatenpourcentage', 'percent result'],
    result_count: [
      'resultatenoccurrence',
      'resultatenoccurence',
      'occurrence result',
      'occurence result',
    ],
    target_pct: ['objectif reference contrat'],
    penalty: ['penalite', 'penality', 'penalty'],
  },
  required: ['operator', 'theme', 'indicator', 'quarter', 'year', 'result_pct'],
  foreign: ['jour', 'nb vald'],
  usual: ['mode', 'line_id', 'line', 'target_pct', 'penalty'],
  unused: [],
};
