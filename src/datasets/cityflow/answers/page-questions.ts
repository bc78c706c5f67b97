import { z } from 'zod';
import {
  ASKED_RANGE,
  addDays,
  column,
  definedMembers,
  question,
  quoteText,
} from '../../kit/index.ts';
import type {
  ChartDefinition,
  DaySpan,
  QuestionDefinition,
  QuestionScene,
  TableColumn,
  Words,
} from '../../kit/index.ts';
import { ZONE } from '../zones.ts';

/**
 * Questions behind the charts of the city's pages: figures, shares, lists and profiles of the days
 * asked for, the last known one by default.
 */

interface Shown {
  readonly id: string;
  readonly title: Words;
  readonly tables: readonly string[];
  readonly sql: string;
  readonly columns: readonly TableColumn[];
  readonly chart?: ChartDefinition;
  /** Days up to the last one where none are named; default 1. */
  readonly days?: number;
}

/** A question without parameters but its days. */
function shown({ id, title, tables, sql, columns, chart, days = 1 }: Shown): QuestionDefinition {
  return question({
    id,
    title,
    description: {
      fr: `${title.fr}, sur les jours demandés${days === 1 ? ', le dernier par défaut' : ''}.`,
      en: `${title.en}, over the days asked for${days === 1 ? ', the last one by default' : ''}.`,
    },
    parameters: z.strictObject(ASKED_RANGE),
    tables,
    span: (asked, scene) => spanOf(asked, scene, days),
    sql: () => sql,
    columns: () => columns,
    sentence: (rows) => ({ fr: `${rows.length} lignes.`, en: `${rows.length} rows.` }),
    ...definedMembers({ chart: chart === undefined ? undefined : () => chart }),
  });
}

function spanOf(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  { known }: QuestionScene,
  days: number,
): DaySpan {
  const to = end ?? (start !== undefined && start > known.to ? start : known.to);
  return { from: start ?? addDays(to, 1 - days), to };
}

const FIGURE: readonly TableColumn[] = [
  column('figure', 'text', 'Chiffre', 'Figure'),
  column('value', 'number', 'Valeur', 'Value'),
  column('unit', 'text', 'Unité', 'Unit'),
];

type Figure = readonly [name: string, value: string, unit: string, fr: string, en: string];

/** One row of SQL over a table, as a card for each figure. */
function figures(
  id: string,
  title: Words,
  table: string,
  list: readonly Figure[],
): QuestionDefinition {
  const rows = list.map(
    ([name, value, unit], index) => `SELECT ${index} AS place, ${quoteText(name)} AS figure,
    CAST((SELECT ${value.includes(' FROM ') ? value : `${value} FROM ${table}`}) AS DOUBLE) AS value, ${quoteText(unit)} AS unit`,
  );
  const labels = Object.fromEntries(list.map(([name, , , fr, en]) => [name, { fr, en }]));
  const chart: ChartDefinition = {
    kind: 'figures',
    x: 'figure',
    y: ['value'],
    series: 'unit',
    labels,
  };
  const sql = `SELECT figure, value, unit FROM (${rows.join(' UNION ALL ')}) ORDER BY place`;
  return shown({ id, title, tables: [table], sql, columns: FIGURE, chart });
}

const ROAD_FIGURES = figures(
  'get_chiffres_routes',
  { fr: 'Routes', en: 'Roads' },
  'cityflow_roads_days',
  [
    ['vehicles', 'sum(total_vehicules_jour)', 'vehicles', 'Véhicules', 'Vehicles'],
    ['occupancy', 'avg(taux_occupation_moyen)', '%', 'Taux d’occupation moyen', 'Mean occupancy'],
    ['saturated', 'max(nombre_troncons_satures)', 'arcs', 'Tronçons saturés', 'Saturated segments'],
    ['lost', 'sum(temps_perdu_total_heures)', 'h', 'Temps perdu', 'Lost time'],
  ],
);

