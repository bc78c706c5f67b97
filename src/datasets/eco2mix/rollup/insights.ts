import { quoteTexts } from '../../kit/index.ts';
import type { LocalArtefact, SqlSession, StagedOutput, StepUnit } from '../../kit/index.ts';
import { calendarOfYears } from '../calendar/working-days.ts';
import { writeCalendar } from '../calendar/write-calendar.ts';
import { copyTable } from './copy-table.ts';
import { forecastSkillSql } from './forecast-skill.ts';
import { peaksSql } from './peaks.ts';

/**
 * Tables over all time that questions read, made by `rollup/history` from the days and instants of
 * months.
 */
export const INSIGHTS = ['peaks', 'low_carbon', 'forecast_skill', 'calendar'] as const;
/** Published as `eco2mix/<name>.parquet`. */
export type Insight = (typeof INSIGHTS)[number];

/** Writes a table; undefined when an input that it needs is not there. */
export async function writeInsight(
  sql: SqlSession,
  name: Insight,
  { inputs }: Pick<StepUnit, 'inputs'>,
  path: string,
): Promise<StagedOutput | undefined> {
  const [core, days, years] = [
    inputs['core'] ?? [],
    inputs['days'] ?? [],
    inputs['year_energies'] ?? [],
  ];
  switch (name) {
    case 'peaks':
      return core.length === 0 || years.length === 0
        ? undefined
        : copyTable(sql, peaksSql(filesOf(core), filesOf(years)), path);
    case 'low_carbon':
      return days.length === 0 ? undefined : copyTable(sql, lowCarbonSql(filesOf(days)), path);
    case 'forecast_skill':
      return core.length === 0 ? undefined : copyTable(sql, forecastSkillSql(filesOf(core)), path);
    case 'calendar':
      return days.length === 0
        ? undefined
        : writeCalendar(
            sql,
            calendarOfYears(...yearsOf(days)),
            schoolOf(inputs['school'] ?? []),
            path,
          );
  }
}

function filesOf(artefacts: readonly LocalArtefact[]): string {
  return `read_parquet([${quoteTexts(artefacts.map(({ path: file }) => file))}], hive_partitioning = false)`;
}

/** School holidays by day, where they were imported. */
function schoolOf(months: readonly LocalArtefact[]): string {
  return months.length === 0
    ? '(SELECT CAST(NULL AS DATE) AS date, CAST(NULL AS VARCHAR) AS school_holiday_zones WHERE false)'
    : filesOf(months);
}

/** Whole years: the calendar tells of days to come as well. */
function yearsOf(months: readonly LocalArtefact[]): [from: number, to: number] {
  const years = months.map(({ scope }) => Number(scope.slice(0, 4)));
  return [Math.min(...years), Math.max(...years)];
}

/**
 * The low-carbon share of each day and of its year up to it: energy of nuclear, hydro, bioenergy,
 * solar and wind over that of all eight sources, of the days on which all of them are known.
 * `days_known` of `days_of_year` says on how many days it stands, `coverage` on how much of their
 * time.
 */
function lowCarbonSql(days: string): string {
  return `SELECT date, generation_mwh, low_carbon_mwh, share, generation_to_date_mwh,
    low_carbon_to_date_mwh,
      CAST(round(low_carbon_to_date_mwh / nullif(generation_to_date_mwh, 0),
        6) AS DOUBLE) AS share_to_date,
      days_known, CAST(dayofyear(date) AS INTEGER) AS days_of_year,
      CAST(round(covered_days / dayofyear(date), 4) AS DOUBLE) AS coverage
    FROM (SELECT date, CAST(generation_mwh AS DOUBLE) AS generation_mwh,
      CAST(low_carbon_mwh AS DOUBLE) AS low_carbon_mwh,
        CAST(round(low_carbon_mwh / nullif(generation_mwh, 0), 6) AS DOUBLE) AS share,
        CAST(sum(generation_mwh) OVER year_to_date AS DOUBLE) AS generation_to_date_mwh,
        CAST(sum(low_carbon_mwh) OVER year_to_date AS DOUBLE) AS low_carbon_to_date_mwh,
        CAST(count(*) OVER year_to_date AS INTEGER) AS days_known,
        CAST(sum(generation_coverage) OVER year_to_date AS DOUBLE) AS covered_days
      FROM ${days} WHERE generation_mwh IS NOT NULL AND low_carbon_mwh IS NOT NULL
      WINDOW year_to_date AS (PARTITION BY year(date) ORDER BY date))
    ORDER BY date`;
}
