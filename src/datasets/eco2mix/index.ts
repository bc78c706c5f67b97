import type { Dataset } from '../kit/index.ts';
import { CALENDAR_QUESTIONS } from './answers/calendar.ts';
import { ECO2MIX_DASHBOARDS } from './answers/dashboards.ts';
import { ECO2MIX_FRENCH_TABLES } from './answers/french-tables.ts';
import { INSIGHT_QUESTIONS } from './answers/insights.ts';
import { OVERVIEW_QUESTIONS } from './answers/overviews.ts';
import { MIX_QUESTIONS } from './answers/mix.ts';
import { SERIES_QUESTIONS } from './answers/questions.ts';
import { ECO2MIX_TABLES } from './answers/tables.ts';
import { SCHOOL_PART, sliceSchoolHolidays } from './calendar/school-holidays.ts';
import { metricsComparison } from './comparison.ts';
import { eco2mixDefinition } from './definition.ts';
import { metricsNational } from './metrics.ts';
import { recogniseFile } from './recognise.ts';
import { reportNational, reportPage } from './report/steps.ts';
import { rollupHistory } from './rollup/history.ts';
import { rollupMonth } from './rollup/month.ts';
import { rollupYear } from './rollup/year.ts';
import { rowsOf } from './row-meaning.ts';
import { sliceRawFile } from './slice.ts';
import { PORTAL_SOURCES } from './source.ts';
import { transformNational } from './transform.ts';

/**
 * French electricity: load, generation, exchanges and carbon intensity of mainland France, from
 * RTE's eCO2mix.
 */
export const eco2mix: Dataset = {
  definition: eco2mixDefinition,
  sources: PORTAL_SOURCES,
  slice: (task, sql) =>
    task.part === SCHOOL_PART ? sliceSchoolHolidays(task, sql) : sliceRawFile(task, sql),
  steps: {
    'transform/national': transformNational,
    'metrics/national': metricsNational,
    'metrics/comparison': metricsComparison,
    'report/national': reportNational,
    'report/page': reportPage,
    'rollup/month': rollupMonth,
    'rollup/year': rollupYear,
    'rollup/history': rollupHistory,
  },
  tables: [...ECO2MIX_TABLES, ...ECO2MIX_FRENCH_TABLES],
  questions: [
    ...OVERVIEW_QUESTIONS,
    ...SERIES_QUESTIONS,
    ...CALENDAR_QUESTIONS,
    ...INSIGHT_QUESTIONS,
    ...MIX_QUESTIONS,
  ],
  dashboards: ECO2MIX_DASHBOARDS,
  recognise: recogniseFile,
  // A school calendar is a whole of its own: the newest one counts.
  rowsOf: (part, columns) => (part === SCHOOL_PART ? undefined : rowsOf(part, columns)),
};
