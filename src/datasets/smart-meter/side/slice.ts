import path from 'node:path';
import { addDays, civilDateAt, firstOf, PipelineError, refuseUnreadable } from '../../kit/index.ts';
import type {
  CivilDate,
  RecognisedFile,
  SliceTask,
  SqlSession,
  TextRows,
  UnitOutcome,
} from '../../kit/index.ts';
import { columnSql, headerOf, unnumberedRows } from '../dialects/csv.ts';
import type { FileHead } from '../dialects/dialect.ts';
import { readHead } from '../dialects/dialects.ts';
import { secondsOf } from '../readings/days.ts';
import { fillMeterKeys } from '../readings/meter-key.ts';
import { copyTable } from '../tables.ts';
import { SIDE_PARTS, sideColumns } from './parts.ts';
import type { SidePart } from './parts.ts';

/** Side files (CSV with a header, `;` or `,`) as slices of days. */

const ZONE = 'Europe/Paris';
/** A list with validity holds for every day up to this one, until a newer one is imported. */
const HOLDS_UNTIL: CivilDate = '2029-12-31';

function shapeOf(head: FileHead) {
  return { delimiter: head.lines[0].includes(';') ? ';' : ',', skip: 0 } as const;
}

/** The part that a file is of, by the columns that its header has; undefined for none. */
export function sidePartOf(head: FileHead): SidePart | undefined {
  const names = headerOf(head, shapeOf(head)).map((name) => name.trim().toLowerCase());
  return SIDE_PARTS.find(({ required }) => required.every((name) => names.includes(name)));
}

/** Fills `side_read` with the typed rows of a file. */
async function readSide(
  sql: SqlSession,
  head: FileHead,
  part: SidePart,
  secret: string,
): Promise<void> {
  const shape = shapeOf(head);
  const names = headerOf(head, shape);
  const rows = unnumberedRows(head.path, names, shape);
  const hasMeters = Object.values(part.columns).includes('meter');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE side_text AS SELECT *, ${hasMeters ? columnSql(names, 'meter_id') : 'CAST(NULL AS VARCHAR)'} AS side_meter FROM ${rows}`,
  );
  await fillMeterKeys(sql, secret, '(SELECT side_meter AS meter_id FROM side_text)');
  const select = Object.entries(sideColumns(part)).map(([name, type]) =>
    name === 'meter_key'
      ? 'k.meter_key'
      : `TRY_CAST(${columnSql(names, name)} AS ${type}) AS ${name}`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE side_read AS
    SELECT ${select.join(', ')} FROM side_text t LEFT JOIN meter_keys k
      ON t.side_meter = k.meter_id`);
  await refuseOddRows(
    sql,
    { path: head.path, what: `${head.name} (${part.title})`, from: rows, ...shape },
    names,
    part,
  );
  await sql.run('DROP TABLE side_text');
}

/**
 * No row at all, or one in which a column cannot be read or is empty although it is required, is
 * `SRC_SHAPE_CHANGED`.
 */
async function refuseOddRows(
  sql: SqlSession,
  rows: TextRows,
  header: readonly string[],
  part: SidePart,
): Promise<void> {
  const odd = Object.entries(sideColumns(part)).flatMap(([name, type]) => {
    const published = name === 'meter_key' ? 'meter_id' : name;
    const text = columnSql(header, published);
    const isUnread =
      type === 'VARCHAR' || published === 'meter_id'
        ? 'false'
        : `TRY_CAST(${text} AS ${type}) IS NULL`;
    if (part.required.includes(published))
      return [{ published, text, isOdd: `(${text} IS NULL OR ${isUnread})` }];
    return isUnread === 'false'
      ? []
      : [{ published, text, isOdd: `(${text} IS NOT NULL AND ${isUnread})` }];
  });
  const [found] = await sql.rows<Readonly<Record<string, number>>>(
    `SELECT count(*) AS total, ${odd.map(({ published, isOdd }) => `count(*) FILTER (WHERE ${isOdd}) AS ${published}`).join(', ')} FROM side_text`,
  );
  if (found?.['total'] === 0)
    throw new PipelineError('SRC_SHAPE_CHANGED', `${rows.what} has no row`);
  for (const { published, text, isOdd } of odd) {
    if (found?.[published] === 0) continue;
    const told = `coalesce(${text}, '')`;
    await refuseUnreadable(sql, rows, { what: published, columns: [published], isOdd, told });
  }
}

