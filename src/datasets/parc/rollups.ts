import {
  copyFrenchCsv,
  copyToParquet,
  dayByDay,
  parquetSql,
  writeParquetRows,
} from '../kit/index.ts';
import type { LocalArtefact, SqlColumn, SqlSession, StagedOutput } from '../kit/index.ts';
import { factorOf } from './capacity.ts';
import type { CapacityRow } from './capacity.ts';
import type { Source } from './sources-of-power.ts';
import { SOURCES } from './sources-of-power.ts';
import { CAPACITY_COLUMNS } from './transform.ts';
import { WIDE_COLUMNS, wideSql, YEARLY_COLUMNS, yearsSql } from './tables-sql.ts';

/** Months, years and the published tables of installed capacity. */

/** `rollup/month`: the state of the month, as its last day has it. */
export const rollupMonth = dayByDay(async (unit, _task, sql) => {
  const last = unit.inputs['core']?.at(-1);
  if (last === undefined) return { outputs: {}, checks: [], facts: { rows: 0 } };
  const names = CAPACITY_COLUMNS.map(({ name }) => name).join(', ');
  const select = `SELECT ${names} FROM ${parquetSql(last.path)} ORDER BY source`;
  const capacity = await copyToParquet(sql, select, `capacity-${unit.scope}`);
  return { outputs: { capacity }, checks: [], facts: { rows: capacity.rows } };
});

/** One source in one year. */
export interface YearRow {
  readonly period: string;
  readonly source: Source;
  /** The register's at the end of the year; else what is derived of the last known month. */
  readonly capacity_mw: number | null;
  readonly capacity_from: 'register' | 'rte' | null;
  readonly register_mw: number | null;
  /** Derived of the last month of the year that is known. */
  readonly derived_mw: number | null;
  readonly derived_month: string | null;
  /** Derived minus register; null unless both tell of December. */
  readonly difference_mw: number | null;
  /** Over the months of which production and capacity are known. */
  readonly production_mwh: number | null;
  readonly load_factor: number | null;
  /** How many of the twelve months those are. */
  readonly months: number;
  /** Part of the year's hours that they have, 0–1. */
  readonly coverage: number;
}

/** The members of `YearRow` as columns, in their order. */
export const YEAR_COLUMNS: readonly SqlColumn[] = [
  { name: 'period', type: 'VARCHAR' },
  { name: 'source', type: 'VARCHAR' },
  { name: 'capacity_mw', type: 'DOUBLE' },
  { name: 'capacity_from', type: 'VARCHAR' },
  { name: 'register_mw', type: 'DOUBLE' },
  { name: 'derived_mw', type: 'DOUBLE' },
  { name: 'derived_month', type: 'VARCHAR' },
  { name: 'difference_mw', type: 'DOUBLE' },
  { name: 'production_mwh', type: 'DOUBLE' },
  { name: 'load_factor', type: 'DOUBLE' },
  { name: 'months', type: 'INTEGER' },
  { name: 'coverage', type: 'DOUBLE' },
];

/** `rollup/year`: a year is what its months know, and says how many these are. */
export const rollupYear = dayByDay(async (unit, _task, sql) => {
  const months = await readMonths(unit.inputs['capacity'] ?? [], sql);
  if (months.length === 0) return { outputs: {}, checks: [], facts: { rows: 0 } };
  const rows = yearRows(unit.scope, months);
  const cells = rows.map((row) => YEAR_COLUMNS.map(({ name }) => row[name as keyof YearRow]));
  const capacity = await writeParquetRows(sql, YEAR_COLUMNS, cells, `year-${unit.scope}`);
  return { outputs: { capacity }, checks: [], facts: { rows: rows.length } };
});

async function readMonths(
  files: readonly LocalArtefact[],
  sql: SqlSession,
): Promise<CapacityRow[]> {
  if (files.length === 0) return [];
  return sql.rows(
    `SELECT * FROM ${parquetSql(files.map((file) => file.path))} ORDER BY period, source`,
  );
}

/** One row for each source that any month of the year knows. Pure. */
export function yearRows(year: string, months: readonly CapacityRow[]): YearRow[] {
  const isLeap = new Date(Date.UTC(Number(year), 1, 29)).getUTCMonth() === 1;
  const yearHours = (isLeap ? 366 : 365) * 24;
  return SOURCES.flatMap((source) => {
    const own = months.filter((row) => row.source === source);
    return own.length === 0 ? [] : [yearRow(year, source, own, yearHours)];
  });
}

function yearRow(
  year: string,
  source: Source,
  months: readonly CapacityRow[],
  yearHours: number,
): YearRow {
  const derived = months.filter((row) => row.derived_mw !== null).at(-1);
  const register = months.map((row) => row.register_mw).findLast((value) => value !== null) ?? null;
  const known = months.filter((row) => row.production_mwh !== null && row.derived_mw !== null);
  const energy = known.reduce((sum, row) => sum + (row.production_mwh ?? 0), 0);
  const possible = known.reduce((sum, row) => sum + (row.derived_mw ?? 0) * row.hours, 0);
  const hours = known.reduce((sum, row) => sum + row.hours, 0);
  const capacity = register ?? derived?.derived_mw ?? null;
  const from = derived === undefined ? null : 'rte';
  return {
    period: year,
    source,
    capacity_mw: capacity,
    capacity_from: register === null ? from : 'register',
    register_mw: register,
    derived_mw: derived?.derived_mw ?? null,
    derived_month: derived?.period ?? null,
    difference_mw: months.find((row) => row.difference_mw !== null)?.difference_mw ?? null,
    production_mwh: known.length === 0 ? null : Math.round(energy * 100) / 100,
    load_factor: known.length === 0 ? null : factorOf(energy, possible),
    months: known.length,
    coverage: Math.round((hours / yearHours) * 10_000) / 10_000,
  };
}

/**
 * `rollup/history`: the tables under their published names, as Parquet and as CSV for French
 * spreadsheets.
 */
export const rollupHistory = dayByDay(async (unit, _task, sql) => {
  const outputs: Record<string, StagedOutput> = {};
  const months = (unit.inputs['months'] ?? []).map((file) => file.path);
  if (months.length > 0) {
    const select = wideSql(parquetSql(months));
    outputs['months'] = await copyToParquet(
      sql,
      `SELECT * FROM (${select}) ORDER BY annee_mois`,
      'parc_installe',
      'zstd',
    );
    const csv = { select, columns: WIDE_COLUMNS, order: ['annee_mois'] };
    outputs['months_csv'] = await copyFrenchCsv(sql, csv, 'parc_installe');
  }
  const years = (unit.inputs['years'] ?? []).map((file) => file.path);
  if (years.length > 0) {
    const select = yearsSql(parquetSql(years));
    outputs['years'] = await copyToParquet(
      sql,
      `SELECT * FROM (${select}) ORDER BY annee, filiere`,
      'parc_annuel',
      'zstd',
    );
    const csv = { select, columns: YEARLY_COLUMNS, order: ['annee', 'filiere'] };
    outputs['years_csv'] = await copyFrenchCsv(sql, csv, 'parc_annuel');
  }
  return { outputs, checks: [], facts: { months: months.length, years: years.length } };
});
