import {
  checkResult,
  datesOfMonth,
  dayByDay,
  dayOf,
  inputOf,
  jsonOutput,
  mapColumns,
  numberOf,
  parquetSql,
  quoteIdentifier,
  writeParquetRows,
  zonedDay,
} from '../kit/index.ts';
import type {
  CheckDefinition,
  CheckResult,
  LocalArtefact,
  SqlColumn,
  SqlSession,
  StepUnit,
} from '../kit/index.ts';
import { capacityRows } from './capacity.ts';
import type { CapacityRow, MonthlyFigure, MonthlyFigures, RegisterYear } from './capacity.ts';
import { REGISTER } from './register.ts';
import { kindOf } from './rte-page.ts';
import { REGISTER_SOURCES } from './sources-of-power.ts';
import type { RteSource } from './sources-of-power.ts';

/**
 * `transform/parc`: what is told of the day's month and of the ends of its year, as one row for
 * each source.
 */

/** Months are those of Paris: 743 hours in March, 745 in October. */
export const ZONE = 'Europe/Paris';

const TERAWATT_HOUR = 1_000_000;

/**
 * The derived capacity is a mean of December, the register's that of its last day, and both are
 * rounded by their publishers.
 */
const AGREEING = 0.1;

const CHECKS = {
  figuresInPairs: {
    id: 'figures-in-pairs',
    title: 'RTE tells production and load factor of a source together',
    severity: 'warn',
  },
  agreesWithRegister: {
    id: 'agrees-with-register',
    title: 'The capacity derived for December is within a tenth of the register’s at its end',
    severity: 'warn',
  },
} as const satisfies Record<string, CheckDefinition>;

/** Both warn: publishers round and revise on their own. */
export const CAPACITY_CHECKS: readonly CheckDefinition[] = Object.values(CHECKS);

/** The members of `CapacityRow` as columns, in their order. */
export const CAPACITY_COLUMNS: readonly SqlColumn[] = [
  { name: 'period', type: 'VARCHAR' },
  { name: 'source', type: 'VARCHAR' },
  { name: 'hours', type: 'INTEGER' },
  { name: 'production_mwh', type: 'DOUBLE' },
  { name: 'load_factor', type: 'DOUBLE' },
  { name: 'derived_mw', type: 'DOUBLE' },
  { name: 'register_before_mw', type: 'DOUBLE' },
  { name: 'register_mw', type: 'DOUBLE' },
  { name: 'difference_mw', type: 'DOUBLE' },
  { name: 'capacity_mw', type: 'DOUBLE' },
  { name: 'capacity_from', type: 'VARCHAR' },
];

/**
 * What the report and the month read; the same for every day of a month, so nothing in it names the
 * day.
 */
export interface CapacityState {
  readonly schema: 'parc.state/1';
  readonly period: string;
  readonly rows: readonly CapacityRow[];
}

/** Facts: `rows` and the `period`, the month of the day. */
export const transformParc = dayByDay(async (unit, _task, sql) => {
  const period = dayOf(unit).date.slice(0, 7);
  const year = Number(period.slice(0, 4));
  const hours = datesOfMonth(period).reduce((sum, date) => sum + zonedDay(date, ZONE).hours, 0);
  const figures = await figuresOf(unit, sql);
  const register = await registerOf(inputOf(unit, 'odre-parc'), sql);
  const rows = capacityRows({
    period,
    hours,
    figures,
    registerBefore: register.get(year - 1) ?? {},
    register: register.get(year) ?? {},
  });
  const state: CapacityState = { schema: 'parc.state/1', period, rows };
  const cells = rows.map((row) =>
    CAPACITY_COLUMNS.map(({ name }) => row[name as keyof CapacityRow]),
  );
  return {
    outputs: {
      core: await writeParquetRows(sql, CAPACITY_COLUMNS, cells, `parc-${unit.scope}`),
      state: jsonOutput(state),
    },
    checks: checksOf(rows),
    facts: { rows: rows.length, period },
  };
});

async function figuresOf(unit: StepUnit, sql: SqlSession): Promise<MonthlyFigures> {
  const known: Partial<Record<RteSource, MonthlyFigure>> = {};
  for (const part of ['rte-eolien', 'rte-solaire']) {
    const input = inputOf(unit, part);
    if (input === undefined) continue;
    const rows = await sql.rows<{ cle: string; nom: string; valeur: string }>(
      `SELECT cle, nom, valeur FROM ${parquetSql(input.path)} ORDER BY ALL`,
    );
    for (const { cle, nom, valeur } of rows) {
      const kind = kindOf({ key: cle, name: nom });
      const value = numberOf(valeur);
      if (kind === undefined || value === null) continue;
      const before = known[kind.source] ?? { production_mwh: null, load_factor: null };
      known[kind.source] =
        kind.measure === 'production'
          ? { ...before, production_mwh: Math.round(value * TERAWATT_HOUR * 100) / 100 }
          : { ...before, load_factor: Math.round(value * 10_000) / 1_000_000 };
    }
  }
  return known;
}

async function registerOf(
  input: LocalArtefact | undefined,
  sql: SqlSession,
): Promise<ReadonlyMap<number, RegisterYear>> {
  if (input === undefined) return new Map();
  const described = await sql.rows<{ column_name: string }>(
    `DESCRIBE SELECT * FROM ${parquetSql(input.path)}`,
  );
  const { known } = mapColumns(
    described.map(({ column_name: name }) => name),
    REGISTER.names,
  );
  const columns = [...known].map(([name, published]) => `${quoteIdentifier(published)} AS ${name}`);
  const rows = await sql.rows<Record<string, string | null>>(
    `SELECT ${columns.join(', ')} FROM ${parquetSql(input.path)}`,
  );
  return new Map(
    rows.map((row) => {
      const capacities = REGISTER_SOURCES.map((source) => [source, numberOf(row[source])] as const);
      return [Number((row['year'] ?? '').trim().slice(0, 4)), Object.fromEntries(capacities)];
    }),
  );
}

function checksOf(rows: readonly CapacityRow[]): CheckResult[] {
  const told = rows.filter(
    (row) => row.source !== 'eolien' && (row.production_mwh ?? row.load_factor) !== null,
  );
  const alone = told.filter((row) => row.production_mwh === null || row.load_factor === null);
  const compared = rows.filter((row) => row.difference_mw !== null);
  const apart = compared.filter(
    (row) => Math.abs(row.difference_mw ?? 0) > AGREEING * (row.register_mw ?? 0),
  );
  const shown = (row: CapacityRow) => ({ ...row });
  return [
    checkResult(CHECKS.figuresInPairs, told.length, alone.map(shown)),
    checkResult(CHECKS.agreesWithRegister, compared.length, apart.map(shown)),
  ];
}
