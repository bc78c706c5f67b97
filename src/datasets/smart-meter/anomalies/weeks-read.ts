import { toEpochDay } from '../../kit/index.ts';
import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { parquetOf, pathsOf } from '../tables.ts';
import { weekBefore, WEEKS } from './features.ts';
import { WEEK_DAYS } from './week.ts';

/** What is read of a week. */
const WEEK_TYPES: Readonly<Record<string, string>> = {
  ...{
    meter_key: 'UBIGINT',
    segment: 'VARCHAR',
    transformer: 'VARCHAR',
    days: 'TINYINT',
    use_wh: 'DECIMAL(18, 1)',
  },
  ...{
    base_wh: 'DECIMAL(18, 1)',
    evening_wh: 'DECIMAL(18, 1)',
    zero_days: 'TINYINT',
    use_days: 'DECIMAL(18, 5)[]',
  },
};
const COLUMNS = Object.keys(WEEK_TYPES).join(', ');
const NONE = `SELECT 0 AS w, ${Object.entries(WEEK_TYPES)
  .map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`)
  .join(', ')} WHERE false`;

/**
 * Ten weeks of so many rows are kept in memory, 40 MB, and the two before them: to open ten files
 * for each question costs more than all answers about a few thousand meters.
 */
const ROWS_IN_MEMORY = 250_000;

/**
 * The weeks that are open in a session. Two days of one weekday have most of their weeks in common:
 * a week that is in memory stays there as long as the day that is asked for has it, so that a
 * window in the order of `byWeekday` reads most of its weeks once and not ten times.
 */
export class WeeksRead {
  readonly #sql: SqlSession;
  /** Tables by the files that they were read from. */
  readonly #tables = new Map<string, string>();
  #made = 0;

  constructor(sql: SqlSession) {
    this.#sql = sql;
  }

  /**
   * Opens `weeks`: every week of every meter, `w` from 0, the newest; all as they were some weeks
   * ago.
   */
  async open(unit: StepUnit, ago = 0): Promise<void> {
    const files = Array.from(
      { length: WEEKS },
      (_, week) => unit.inputs[weekBefore('week', week + ago)] ?? [],
    );
    const rows = files.flat().reduce((sum, { ref }) => sum + (ref.rows ?? Infinity), 0);
    await this.#dropAllBut(unit);
    const each: string[] = [];
    for (const [week, of] of files.entries()) {
      if (of.length === 0) continue;
      const paths = of.map(({ path }) => path);
      const from = rows <= ROWS_IN_MEMORY ? await this.#tableOf(paths) : parquetOf(paths);
      each.push(`SELECT ${week} AS w, ${COLUMNS} FROM ${from}`);
    }
    await this.#sql.run(
      `CREATE OR REPLACE TEMP VIEW weeks AS ${[NONE, ...each].join(' UNION ALL ')}`,
    );
  }

  async #tableOf(paths: readonly string[]): Promise<string> {
    const known = this.#tables.get(keyOf(paths));
    if (known !== undefined) return known;
    this.#made += 1;
    const table = `week_read_${this.#made}`;
    await this.#sql.run(
      `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT ${COLUMNS} FROM ${parquetOf(paths)}`,
    );
    this.#tables.set(keyOf(paths), table);
    return table;
  }

  /** A view may still name a table that is dropped: it is replaced before anyone asks it. */
  async #dropAllBut(unit: StepUnit): Promise<void> {
    const asked = new Set(Object.keys(unit.inputs).map((name) => keyOf(pathsOf(unit, name))));
    for (const [key, table] of this.#tables) {
      if (asked.has(key)) continue;
      await this.#sql.run(`DROP TABLE ${table}`);
      this.#tables.delete(key);
    }
  }
}

function keyOf(paths: readonly string[]): string {
  return JSON.stringify(paths);
}

/**
 * All days of one weekday in order, then those of the next: a day comes right after the one with
 * which it shares its weeks.
 */
export function byWeekday(units: readonly StepUnit[]): StepUnit[] {
  const place = ({ scope }: StepUnit): number => toEpochDay(scope) % WEEK_DAYS;
  return units.toSorted((a, b) => place(a) - place(b) || (a.scope < b.scope ? -1 : 1));
}
