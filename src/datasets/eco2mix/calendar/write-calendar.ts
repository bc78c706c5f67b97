import { quoteText } from '../../kit/index.ts';
import type { SqlSession, StagedOutput } from '../../kit/index.ts';
import { copyTable } from '../rollup/copy-table.ts';
import type { CalendarDay } from './working-days.ts';

const TYPES: Readonly<Record<keyof CalendarDay, 'DATE' | 'INTEGER' | 'VARCHAR' | 'BOOLEAN'>> = {
  date: 'DATE',
  iso_weekday: 'INTEGER',
  public_holiday: 'VARCHAR',
  is_ouvrable: 'BOOLEAN',
  is_ouvre: 'BOOLEAN',
  is_pont: 'BOOLEAN',
  public_holiday_alsace_moselle: 'VARCHAR',
  is_ouvrable_alsace_moselle: 'BOOLEAN',
  is_ouvre_alsace_moselle: 'BOOLEAN',
};
const NAMES = Object.keys(TYPES) as (keyof CalendarDay)[];

/**
 * Writes days of the calendar as Parquet, in order of their dates. `school` is SQL of `date` and
 * `school_holiday_zones`; days without a row of it have NULL: nothing is known of them.
 */
export async function writeCalendar(
  sql: SqlSession,
  days: readonly CalendarDay[],
  school: string,
  path: string,
): Promise<StagedOutput> {
  const columns = NAMES.map((name) => `${name} ${TYPES[name]}`).join(', ');
  const rows = days.map((day) => `(${NAMES.map((name) => literal(day[name])).join(', ')})`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE calendar_days (${columns})`);
  await sql.run(`INSERT INTO calendar_days VALUES ${rows.join(', ')}`);
  return copyTable(
    sql,
    `SELECT * FROM calendar_days LEFT JOIN ${school} USING (date) ORDER BY date`,
    path,
  );
}

function literal(value: string | number | boolean | null): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? quoteText(value) : String(value);
}