const BIKE_FIGURES = figures(
  'get_chiffres_velos',
  { fr: 'Vélos', en: 'Bikes' },
  'cityflow_counters',
  [
    ['bikes', 'sum(total_jour)', 'bikes', 'Vélos', 'Bikes'],
    ['counters', 'count(DISTINCT id_compteur)', 'counters', 'Compteurs actifs', 'Active counters'],
    ['mean', 'avg(total_jour)', 'bikes', 'Moyenne par compteur', 'Mean of a counter'],
    ['largest', 'max(total_jour)', 'bikes', 'Compteur le plus fréquenté', 'Busiest counter'],
  ],
);

const TRANSPORT_FIGURES = figures(
  'get_chiffres_transports',
  { fr: 'Transports en commun', en: 'Public transport' },
  'cityflow_transport_days',
  [
    ['disruptions', 'sum(total_disruptions_count)', 'disruptions', 'Perturbations', 'Disruptions'],
    ['active', 'max_by(active_disruptions_count, scope)', 'disruptions', 'Actives', 'Active'],
    [
      'reliability',
      'avg(reliability_index)',
      '%',
      'Fiabilité du métro',
      'Reliability of the metro',
    ],
  ],
);

const WORK_FIGURES = figures(
  'get_chiffres_chantiers',
  { fr: 'Chantiers', en: 'Roadworks' },
  'cityflow_active_works',
  [
    ['active', 'count(DISTINCT identifiant)', 'works', 'Chantiers actifs', 'Active roadworks'],
    // The largest day of a range, because a work is there on many of them.
    [
      'area',
      'max(day) FROM (SELECT sum(surface_m2) AS day FROM cityflow_active_works GROUP BY scope)',
      'm²',
      'Surface',
      'Area',
    ],
  ],
);

const CITY_FIGURES = figures(
  'get_chiffres_ville',
  { fr: 'La ville', en: 'The city' },
  'cityflow_days',
  [
    ['bikes', 'sum(bikes)', 'bikes', 'Vélos', 'Bikes'],
    ['vehicles', 'sum(vehicles)', 'vehicles', 'Véhicules', 'Vehicles'],
    ['works', 'max(works_active)', 'works', 'Chantiers actifs', 'Active roadworks'],
    ['disruptions', 'sum(disruptions)', 'disruptions', 'Perturbations', 'Disruptions'],
    [
      'reliability',
      'avg(metro_reliability)',
      '1',
      'Fiabilité du métro',
      'Reliability of the metro',
    ],
  ],
);

const NUMBER = column('n', 'integer', 'Nombre', 'Number');

const SEVERITIES = shown({
  id: 'get_gravites',
  title: { fr: 'Perturbations par gravité', en: 'Disruptions by severity' },
  tables: ['cityflow_disruption_days'],
  sql: `SELECT severite, count(DISTINCT id) AS n FROM cityflow_disruption_days GROUP BY 1
    ORDER BY n DESC, severite`,
  columns: [column('severite', 'text', 'Gravité', 'Severity'), NUMBER],
  chart: { kind: 'bar', x: 'severite', y: ['n'] },
});

const STATES = shown({
  id: 'get_etats_trafic',
  title: { fr: 'États du trafic', en: 'States of traffic' },
  tables: ['cityflow_segments'],
  sql: `SELECT etat_trafic_dominant AS state, count(*) AS n FROM cityflow_segments GROUP BY 1
    ORDER BY n DESC, state`,
  columns: [column('state', 'text', 'État', 'State'), NUMBER],
  chart: { kind: 'ring', x: 'state', y: ['n'] },
});

const BIKES_BY_DISTRICT = shown({
  id: 'get_velos_arrondissements',
  title: { fr: 'Passages par arrondissement', en: 'Bikes by district' },
  tables: ['cityflow_counters'],
  sql: `SELECT arrondissement, sum(total_jour) AS bikes, count(DISTINCT id_compteur) AS counters
    FROM cityflow_counters
    WHERE arrondissement IS NOT NULL GROUP BY 1 ORDER BY 1`,
  columns: [
    column('arrondissement', 'text', 'Arrondissement', 'District'),
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes'),
    column('counters', 'integer', 'Compteurs', 'Counters'),
  ],
  chart: { kind: 'bar', x: 'arrondissement', y: ['bikes'], unit: 'bikes' },
});

