import {
  addDays,
  dayByDay,
  dayOf,
  inputOf,
  jsonOutput,
  parquetSql,
  previousDayName,
  readJson,
} from '../../kit/index.ts';
import type { LocalArtefact, StepUnit } from '../../kit/index.ts';
import type { Digest } from '../metrics/digest.ts';
import { changesBetween } from '../metrics/history.ts';
import type { SectionChanges } from '../metrics/history.ts';
import { PAIRS, linksOf } from './correlate.ts';
import type { Link } from './correlate.ts';
import type { DayFigures } from './figures.ts';
import { studyLimits } from './limits.ts';

/**
 * `metrics/links`: the day beside the same weekday of the year before, and what goes along with
 * what over the days before it.
 */

/** Fifty-two weeks: the same weekday of the previous year. */
export const YEAR_DAYS = 364;
/** The day and the 59 before it. */
export const LINK_DAYS = 60;

/** The published document. */
export interface LinksMetrics {
  readonly schema: 'cityflow.links/1';
  readonly metric_type: 'links';
  readonly date: string;
  readonly annee_precedente: {
    readonly date_reference: string;
    readonly disponible: boolean;
    readonly sections: SectionChanges;
  };
  readonly fenetre_jours: number;
  readonly jours_disponibles: number;
  /** Of pairs and lags that some day has both figures of. */
  readonly correlations: readonly Link[];
  /** The pairs of which no day has both. */
  readonly sans_jours_communs: readonly string[];
}

/** Reads the one-row tables of the window with one query. */
export const metricsLinks = dayByDay(async (unit, task, sql) => {
  const { date } = dayOf(unit);
  const day = await readJson<Digest>(inputOf(unit, 'day'));
  const reference = await readJson<Digest>(inputOf(unit, 'year_before'));
  const files = figureFiles(unit).map(({ path }) => path);
  const days =
    files.length === 0
      ? []
      : await sql.rows<DayFigures>(`SELECT * FROM ${parquetSql(files)} ORDER BY date`);
  const correlations = linksOf(days, studyLimits(task.params)).filter(({ n }) => n > 0);
  const told = new Set(correlations.map(({ nom }) => nom));
  const metrics: LinksMetrics = {
    schema: 'cityflow.links/1',
    metric_type: 'links',
    date,
    annee_precedente: {
      date_reference: addDays(date, -YEAR_DAYS),
      disponible: reference !== null,
      sections: changesBetween(day, reference),
    },
    fenetre_jours: LINK_DAYS,
    jours_disponibles: days.length,
    correlations,
    sans_jours_communs: PAIRS.flatMap(({ name }) => (told.has(name) ? [] : [name])),
  };
  return { outputs: { links: jsonOutput(metrics) }, checks: [], facts: { days: days.length } };
});

function figureFiles(unit: StepUnit): LocalArtefact[] {
  const names = [
    'figures',
    ...Array.from({ length: LINK_DAYS - 1 }, (_, index) => previousDayName('figures', index + 1)),
  ];
  return names.flatMap((name) => inputOf(unit, name) ?? []);
}