/** A row of which a column cannot be read is `SRC_SHAPE_CHANGED`; days are those of Paris. */
export async function recogniseSide(
  head: FileHead,
  part: SidePart,
  sql: SqlSession,
  secret: string,
): Promise<RecognisedFile> {
  await readSide(sql, head, part, secret);
  const [first, last] = BOUNDS[part.holds];
  const found = await sql.rows<{ first: string; last: string; rows: number }>(
    `SELECT CAST(min(${first}) AS VARCHAR) AS first, CAST(max(${last}) AS VARCHAR) AS last,
      count(*) AS rows FROM side_read`,
  );
  const dateOf = (text: string): CivilDate =>
    text.length === 10
      ? text
      : civilDateAt(new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z')), ZONE);
  const { first: begins, last: ends, rows } = firstOf(found);
  const from = dateOf(begins);
  const to = part.holds === 'validity' ? HOLDS_UNTIL : dateOf(ends);
  const starts = part.holds === 'instant' ? addDays(from, -1) : from;
  return {
    part: part.id,
    kind: part.title,
    from: starts,
    to,
    rows,
    extension: 'csv',
    mediaType: 'text/csv',
  };
}

const BOUNDS: Readonly<Record<SidePart['holds'], readonly [first: string, last: string]>> = {
  validity: ['valid_from', 'valid_from'],
  date: ['date', 'date'],
  instant: ['read_at', 'read_at'],
  span: ['start_at', 'end_at'],
};

/** `secret` makes keys of the ids; a day of which no row holds has no slice. */
export async function sliceSide(
  task: SliceTask,
  part: SidePart,
  sql: SqlSession,
  secret: string,
): Promise<UnitOutcome[]> {
  const head = await readHead(task.raw.path, path.basename(task.raw.path));
  await readSide(sql, head, part, secret);
  const names = Object.keys(sideColumns(part));
  const changes = part.holds === 'validity' ? await changesOf(sql) : [];
  const known = new Map<string, { path: string; rows: number }>();
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    // Between two changes every day has the same rows.
    const period =
      part.holds === 'validity' ? (changes.filter((change) => change <= date).at(-1) ?? '') : date;
    const held = `side_read WHERE ${heldSql(part, date, changes)}`;
    const slice =
      known.get(period) ??
      (await copyTable(
        sql,
        `SELECT ${await oneOfKeySql(sql, part, held)} ${names.join(', ')} FROM ${held} ORDER BY ALL`,
        `${part.id}-${date}`,
      ));
    known.set(period, slice);
    const facts = { rows: slice.rows, published_columns: names.length };
    outcomes.push({ scope: date, outputs: slice.rows === 0 ? {} : { slice }, checks: [], facts });
  }
  return outcomes;
}

async function changesOf(sql: SqlSession): Promise<string[]> {
  const rows = await sql.rows<{ valid_from: string }>(
    'SELECT DISTINCT valid_from FROM side_read ORDER BY valid_from',
  );
  return rows.map(({ valid_from }) => valid_from);
}

/**
 * A list may say two things of one key from one day, or one instant, on: the row that is first in
 * the order of the slice counts, whichever was written first. Whoever joins the list would else
 * count a meter twice. Bills and outages may overlap: all of them count. To choose one of a key is
 * more than fits into memory for hundreds of thousands of keys, so it is asked for only where some
 * key has two rows.
 */
async function oneOfKeySql(
  sql: SqlSession,
  { holds, key }: SidePart,
  held: string,
): Promise<string> {
  if (holds !== 'validity' && holds !== 'instant') return 'DISTINCT';
  const columns = key.join(', ');
  const twins = await sql.rows(
    `SELECT ${columns} FROM ${held} GROUP BY ${columns} HAVING count(*) > 1 LIMIT 1`,
  );
  return twins.length === 0 ? '' : `DISTINCT ON (${columns})`;
}

/**
 * SQL that is true for the rows that hold on a day; `changes`: all days from which rows of a list
 * with validity hold.
 */
function heldSql({ holds, key }: SidePart, date: CivilDate, changes: readonly CivilDate[]): string {
  const [from, to] = secondsOf(date, ZONE);
  switch (holds) {
    case 'validity':
      if (changes.filter((change) => change <= date).length <= 1)
        return `valid_from <= DATE '${date}'`;
      return `valid_from <= DATE '${date}'
        AND NOT EXISTS (SELECT 1 FROM side_read later WHERE later.valid_from <= DATE '${date}'
        AND later.valid_from > side_read.valid_from
          AND ${key.map((name) => `later.${name} = side_read.${name}`).join(' AND ')})`;
    case 'date':
      return `date = DATE '${date}'`;
    case 'instant':
      return `epoch(read_at) BETWEEN ${from} AND ${to}`;
    case 'span':
      return `epoch(start_at) < ${to} AND epoch(end_at) > ${from}`;
  }
}