const TOP_COUNTERS = shown({
  id: 'get_compteurs_frequentes',
  title: { fr: 'Compteurs les plus fréquentés', en: 'Busiest counters' },
  tables: ['cityflow_counters'],
  sql: `SELECT max(nom_compteur) AS name, id_compteur, sum(total_jour) AS bikes
    FROM cityflow_counters
    GROUP BY id_compteur ORDER BY bikes DESC NULLS LAST, id_compteur LIMIT 20`,
  columns: [
    column('name', 'text', 'Nom', 'Name'),
    column('id_compteur', 'text', 'Compteur', 'Counter'),
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes'),
  ],
  chart: { kind: 'list', x: 'name', y: ['bikes'], unit: 'bikes' },
});

const COUNTER_MAP = shown({
  id: 'get_carte_compteurs',
  title: { fr: 'Carte des compteurs', en: 'Map of counters' },
  tables: ['cityflow_counters'],
  sql: `SELECT max(nom_compteur) AS name, max(lon) AS lon, max(lat) AS lat, sum(total_jour) AS bikes
    FROM cityflow_counters
    WHERE lon IS NOT NULL GROUP BY id_compteur ORDER BY bikes DESC NULLS LAST, name`,
  columns: [
    column('name', 'text', 'Nom', 'Name'),
    column('lon', 'number', 'Longitude', 'Longitude', '°'),
    column('lat', 'number', 'Latitude', 'Latitude', '°'),
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes'),
  ],
  chart: { kind: 'map', x: 'lon', y: ['lat', 'bikes'], unit: 'bikes' },
});

const LINES = shown({
  id: 'get_lignes_perturbees',
  title: { fr: 'Lignes les plus perturbées', en: 'Most disrupted lines' },
  tables: ['cityflow_disrupted_lines'],
  sql: `SELECT ligne, sum("count") AS n, sum(minutes) AS minutes FROM cityflow_disrupted_lines
    GROUP BY 1 ORDER BY n DESC, minutes DESC, ligne`,
  columns: [
    column('ligne', 'text', 'Ligne', 'Line'),
    NUMBER,
    column('minutes', 'number', 'Minutes', 'Minutes', 'min'),
  ],
  chart: { kind: 'bar', x: 'ligne', y: ['n'] },
});

const CRITICAL = shown({
  id: 'get_alertes_transports',
  title: { fr: 'Alertes critiques des transports', en: 'Critical alerts of public transport' },
  tables: ['cityflow_disruption_days'],
  sql: `SELECT scope, titre, severite, minutes FROM cityflow_disruption_days
    WHERE severite IN ('CRITIQUE', 'ELEVEE')
    ORDER BY severite, minutes DESC, id LIMIT 100`,
  columns: [
    column('scope', 'date', 'Jour', 'Day'),
    column('titre', 'text', 'Titre', 'Title'),
    column('severite', 'text', 'Gravité', 'Severity'),
    column('minutes', 'number', 'Durée', 'Minutes', 'min'),
  ],
});

const ALERTS = shown({
  id: 'get_alertes_congestion',
  title: { fr: 'Alertes de congestion', en: 'Congestion alerts' },
  tables: ['cityflow_congestion_alerts'],
  sql: `SELECT scope, libelle, severite, taux_occupation_moyen,
    temps_perdu_total_minutes AS lost_minutes FROM cityflow_congestion_alerts
    ORDER BY lost_minutes DESC NULLS LAST, identifiant_arc LIMIT 100`,
  columns: [
    column('scope', 'date', 'Jour', 'Day'),
    column('libelle', 'text', 'Nom', 'Name'),
    column('severite', 'text', 'Gravité', 'Severity'),
    column('taux_occupation_moyen', 'number', 'Taux d’occupation moyen', 'Mean occupancy', '%'),
    column('lost_minutes', 'number', 'Temps perdu', 'Lost time', 'min'),
  ],
});

