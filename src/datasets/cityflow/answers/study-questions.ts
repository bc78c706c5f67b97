import { z } from 'zod';
import { ASKED_RANGE, addDays, column, question, quoteText } from '../../kit/index.ts';
import type { DaySpan, QuestionDefinition, QuestionScene } from '../../kit/index.ts';
import { linksSql } from '../studies/links-sql.ts';
import { STUDY_LIMITS } from '../studies/limits.ts';
import { ZONE } from '../zones.ts';

/**
 * Questions over many days: when to work in a street, what goes along with what, which sensors are
 * silent, what bikes did each day.
 */

interface Asked {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** So many days up to the last known one, where none are named. */
function lastDays(days: number): (asked: Asked, scene: QuestionScene) => DaySpan {
  return ({ start, end }, { known }) => {
    const to = end ?? known.to;
    const from = start ?? addDays(to, 1 - days);
    return { from: from > to ? to : from, to };
  };
}

const PLAN_DAYS = 28;

const workHours = question({
  id: 'suggest_work_hours',
  title: { fr: 'Quand faire des travaux', en: 'When to work in a street' },
  description: {
    fr:
      'Règle : sur les jours demandés (28 par défaut), débit moyen de chaque heure d’horloge d’une rue, tous arcs du même nom, jours ouvrés ' +
      '(lundi–vendredi) et week-ends à part ; la plage proposée est celle des heures consécutives, minuit comprise, dont la somme est la plus ' +
      'faible. Une plage dont une heure n’est pas comptée n’est pas proposée.',
    en:
      'Rule: over the days asked for (28 by default), the mean flow of each clock hour of a street, all arcs of its name, working days ' +
      '(Monday–Friday) and weekends apart; suggested are the consecutive hours, across midnight too, whose sum is the least. Hours ' +
      'that are not counted are never suggested.',
  },
  parameters: z.strictObject({
    ...ASKED_RANGE,
    street: z.string().min(2).max(80).optional().describe('Part of the name of a street'),
    hours: z.coerce
      .number()
      .int()
      .min(1)
      .max(12)
      .default(4)
      .describe('How many hours the works need'),
    top_n: z.coerce.number().int().min(1).max(1_000).default(20).describe('At most so many rows'),
  }),
  tables: ['cityflow_roads', 'cityflow_streets'],
  span: lastDays(PLAN_DAYS),
  sql: ({ street, hours, top_n: limit }) => {
    const named =
      street === undefined ? '' : `AND contains(lower(label), lower(${quoteText(street)}))`;
    const local = `timezone('${ZONE}', hour_start_at)`;
    return `WITH flows AS (
        SELECT label AS street, CASE WHEN isodow(${local}) < 6 THEN 'semaine'
          ELSE 'week-end' END AS days,
          CAST(hour(${local}) AS INTEGER) AS clock, avg(flow_vehicles) AS flow,
          count(DISTINCT CAST(${local} AS DATE)) AS seen
        FROM cityflow_roads JOIN (SELECT arc_id, max(label) AS label FROM cityflow_streets
          GROUP BY 1) USING (arc_id)
        WHERE flow_vehicles IS NOT NULL AND label IS NOT NULL ${named} GROUP BY ALL),
      windows AS (
        SELECT a.street, a.days, a.clock AS from_hour, count(*) AS hours, avg(b.flow) AS flow,
          min(b.seen) AS seen
        FROM flows a JOIN flows b ON a.street = b.street AND a.days = b.days
          AND (b.clock - a.clock + 24) % 24 < ${hours}
        GROUP BY ALL HAVING count(*) = ${hours}),
      whole AS (SELECT street, days, avg(flow) AS mean_flow FROM flows GROUP BY ALL)
      SELECT street, days, from_hour, (from_hour + ${hours}) % 24 AS to_hour, flow AS window_flow,
        mean_flow,
        CASE WHEN mean_flow > 0 THEN flow / mean_flow * 100 END AS share_pct, seen AS days_seen
      FROM windows JOIN whole USING (street, days)
      QUALIFY row_number() OVER (PARTITION BY street, days ORDER BY flow, from_hour) = 1
      ORDER BY street, days LIMIT ${limit}`;
  },
  columns: () => [
    column('street', 'text', 'Rue', 'Street'),
    column('days', 'text', 'Jours', 'Days: semaine (Monday–Friday) or week-end'),
    column('from_hour', 'number', 'De', 'From, hour of the clock'),
    column('to_hour', 'number', 'À', 'To, hour of the clock'),
    column(
      'window_flow',
      'number',
      'Débit moyen de la plage',
      'Mean flow of the hours',
      'vehicles/h',
    ),
    column('mean_flow', 'number', 'Débit moyen du jour', 'Mean flow of the day', 'vehicles/h'),
    column('share_pct', 'number', 'Part du débit moyen', 'Share of the mean flow', '%'),
    column('days_seen', 'number', 'Jours comptés', 'Days with counts, at the least of the hours'),
  ],
  sentence: ([first], { hours }) => {
    if (first === undefined) return { fr: 'Aucun comptage.', en: 'No counts.' };
    const [street, from, to] = ['street', 'from_hour', 'to_hour'].map((name) =>
      String(first[name]),
    );
    const share = Math.round(Number(first['share_pct']));
    return {
      fr: `${street}, ${String(first['days'])} : les ${hours} heures les plus calmes vont de ${from} h à ${to} h (${share} % du débit moyen).`,
      en: `${street}, ${String(first['days'])}: the quietest ${hours} hours are ${from}:00–${to}:00 (${share} % of the mean flow).`,
    };
  },
});

const LINK_SPAN_DAYS = 365;

const links = question({
  id: 'get_links',
  title: { fr: 'Ce qui va ensemble', en: 'What goes along with what' },
  description: {
    fr:
      'Corrélation de Pearson entre météo, transports, chantiers, qualité de service et trafic, vélos, validations, avec n, décalage (la ' +
      'première grandeur précède) et intervalle de confiance à 95 % (z de Fisher) ; « pas assez de jours » en dessous de 20.',
    en:
      'Pearson’s correlation between weather, public transport, works, quality of service and traffic, bikes, validations, with n, lag ' +
      '(the first one comes before) and the interval of 95 % (Fisher’s z); "pas assez de jours" (not enough days) below 20.',
  },
  parameters: z.strictObject({ ...ASKED_RANGE }),
  tables: ['cityflow_days'],
  span: lastDays(LINK_SPAN_DAYS),
  sql: () => linksSql(STUDY_LIMITS),
  columns: () => [
    column('name', 'text', 'Grandeurs', 'Quantities'),
    column('lag_days', 'number', 'Décalage', 'Lag', 'days'),
    column('n', 'number', 'Jours', 'Days with both'),
    column(
      'n_independent',
      'number',
      'Valeurs indépendantes',
      'Independent values: days, or quarters of what is published by the quarter',
    ),
    column('r', 'number', 'r de Pearson', 'Pearson’s r'),
    column('low', 'number', 'IC 95 % bas', 'Interval of 95 %, low'),
    column('high', 'number', 'IC 95 % haut', 'Interval of 95 %, high'),
    column('note', 'text', 'Note', 'Why there is no r'),
  ],
  sentence: (rows) => {
    const known = rows.filter(({ r }) => r !== null).length;
    return {
      fr: `${known} corrélations calculables sur ${rows.length} ; corréler n’est pas expliquer.`,
      en: `${known} of ${rows.length} correlations can be told; going together is no cause.`,
    };
  },
});

const silentSensors = question({
  id: 'get_silent_sensors',
  title: { fr: 'Capteurs silencieux', en: 'Silent sensors' },
  description: {
    fr: 'Les capteurs routiers et compteurs de vélos sans valeur depuis plus de six heures, le dernier jour demandé.',
    en: 'The road sensors and bike counters without any value for more than six hours, on the last day asked for.',
  },
  parameters: z.strictObject({
    end: ASKED_RANGE.end,
    kind: z.enum(['route', 'vélo']).optional().describe('route: road sensors; vélo: bike counters'),
    top_n: z.coerce.number().int().min(1).max(1_000).default(50).describe('At most so many rows'),
  }),
  tables: ['cityflow_sensors'],
  span: ({ end }, { known }) => ({ from: end ?? known.to, to: end ?? known.to }),
  sql: ({
    kind,
    top_n: limit,
  }) => `SELECT kind, sensor_id, sensor_name, silent_hours, silent_at_least, missing_pct,
    window_missing_pct
    FROM cityflow_sensors
      WHERE health <> 'ok' ${kind === undefined ? '' : `AND kind = ${quoteText(kind)}`}
    ORDER BY silent_hours DESC, kind, sensor_id LIMIT ${limit}`,
  columns: () => [
    column('kind', 'text', 'Genre', 'Kind'),
    column('sensor_id', 'text', 'Capteur', 'Sensor'),
    column('sensor_name', 'text', 'Nom', 'Name'),
    column('silent_hours', 'number', 'Durée du silence', 'Silent for', 'h'),
    { name: 'silent_at_least', type: 'boolean', title: { fr: 'Au moins', en: 'At least' } },
    column('missing_pct', 'number', 'Part manquante du jour', 'Missing of the day', '%'),
    column('window_missing_pct', 'number', 'Part manquante, 31 jours', 'Missing of 31 days', '%'),
  ],
  sentence: (rows) => ({
    fr: `${rows.length} capteurs silencieux.`,
    en: `${rows.length} silent sensors.`,
  }),
});

const FLOW_DAYS = 60;

const bikeFlow = question({
  id: 'get_bike_daily_flow',
  title: { fr: 'Débit journalier des vélos', en: 'Daily flow of bikes' },
  description: {
    fr: 'Vélos par jour, soixante jours par défaut : tous compteurs, ou un seul.',
    en: 'Bikes by day, sixty days by default: all counters, or one.',
  },
  parameters: z.strictObject({
    ...ASKED_RANGE,
    counter: z.string().min(1).max(80).optional().describe('Id of a counter'),
  }),
  tables: ['cityflow_bikes'],
  span: lastDays(FLOW_DAYS),
  sql: ({ counter }) => `SELECT strftime(timezone('${ZONE}', hour_start_at), '%Y-%m-%d') AS day,
    CAST(sum(bikes) AS BIGINT) AS bikes,
      count(DISTINCT counter_id) AS counters, count(bikes) AS hours
    FROM cityflow_bikes
      WHERE bikes IS NOT NULL ${counter === undefined ? '' : `AND counter_id = ${quoteText(counter)}`}
    GROUP BY 1 ORDER BY 1`,
  columns: () => [
    { name: 'day', type: 'date', title: { fr: 'Jour', en: 'Day' } },
    column('bikes', 'number', 'Vélos', 'Bikes', 'bikes'),
    column('counters', 'number', 'Compteurs', 'Counters'),
    column('hours', 'number', 'Heures comptées', 'Counted hours'),
  ],
  sentence: (rows) => {
    const total = rows.reduce((sum, row) => sum + Number(row['bikes'] ?? 0), 0);
    return {
      fr: `${total} vélos en ${rows.length} jours.`,
      en: `${total} bikes in ${rows.length} days.`,
    };
  },
  chart: () => ({ kind: 'line', x: 'day', y: ['bikes'], unit: 'bikes' }),
});

/** Questions that only the studies over many days can answer. */
export const STUDY_QUESTIONS: readonly QuestionDefinition[] = [
  workHours,
  links,
  silentSensors,
  bikeFlow,
];
