import { parquetSql } from '../../kit/index.ts';
import type { CivilDate, SqlSession, StepUnit } from '../../kit/index.ts';
import { emptyTable, PLACE_COLUMNS } from '../days/tables.ts';
import { LINEAR_TABLES } from '../flux/readers.ts';
import { LINES_PART } from '../lines/part.ts';
import { NEWEST_DOCUMENT } from '../model/readings.ts';
import { pathsOf } from './month.ts';

/**
 * Which delivery points deliveries changed since the newest version of the history. All that the
 * model makes of a point comes from the rows of the point and from those of contracts that it
 * shares with other points, so that the rest of the history stays as it is.
 */

/** Linear tables of which the model reads the rows of a point, and the column with their day. */
const OF_POINTS = {
  c15: 'date_evenement',
  c12: 'date_evenement',
  r151: 'date_releve',
  r64: 'date_releve',
} as const;

type PointTable = keyof typeof OF_POINTS;

const POINT_TABLES = Object.keys(OF_POINTS) as PointTable[];

/**
 * Inputs that the history reads as a whole each time, or not at all; a change of any other one has
 * everything made again.
 */
const OTHER_INPUTS: readonly string[] = [
  'archives',
  LINES_PART,
  'x12',
  'x13',
  'r15',
  'r15_acc',
  'f15_detail',
  'f12_detail',
];

/** Rows that the model passes over before it looks for the newest document. */
const READ: Partial<Record<PointTable, string>> = {
  c12: 'pdl IS NOT NULL AND coalesce(date_evenement, date_debut) IS NOT NULL',
};

/** More than this share of the points are as quickly made together with all others. */
const MOST_SHARE = 0.5;

/** The points that changed are in the table `touches` (pdl). */
export interface TouchedPoints {
  readonly points: number;
  readonly of: number;
  readonly previous: NonNullable<StepUnit['previous']>;
}

/** SQL of a linear table from files; empty without any. */
function rowsOf(name: string, paths: readonly string[]): string {
  const columns = LINEAR_TABLES.find((table) => table.name === name)?.columns ?? {};
  return paths.length === 0 ? emptyTable({ ...columns, ...PLACE_COLUMNS }) : parquetSql(paths);
}

/**
 * Makes a view of every linear table, those of points as `livre_<name>`: everything that was
 * delivered.
 */
