import { definedMembers } from '../../kit/index.ts';
import type { ChartKind, DashboardDefinition } from '../../kit/index.ts';

/** The pages of the city: each chart is a question with its usual parameters. */

type Shown = readonly [
  fr: string,
  en: string,
  question: string,
  parameters?: Readonly<Record<string, string>>,
  kind?: ChartKind,
];

function pageOf(id: string, fr: string, en: string, charts: readonly Shown[]): DashboardDefinition {
  return {
    id,
    title: { fr, en },
    charts: charts.map(([french, english, question, parameters = {}, kind]) => ({
      title: { fr: french, en: english },
      question,
      parameters,
      ...definedMembers({ kind }),
    })),
  };
}

const CITY = pageOf('cityflow-overview', 'Vue d’ensemble', 'Overview', [
  ['Chiffres du jour', 'Figures of the day', 'get_chiffres_ville'],
  ['Perturbations par gravité', 'Disruptions by severity', 'get_gravites'],
  ['États du trafic', 'States of traffic', 'get_etats_trafic'],
  ['Routes', 'Roads', 'get_chiffres_routes'],
  ['Compteurs par arrondissement', 'Counters by district', 'get_velos_arrondissements'],
  ['Rues les plus chargées', 'Busiest streets', 'get_busiest_streets', { top_n: '5' }, 'list'],
  ['Compteurs les plus fréquentés', 'Busiest counters', 'get_compteurs_frequentes'],
  ['Lignes les plus perturbées', 'Most disrupted lines', 'get_lignes_perturbees', {}, 'list'],
  ['Alertes de congestion', 'Congestion alerts', 'get_alertes_congestion'],
]);

const BIKES = pageOf('cityflow-bikes', 'Vélos', 'Bikes', [
  ['Chiffres du jour', 'Figures of the day', 'get_chiffres_velos'],
  ['Compteurs les plus fréquentés', 'Busiest counters', 'get_compteurs_frequentes'],
  ['Passages par arrondissement', 'Bikes by district', 'get_velos_arrondissements'],
  ['Profil horaire', 'By hour of the day', 'get_profil_velos'],
  ['Par jour de la semaine et heure', 'By weekday and hour', 'get_semaine_velos'],
  ['Par jour et heure', 'By day and hour', 'get_jours_velos'],
  ['Débit journalier', 'Daily flow', 'get_bike_daily_flow'],
  ['Carte des compteurs', 'Map of counters', 'get_carte_compteurs'],
]);

const TRANSPORT = pageOf('cityflow-transport', 'Transports en commun', 'Public transport', [
  ['Chiffres du jour', 'Figures of the day', 'get_chiffres_transports'],
  ['Gravités', 'Severities', 'get_gravites', {}, 'ring'],
  ['Lignes les plus perturbées', 'Most disrupted lines', 'get_lignes_perturbees'],
  ['Alertes critiques', 'Critical alerts', 'get_alertes_transports'],
]);

const ROADS = pageOf('cityflow-roads', 'Trafic routier', 'Roads', [
  ['Chiffres du jour', 'Figures of the day', 'get_chiffres_routes'],
  ['Tronçons les plus congestionnés', 'Most congested segments', 'get_troncons_congestionnes'],
  ['Zones congestionnées', 'Congested zones', 'get_zones_congestionnees'],
  ['Zones, en barres', 'Zones as bars', 'get_zones_congestionnees', {}, 'bar'],
  ['Rues les plus chargées', 'Busiest streets', 'get_busiest_streets', { top_n: '20' }, 'list'],
  ['Pires heures', 'Worst hours', 'get_worst_hours'],
  ['Tronçons par taux d’occupation', 'Segments by occupancy', 'get_histogramme_occupation'],
  ['Alertes de congestion', 'Congestion alerts', 'get_alertes_congestion'],
]);

const WORKS = pageOf('cityflow-works', 'Chantiers', 'Roadworks', [
  ['Chiffres du jour', 'Figures of the day', 'get_chiffres_chantiers'],
  ['Impact par arrondissement', 'Impact by district', 'get_impact_chantiers'],
  ['Zones critiques', 'Critical districts', 'get_zones_chantiers'],
  ['Chantiers actifs', 'Active roadworks', 'get_works_near', { top_n: '100' }],
]);

const LINKS = pageOf('cityflow-links', 'Corrélations', 'Correlations', [
  ['Ce qui va ensemble', 'What goes along with what', 'get_links'],
  ['Capteurs silencieux', 'Silent sensors', 'get_silent_sensors'],
]);

/** In the order of the earlier system. */
export const CITY_DASHBOARDS: readonly DashboardDefinition[] = [
  CITY,
  BIKES,
  TRANSPORT,
  ROADS,
  WORKS,
  LINKS,
];