const ZONES = shown({
  id: 'get_zones_congestionnees',
  title: { fr: 'Zones congestionnées', en: 'Congested zones' },
  tables: ['cityflow_zones'],
  sql: `SELECT nom, sum(temps_perdu_minutes) AS lost_minutes, sum(vehicules) AS vehicles,
    max(troncons_satures) AS saturated
    FROM cityflow_zones GROUP BY nom ORDER BY lost_minutes DESC NULLS LAST, nom`,
  columns: [
    column('nom', 'text', 'Zone', 'Zone'),
    column('lost_minutes', 'number', 'Temps perdu', 'Lost time', 'min'),
    column('vehicles', 'number', 'Véhicules', 'Vehicles', 'vehicles'),
    column('saturated', 'integer', 'Tronçons saturés', 'Saturated segments'),
  ],
  chart: { kind: 'list', x: 'nom', y: ['lost_minutes'], unit: 'min' },
});

const CONGESTED = shown({
  id: 'get_troncons_congestionnes',
  title: { fr: 'Tronçons les plus congestionnés', en: 'Most congested segments' },
  tables: ['cityflow_segments'],
  sql: `SELECT coalesce(max(libelle), identifiant_arc) AS name,
    sum(temps_perdu_total_minutes) AS lost_minutes, avg(taux_occupation_moyen) AS occupancy
    FROM cityflow_segments WHERE temps_perdu_total_minutes IS NOT NULL GROUP BY identifiant_arc
      ORDER BY lost_minutes DESC, identifiant_arc LIMIT 10`,
  columns: [
    column('name', 'text', 'Nom', 'Name'),
    column('lost_minutes', 'number', 'Temps perdu', 'Lost time', 'min'),
    column('occupancy', 'number', 'Taux d’occupation moyen', 'Mean occupancy', '%'),
  ],
  chart: { kind: 'list', x: 'name', y: ['lost_minutes'], unit: 'min' },
});

const WORK_IMPACT = shown({
  id: 'get_impact_chantiers',
  title: { fr: 'Impact des chantiers par arrondissement', en: 'Impact of roadworks by district' },
  tables: ['cityflow_active_works'],
  sql: `SELECT arrondissement, sum(points) AS points, count(DISTINCT identifiant) AS works
    FROM cityflow_active_works
    WHERE arrondissement IS NOT NULL GROUP BY 1 ORDER BY 1`,
  columns: [
    column('arrondissement', 'text', 'Arrondissement', 'District'),
    column('points', 'number', 'Points d’impact', 'Points of impact'),
    column('works', 'integer', 'Chantiers', 'Roadworks'),
  ],
  chart: { kind: 'bar', x: 'arrondissement', y: ['points'] },
});

const WORK_ZONES = shown({
  id: 'get_zones_chantiers',
  title: { fr: 'Zones critiques des chantiers', en: 'Districts with the most roadworks' },
  tables: ['cityflow_active_works'],
  sql: `SELECT arrondissement, count(DISTINCT identifiant) AS works FROM cityflow_active_works
    WHERE arrondissement IS NOT NULL
    GROUP BY 1 ORDER BY works DESC, 1 LIMIT 10`,
  columns: [
    column('arrondissement', 'text', 'Arrondissement', 'District'),
    column('works', 'integer', 'Chantiers', 'Roadworks'),
  ],
  chart: { kind: 'list', x: 'arrondissement', y: ['works'] },
});

const LOCAL = `timezone('${ZONE}', hour_start_at)`;

const PROFILE = shown({
  id: 'get_profil_velos',
  title: { fr: 'Profil horaire des vélos', en: 'Bikes by hour of the day' },
  tables: ['cityflow_bikes'],
  sql: `SELECT CAST(hour(local_at) AS INTEGER) AS hour,
    sum(bikes) / count(DISTINCT CAST(local_at AS DATE)) AS bikes
    FROM (SELECT ${LOCAL} AS local_at, bikes FROM cityflow_bikes WHERE bikes IS NOT NULL) GROUP BY 1
      ORDER BY 1`,
  columns: [
    column('hour', 'integer', 'Heure', 'Hour'),
    column('bikes', 'number', 'Vélos par jour', 'Bikes of a day', 'bikes/h'),
  ],
  chart: { kind: 'bar', x: 'hour', y: ['bikes'], unit: 'bikes/h' },
});