export async function viewDeliveries(sql: SqlSession, unit: StepUnit): Promise<void> {
  for (const { name } of LINEAR_TABLES) {
    const view = name in OF_POINTS ? `livre_${name}` : name;
    const rows = rowsOf(name, pathsOf(unit.inputs[name]));
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${view} AS SELECT * FROM ${rows}`);
  }
}

/** Makes the tables of points that the model reads: of every point, or of those in `touches`. */
export async function readPoints(
  sql: SqlSession,
  touched: TouchedPoints | undefined,
): Promise<void> {
  for (const name of POINT_TABLES) {
    if (touched === undefined) {
      await sql.run(`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM livre_${name}`);
      continue;
    }
    // The newest delivery of a document counts, also where it has no rows of the point any more.
    await sql.run(`CREATE TEMP TABLE ${name} AS
      WITH own AS (SELECT * FROM livre_${name} WHERE pdl IN (SELECT pdl FROM touches)),
      newest AS (${newestOf(name, `livre_${name}`, 'SELECT document FROM own')})
      SELECT own.* FROM own JOIN newest USING (document)
        WHERE ${NEWEST_DOCUMENT} = newest.livraison`);
  }
}

function newestOf(name: PointTable, rows: string, documents: string): string {
  return `SELECT document, max(${NEWEST_DOCUMENT}) AS livraison FROM (
      SELECT DISTINCT document, archive_timestamp, archive, archive_sha256 FROM ${rows}
      WHERE document IN (${documents}) AND ${READ[name] ?? 'true'}) GROUP BY document`;
}

/**
 * Makes `touches`, and `changements` (pdl, jour, rsc): the rows by which points changed. Undefined
 * where the whole history has to be made: another horizon, other decisions, rows that belong to no
 * point, or most of the points.
 */
export async function findTouched(
  sql: SqlSession,
  { previous, inputs, decided = [] }: StepUnit,
  horizon: CivilDate,
): Promise<TouchedPoints | undefined> {
  if (previous?.facts['horizon'] !== horizon) return undefined;
  if (JSON.stringify(previous.decided) !== JSON.stringify(decided)) return undefined;
  const known = [...POINT_TABLES, ...OTHER_INPUTS];
  if (Object.keys(previous.changed).some((name) => !known.includes(name))) return undefined;
  if (await hasRowsWithoutPoint(sql)) return undefined;
  await sql.run('CREATE OR REPLACE TEMP TABLE touches (pdl VARCHAR)');
  await sql.run(
    'CREATE OR REPLACE TEMP TABLE changements (pdl VARCHAR, jour VARCHAR, rsc VARCHAR)',
  );
  for (const name of POINT_TABLES) {
    const change = previous.changed[name];
    if (change === undefined) continue;
    const [before, after] = [pathsOf(change.before), pathsOf(change.after)];
    if (!(await haveSameColumns(sql, before, after))) return undefined;
    const kept = pathsOf(inputs[name]).filter((path) => !after.includes(path));
    await findChanges(sql, name, { before, after, kept });
  }
  await sql.run(
    'INSERT INTO touches SELECT DISTINCT pdl FROM changements WHERE pdl NOT IN (SELECT pdl FROM touches)',
  );
  await joinByContracts(sql);
  const [counted] = await sql.rows<{ points: number; of: number }>(
    `SELECT (SELECT count(DISTINCT pdl) FROM touches) AS points,
       (SELECT count(DISTINCT pdl)
         FROM (${POINT_TABLES.map((name) => `SELECT DISTINCT pdl FROM livre_${name}`).join(' UNION ALL ')})) AS of`,
  );
  const { points = 0, of = 0 } = counted ?? {};
  return points > of * MOST_SHARE ? undefined : { points, of, previous };
}

async function hasRowsWithoutPoint(sql: SqlSession): Promise<boolean> {
  const counts = POINT_TABLES.map(
    (name) => `(SELECT count(*) FROM livre_${name} WHERE pdl IS NULL)`,
  );
  const [found] = await sql.rows<{ rows: number }>(`SELECT ${counts.join(' + ')} AS rows`);
  return found?.rows !== 0;
}

async function haveSameColumns(
  sql: SqlSession,
  before: readonly string[],
  after: readonly string[],
): Promise<boolean> {
  if (before.length === 0 || after.length === 0) return true;
  const told = (paths: readonly string[]) =>
    sql.rows(`DESCRIBE SELECT * FROM ${parquetSql(paths)}`);
  return JSON.stringify(await told(before)) === JSON.stringify(await told(after));
}

interface ChangedFiles {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** What was read then and is read now. */
  readonly kept: readonly string[];
}

/** Adds to `changements` and `touches` what rows of one table changed. */
async function findChanges(
  sql: SqlSession,
  name: PointTable,
  { before, after, kept }: ChangedFiles,
): Promise<void> {
  const [one = ''] = [...before, ...after];
  const rows = (paths: readonly string[]): string =>
    paths.length === 0 ? `(SELECT * FROM ${parquetSql([one])} WHERE false)` : parquetSql(paths);
  const only = (these: readonly string[], those: readonly string[]): string =>
    `(SELECT * FROM ${rows(these)} EXCEPT ALL SELECT * FROM ${rows(those)})`;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE autres AS ${only(before, after)} UNION ALL ${only(after, before)}`,
  );
  const contract = name === 'c15' ? 'ref_situation_contractuelle' : 'CAST(NULL AS VARCHAR)';
  await sql.run(
    `INSERT INTO changements SELECT pdl, left(${OF_POINTS[name]}, 10), ${contract} FROM autres`,
  );
  // A document that has another newest delivery now counts with all of its points.
  const then = rows([...kept, ...before]);
  await sql.run(`INSERT INTO touches
    WITH documents AS (SELECT DISTINCT document FROM autres),
    avant AS (${newestOf(name, then, 'SELECT document FROM documents')}),
    apres AS (${newestOf(name, `livre_${name}`, 'SELECT document FROM documents')}),
    remplaces AS (
      SELECT document FROM avant FULL JOIN apres USING (document)
        WHERE avant.livraison IS DISTINCT FROM apres.livraison
    )
    SELECT DISTINCT pdl FROM (SELECT pdl, document FROM ${then} UNION ALL SELECT pdl, document
      FROM livre_${name})
    WHERE document IN (SELECT document FROM remplaces)`);
}

/** Adds the points that share a contract with one that changed, until there are no more. */
async function joinByContracts(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE contrats_par_point AS
    SELECT DISTINCT pdl, rsc FROM (
      SELECT pdl, ref_situation_contractuelle AS rsc FROM livre_c15 UNION ALL
      SELECT pdl, ref_situation_contractuelle FROM gels UNION ALL
      SELECT pdl, rsc FROM changements
    ) WHERE rsc IS NOT NULL AND pdl IS NOT NULL`);
  for (;;) {
    const [found] = await sql.rows<{ points: number }>(
      `SELECT count(*) AS points FROM (${LINKED})`,
    );
    if ((found?.points ?? 0) === 0) return;
    await sql.run(`INSERT INTO touches ${LINKED}`);
  }
}

const LINKED = `SELECT DISTINCT pdl FROM contrats_par_point
  WHERE rsc IN (SELECT rsc FROM contrats_par_point WHERE pdl IN (SELECT pdl FROM touches))
    AND pdl NOT IN (SELECT pdl FROM touches)`;
