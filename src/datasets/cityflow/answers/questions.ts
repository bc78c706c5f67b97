import { z } from 'zod';
import { ASKED_DAY, ASKED_RANGE, column, question, quoteText } from '../../kit/index.ts';
import type { DaySpan, QuestionDefinition, QuestionScene } from '../../kit/index.ts';
import { ZONE } from '../zones.ts';

/**
 * Questions about the mobility of Paris: the busiest street, the worst hour, works near a place,
 * disruptions of a line, two days compared.
 */

const top = z.coerce.number().int().min(1).max(1_000).default(10).describe('At most so many rows');

/** The last known day where none is named. */
function daysOf(
  { start, end }: { start?: string | undefined; end?: string | undefined },
  { known }: QuestionScene,
): DaySpan {
  const to = end ?? start ?? known.to;
  return { from: start ?? to, to };
}

const busiest = question({
  id: 'get_busiest_streets',
  title: { fr: 'Rues les plus chargées', en: 'Busiest streets' },
  description: {
    fr: 'Les arcs par lesquels passent le plus de véhicules en moyenne par heure comptée.',
    en: 'The arcs with the most vehicles, by the mean of their counted hours.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE, top_n: top }),
  tables: ['cityflow_roads', 'cityflow_streets'],
  span: daysOf,
  sql: ({
    top_n: limit,
  }) => `SELECT arc_id, label, avg(flow_vehicles) AS mean_flow, max(flow_vehicles) AS largest_flow,
      count(flow_vehicles) AS hours
    FROM cityflow_roads LEFT JOIN (SELECT arc_id, max(label) AS label FROM cityflow_streets
      GROUP BY 1) USING (arc_id)
    WHERE flow_vehicles IS NOT NULL GROUP BY 1, 2 ORDER BY mean_flow DESC, arc_id LIMIT ${limit}`,
  columns: () => [
    column('arc_id', 'text', 'Arc', 'Arc'),
    column('label', 'text', 'Nom', 'Name'),
    column('mean_flow', 'number', 'Débit moyen', 'Mean flow', 'vehicles/h'),
    column('largest_flow', 'number', 'Débit le plus grand', 'Largest flow', 'vehicles/h'),
    column('hours', 'number', 'Heures comptées', 'Counted hours'),
  ],
  sentence: ([first]) => {
    if (first === undefined) return { fr: 'Aucun comptage.', en: 'No counts.' };
    const [name, flow] = [
      String(first['label'] ?? first['arc_id']),
      Math.round(Number(first['mean_flow'])),
    ];
    return {
      fr: `${name} : ${flow} véhicules par heure en moyenne.`,
      en: `${name}: ${flow} vehicles an hour on average.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'label', y: ['mean_flow'], unit: 'vehicles/h' }),
});

const worstHours = question({
  id: 'get_worst_hours',
  title: { fr: 'Pires heures', en: 'Worst hours' },
  description: {
    fr: 'Les heures au taux d’occupation moyen le plus élevé.',
    en: 'The hours with the highest mean occupancy.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE, top_n: top }),
  tables: ['cityflow_roads'],
  span: daysOf,
  sql: ({
    top_n: limit,
  }) => `SELECT hour_start_at, avg(occupancy_pct) AS mean_occupancy, count(occupancy_pct) AS arcs
    FROM cityflow_roads WHERE occupancy_pct IS NOT NULL GROUP BY 1 ORDER BY mean_occupancy DESC,
      hour_start_at LIMIT ${limit}`,
  columns: () => [
    { name: 'hour_start_at', type: 'instant', title: { fr: 'Heure (UTC)', en: 'Hour (UTC)' } },
    column('mean_occupancy', 'number', 'Taux d’occupation moyen', 'Mean occupancy', '%'),
    column('arcs', 'number', 'Arcs comptés', 'Counted arcs'),
  ],
  sentence: ([first]) => {
    if (first === undefined) return { fr: 'Aucun comptage.', en: 'No counts.' };
    const [at, share] = [
      String(first['hour_start_at']),
      Number(first['mean_occupancy']).toFixed(1),
    ];
    return {
      fr: `Pire heure : ${at}, ${share} % d’occupation.`,
      en: `Worst hour: ${at}, ${share} % occupancy.`,
    };
  },
  chart: () => ({ kind: 'bar', x: 'hour_start_at', y: ['mean_occupancy'], unit: '%' }),
});

const worksNear = question({
  id: 'get_works_near',
  title: { fr: 'Chantiers près d’un lieu', en: 'Works near a place' },
  description: {
    fr: 'Les chantiers actifs un jour donné, dans un arrondissement ou une rue.',
    en: 'The roadworks that are active on a day, in a district or street.',
  },
  parameters: z.strictObject({
    start: ASKED_RANGE.start,
    district: z.coerce.number().int().min(1).max(20).optional().describe('District, 1–20'),
    street: z.string().min(2).max(80).optional().describe('Part of the name of a street'),
    top_n: top,
  }),
  tables: ['cityflow_works'],
  span: daysOf,
  sql: ({ district, street, top_n: limit }) => {
    const where = [
      'starts_on <= CAST(scope AS VARCHAR) AND ends_on >= CAST(scope AS VARCHAR)',
      ...(district === undefined ? [] : [`district = ${district}`]),
      ...(street === undefined ? [] : [`contains(lower(streets), lower(${quoteText(street)}))`]),
    ];
    return `SELECT work_id, streets, purpose, impact, district, starts_on, ends_on
      FROM cityflow_works
      WHERE ${where.join(' AND ')} ORDER BY ends_on, work_id LIMIT ${limit}`;
  },
  columns: () => [
    column('work_id', 'text', 'Chantier', 'Roadwork'),
    column('streets', 'text', 'Voies', 'Streets'),
    column('purpose', 'text', 'Objet', 'Purpose'),
    column('impact', 'text', 'Impact', 'Impact'),
    column('district', 'number', 'Arrondissement', 'District'),
    column('starts_on', 'text', 'Début', 'Start'),
    column('ends_on', 'text', 'Fin', 'End'),
  ],
  sentence: (rows) => ({
    fr: `${rows.length} chantiers actifs.`,
    en: `${rows.length} active roadworks.`,
  }),
});

const disruptions = question({
  id: 'get_disruptions',
  title: { fr: 'Perturbations d’une ligne', en: 'Disruptions of a line' },
  description: {
    fr: 'Les perturbations d’une ligne de métro, jour par jour.',
    en: 'The disruptions of a metro line, day by day.',
  },
  parameters: z.strictObject({
    ...ASKED_RANGE,
    line: z.coerce.number().int().min(1).max(14).optional().describe('Metro line, 1–14'),
    top_n: top,
  }),
  tables: ['cityflow_disruptions'],
  span: daysOf,
  sql: ({
    line,
    top_n: limit,
  }) => `SELECT scope, id, effect, status, title, lines FROM cityflow_disruptions
    ${line === undefined ? '' : `WHERE list_contains(string_split(lines, ','), '${line}')`} ORDER BY scope, id LIMIT ${limit}`,
  columns: () => [
    { name: 'scope', type: 'date', title: { fr: 'Jour', en: 'Day' } },
    column('id', 'text', 'Perturbation', 'Disruption'),
    column('effect', 'text', 'Effet', 'Effect'),
    column('status', 'text', 'Statut', 'Status'),
    column('title', 'text', 'Titre', 'Title'),
    column('lines', 'text', 'Lignes', 'Lines'),
  ],
  sentence: (rows, { line }) => {
    const [fr, en] = line === undefined ? ['', ''] : [` sur la ligne ${line}`, ` on line ${line}`];
    return { fr: `${rows.length} perturbations${fr}.`, en: `${rows.length} disruptions${en}.` };
  },
});

const comparison = question({
  id: 'compare_days',
  title: { fr: 'Comparer deux jours', en: 'Compare two days' },
  description: {
    fr: 'Vélos et véhicules de deux jours, heure par heure.',
    en: 'Bikes and vehicles of two days, hour by hour.',
  },
  parameters: z.strictObject({
    start: ASKED_DAY.describe('One day, YYYY-MM-DD'),
    end: ASKED_DAY.describe('The other day, YYYY-MM-DD'),
  }),
  tables: ['cityflow_bikes', 'cityflow_roads'],
  span: daysOf,
  sql: (asked, scene) => {
    const { from, to } = daysOf(asked, scene);
    const local = `CAST(timezone('${ZONE}', hour_start_at) AS DATE)`;
    const only = `WHERE ${local} IN (DATE ${quoteText(from)}, DATE ${quoteText(to)})`;
    return `SELECT * FROM (SELECT CAST(${local} AS VARCHAR) AS day, hour, sum(bikes) AS bikes
      FROM cityflow_bikes ${only} GROUP BY 1, 2)
      FULL JOIN (SELECT CAST(${local} AS VARCHAR) AS day, hour, avg(flow_vehicles) AS mean_flow
        FROM cityflow_roads ${only} GROUP BY 1, 2)
      USING (day, hour) ORDER BY day, hour`;
  },
  columns: () => [
    column('day', 'text', 'Jour', 'Day'),
    column('hour', 'number', 'Heure du jour', 'Hour of the day'),
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes/h'),
    column('mean_flow', 'number', 'Débit moyen', 'Mean flow', 'vehicles/h'),
  ],
  sentence: (rows) => {
    const totals = new Map<string, number>();
    for (const row of rows) {
      const date = String(row['day']);
      totals.set(date, (totals.get(date) ?? 0) + Number(row['bikes'] ?? 0));
    }
    const told = [...totals].map(([date, bikes]) => ({
      fr: `${date} : ${bikes} vélos`,
      en: `${date}: ${bikes} bikes`,
    }));
    return {
      fr: `${told.map(({ fr }) => fr).join(' ; ')}.`,
      en: `${told.map(({ en }) => en).join('; ')}.`,
    };
  },
  chart: () => ({ kind: 'line', x: 'hour', y: ['bikes'], series: 'day', unit: 'bikes/h' }),
});

/** Questions that one day, or a few days, of the core tables answer. */
export const CITY_QUESTIONS: readonly QuestionDefinition[] = [
  busiest,
  worstHours,
  worksNear,
  disruptions,
  comparison,
];