const WEEK_DAYS = 28;

const WEEK = shown({
  id: 'get_semaine_velos',
  title: { fr: 'Vélos par jour de la semaine et heure', en: 'Bikes by weekday and hour' },
  tables: ['cityflow_bikes'],
  days: WEEK_DAYS,
  sql: `SELECT CAST(isodow(local_at) AS VARCHAR) AS weekday,
    CAST(hour(local_at) AS INTEGER) AS hour,
      sum(bikes) / count(DISTINCT CAST(local_at AS DATE)) AS bikes
    FROM (SELECT ${LOCAL} AS local_at, bikes FROM cityflow_bikes WHERE bikes IS NOT NULL)
      GROUP BY 1, 2 ORDER BY 1, 2`,
  columns: [
    column('weekday', 'text', 'Jour (1 lundi)', 'Weekday (1 is Monday)'),
    column('hour', 'integer', 'Heure', 'Hour'),
    column('bikes', 'number', 'Vélos par jour', 'Bikes of a day', 'bikes/h'),
  ],
  chart: {
    kind: 'heat',
    x: 'hour',
    y: ['bikes'],
    series: 'weekday',
    labels: {
      1: { fr: 'lundi', en: 'Monday' },
      2: { fr: 'mardi', en: 'Tuesday' },
      3: { fr: 'mercredi', en: 'Wednesday' },
      4: { fr: 'jeudi', en: 'Thursday' },
      5: { fr: 'vendredi', en: 'Friday' },
      6: { fr: 'samedi', en: 'Saturday' },
      7: { fr: 'dimanche', en: 'Sunday' },
    },
    unit: 'bikes/h',
  },
});

const DAY_HEAT = shown({
  id: 'get_jours_velos',
  title: { fr: 'Vélos par jour et heure', en: 'Bikes by day and hour' },
  tables: ['cityflow_bikes'],
  days: 14,
  sql: `SELECT CAST(CAST(local_at AS DATE) AS VARCHAR) AS day,
    CAST(hour(local_at) AS INTEGER) AS hour, sum(bikes) AS bikes
    FROM (SELECT ${LOCAL} AS local_at, bikes FROM cityflow_bikes WHERE bikes IS NOT NULL)
      GROUP BY 1, 2 ORDER BY 1, 2`,
  columns: [
    column('day', 'text', 'Jour', 'Day'),
    column('hour', 'integer', 'Heure', 'Hour'),
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes/h'),
  ],
  chart: { kind: 'heat', x: 'hour', y: ['bikes'], series: 'day', unit: 'bikes/h' },
});

const HISTOGRAM = shown({
  id: 'get_histogramme_occupation',
  title: { fr: 'Tronçons par taux d’occupation', en: 'Segments by occupancy' },
  tables: ['cityflow_segments'],
  sql: `SELECT CAST(floor(taux_occupation_moyen / 5) * 5 AS INTEGER) AS from_pct, count(*) AS n
    FROM cityflow_segments
    WHERE taux_occupation_moyen IS NOT NULL GROUP BY 1 ORDER BY 1`,
  columns: [column('from_pct', 'integer', 'À partir de', 'From', '%'), NUMBER],
  chart: { kind: 'bar', x: 'from_pct', y: ['n'] },
});

/** Of the pages, from the figures at their heads to the lists at their ends. */
export const PAGE_QUESTIONS: readonly QuestionDefinition[] = [
  ...[CITY_FIGURES, ROAD_FIGURES, BIKE_FIGURES, TRANSPORT_FIGURES, WORK_FIGURES],
  ...[
    SEVERITIES,
    STATES,
    BIKES_BY_DISTRICT,
    TOP_COUNTERS,
    COUNTER_MAP,
    LINES,
    CRITICAL,
    ALERTS,
    ZONES,
    CONGESTED,
  ],
  ...[WORK_IMPACT, WORK_ZONES, PROFILE, WEEK, DAY_HEAT, HISTOGRAM],
];
