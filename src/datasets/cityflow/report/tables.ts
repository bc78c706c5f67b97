import { flatTable } from '../../kit/index.ts';
import type { FlatField, FlatTable } from '../../kit/index.ts';
import type { ArcMetrics } from '../metrics/arc-day.ts';
import type { CounterMetrics } from '../metrics/bikes.ts';

/** The flat tables that the report exports. */

const ARC_FIELDS: readonly FlatField<ArcMetrics>[] = [
  { name: 'date', type: 'text', valueOf: (arc) => arc.date },
  { name: 'identifiant_arc', type: 'text', valueOf: (arc) => arc.identifiant_arc },
  { name: 'libelle', type: 'text', valueOf: (arc) => arc.libelle },
  { name: 'arrondissement', type: 'text', valueOf: (arc) => arc.arrondissement },
  { name: 'zone', type: 'text', valueOf: (arc) => arc.zone },
  { name: 'longueur_metres', type: 'number', valueOf: (arc) => arc.longueur_metres },
  { name: 'debit_horaire_moyen', type: 'number', valueOf: (arc) => arc.debit_horaire_moyen },
  { name: 'debit_journalier_total', type: 'number', valueOf: (arc) => arc.debit_journalier_total },
  { name: 'debit_max', type: 'number', valueOf: (arc) => arc.debit_max },
  { name: 'heure_pic', type: 'instant', valueOf: (arc) => arc.heure_pic },
  { name: 'taux_occupation_moyen', type: 'number', valueOf: (arc) => arc.taux_occupation_moyen },
  { name: 'taux_occupation_max', type: 'number', valueOf: (arc) => arc.taux_occupation_max },
  { name: 'etat_trafic_dominant', type: 'text', valueOf: (arc) => arc.etat_trafic_dominant },
  { name: 'temps_perdu_minutes', type: 'number', valueOf: (arc) => arc.temps_perdu_minutes },
  {
    name: 'temps_perdu_total_minutes',
    type: 'number',
    valueOf: (arc) => arc.temps_perdu_total_minutes,
  },
  { name: 'congestion_alerte', type: 'boolean', valueOf: (arc) => arc.congestion_alerte },
  { name: 'heures_observees', type: 'integer', valueOf: (arc) => arc.heures_observees },
];

const COUNTER_FIELDS: readonly FlatField<CounterMetrics>[] = [
  { name: 'date', type: 'text', valueOf: (counter) => counter.jour },
  { name: 'id_compteur', type: 'text', valueOf: (counter) => counter.id_compteur },
  { name: 'nom_compteur', type: 'text', valueOf: (counter) => counter.nom_compteur },
  { name: 'arrondissement', type: 'text', valueOf: (counter) => counter.arrondissement },
  { name: 'lon', type: 'number', valueOf: (counter) => counter.coordinates?.lon ?? null },
  { name: 'lat', type: 'number', valueOf: (counter) => counter.coordinates?.lat ?? null },
  { name: 'total_jour', type: 'integer', valueOf: (counter) => counter.total_jour },
  { name: 'moyenne_horaire', type: 'number', valueOf: (counter) => counter.moyenne_horaire },
  { name: 'pic_horaire', type: 'integer', valueOf: (counter) => counter.pic_horaire },
  { name: 'maximum_horaire', type: 'integer', valueOf: (counter) => counter.maximum_horaire },
  { name: 'heure_pic', type: 'instant', valueOf: (counter) => counter.heure_pic },
  { name: 'heures_observees', type: 'integer', valueOf: (counter) => counter.heures_observees },
  { name: 'defaillance', type: 'text', valueOf: (counter) => counter.defaillance },
];

/** One row for each arc of `metrics/comptages`. */
export function arcsTable(arcs: readonly ArcMetrics[]): FlatTable {
  return flatTable(ARC_FIELDS, arcs);
}

/** One row for each counter of `metrics/bikes`. */
export function countersTable(counters: readonly CounterMetrics[]): FlatTable {
  return flatTable(COUNTER_FIELDS, counters);
}
