import { readFileSync } from 'node:fs';
import { copyToParquet, datesOfMonth, forEachUnit, parquetSql, zonedDay } from '../../kit/index.ts';
import type {
  LocalArtefact,
  Period,
  RowsFile,
  SqlSession,
  StepImplementation,
  StepUnit,
} from '../../kit/index.ts';
import { CORE_COLUMNS } from '../core.ts';
import type { RegionsDay } from '../metrics-model.ts';
import { ZONE } from '../regions.ts';
import type { RegionEnergy, Term } from './energies.ts';
import { energiesOf, ENERGIES_SORTED, loadEnergies, sumTerms } from './energies.ts';

/** Days → months → years → history. */

/**
 * `rollup/month`: the rows of a month's days, and their energies by region, beside the coverage of
 * the whole month.
 */
export const rollupMonth: StepImplementation = {
  kind: 'sql',
  run: (task, sql) =>
    forEachUnit(task, async (unit) => {
      const outputs: Record<string, RowsFile> = {};
      const cores = pathsOf(unit, 'core');
      if (cores.length > 0) {
        const rows = `SELECT ${CORE_COLUMNS.join(', ')} FROM ${parquetSql(cores)} ORDER BY region_code, instant_at`;
        outputs['core'] = await copyToParquet(sql, rows, 'regions-core', 'zstd');
      }
      const days = (unit.inputs['metrics'] ?? []).map(readDay);
      if (days.length > 0) {
        const terms = days.map((day): Term => {
          return {
            hours: day.hours,
            energies: day.regions.flatMap((region) => energiesOf(day.date, region)),
          };
        });
        outputs['energies'] = await writeSum(sql, unit.scope, terms, hoursOfMonth(unit.scope));
      }
      return {
        scope: unit.scope,
        outputs,
        checks: [],
        facts: { days: days.length, rows: outputs['core']?.rows ?? 0 },
      };
    }),
};

/** `rollup/year`: the energies of a year from those of its months. */
export const rollupYear: StepImplementation = {
  kind: 'sql',
  run: (task, sql) =>
    forEachUnit(task, async (unit) => {
      const months = unit.inputs['energies'] ?? [];
      if (months.length === 0)
        return { scope: unit.scope, outputs: {}, checks: [], facts: { months: 0 } };
      const terms: Term[] = [];
      for (const { scope, path } of months) {
        const rows = await sql.rows<RegionEnergy>(`SELECT * FROM ${parquetSql(path)} ORDER BY ALL`);
        terms.push({ hours: hoursOfMonth(scope), energies: rows });
      }
      const hours = monthsOfYear(unit.scope).reduce((sum, month) => sum + hoursOfMonth(month), 0);
      const energies = await writeSum(sql, unit.scope, terms, hours);
      return {
        scope: unit.scope,
        outputs: { energies },
        checks: [],
        facts: { months: months.length },
      };
    }),
};

/** `rollup/history`: energies of all months and of all years, under the names that readers know. */
export const rollupHistory: StepImplementation = {
  kind: 'sql',
  run: (task, sql) =>
    forEachUnit(task, async (unit) => {
      const outputs: Record<string, RowsFile> = {};
      for (const name of ['months', 'years']) {
        const paths = pathsOf(unit, name);
        if (paths.length === 0) continue;
        const rows = `SELECT * FROM ${parquetSql(paths)} ORDER BY period, region_code, quantity`;
        outputs[name] = await copyToParquet(sql, rows, name, 'zstd');
      }
      return {
        scope: unit.scope,
        outputs,
        checks: [],
        facts: { rows: outputs['months']?.rows ?? 0 },
      };
    }),
};

function pathsOf({ inputs }: StepUnit, name: string): string[] {
  return (inputs[name] ?? []).map(({ path }) => path);
}

/**
 * Small files one after the other: reading each takes less time than the way to another thread and
 * back.
 */
function readDay({ path }: LocalArtefact): RegionsDay {
  return JSON.parse(readFileSync(path, 'utf8')) as RegionsDay;
}

async function writeSum(
  sql: SqlSession,
  period: Period,
  terms: readonly Term[],
  hours: number,
): Promise<RowsFile> {
  await loadEnergies(sql, sumTerms(period, terms, hours));
  return copyToParquet(sql, ENERGIES_SORTED, 'regions-energies', 'zstd');
}

/** The length of a whole month, an hour less in March and more in October. */
function hoursOfMonth(month: Period): number {
  return datesOfMonth(month).reduce((hours, date) => hours + zonedDay(date, ZONE).hours, 0);
}

function monthsOfYear(year: Period): Period[] {
  return Array.from({ length: 12 }, (_, month) => `${year}-${String(month + 1).padStart(2, '0')}`);
}
