import path from 'node:path';
import type {
  Dataset,
  SliceTask,
  StagedOutput,
  UnitOutcome,
  UnitResult,
} from '../../pipelines/dataset.ts';
import { quoteList, quoteText } from '../../pipelines/sql-text.ts';
import type { SqlSession } from '../../ports/sql.ts';
import type { Engine } from '../engine.ts';
import { whoIsForgotten } from '../records/forgotten.ts';
import type { IsForgotten } from '../records/forgotten.ts';
import { columnsOfSlice } from './compare-slices.ts';

/**
 * Slices without the rows of persons who were forgotten. A slice that has none of them keeps its
 * bytes, so that its day stays as it is; a slice that has some is the same bytes whether they are
 * left out of a delivery or of what was stored, all at once or one after the other.
 */

/**
 * As the slices of our datasets are written. Other bytes for the same rows would make `verify` call
 * each of them different.
 */
const FORMAT = 'FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE 122880';

/** The outcomes of a slicing, without the rows of forgotten persons. */
export interface LeftOut {
  readonly outcomes: readonly UnitOutcome[];
  /** Rows of forgotten persons that the file has. */
  readonly rows: number;
}

/** `Dataset.slice`, without forgotten persons. */
export async function sliceWithout(
  engine: Pick<Engine, 'documents' | 'secret'>,
  dataset: Dataset,
  task: SliceTask,
  sql: SqlSession,
): Promise<LeftOut> {
  const outcomes = await dataset.slice(task, sql);
  const isForgotten =
    dataset.persons === undefined
      ? undefined
      : await whoIsForgotten(engine, dataset.definition.name);
  if (isForgotten === undefined) return { outcomes, rows: 0 };
  const leave = leavingOut(dataset, task.part, sql, isForgotten);
  const left: UnitOutcome[] = [];
  let rows = 0;
  for (const outcome of outcomes) {
    const without = 'failure' in outcome ? undefined : await leave(outcome);
    left.push(without?.result ?? outcome);
    rows += without?.rows ?? 0;
  }
  return { outcomes: left, rows };
}

/**
 * The result without these persons and how many rows that are; undefined when it has none of them.
 */
export function leavingOut(
  dataset: Pick<Dataset, 'persons'>,
  part: string,
  sql: SqlSession,
  isForgotten: IsForgotten,
): (
  result: UnitResult,
) => Promise<{ readonly result: UnitResult; readonly rows: number } | undefined> {
  // Days may share one file.
  const files = new Map<string, Promise<Remaining | undefined>>();
  const remaining = (file: string): Promise<Remaining | undefined> => {
    const known = files.get(file) ?? leaveOut(dataset, part, sql, file, isForgotten);
    files.set(file, known);
    return known;
  };
  return async (result) => {
    const outputs: Record<string, StagedOutput> = {};
    let rows = 0;
    for (const [name, staged] of Object.entries(result.outputs)) {
      const left = 'path' in staged ? await remaining(staged.path) : undefined;
      if (left === undefined) outputs[name] = staged;
      else if (left.rows > 0) outputs[name] = { path: left.path, rows: left.rows };
      rows += left?.removed ?? 0;
    }
    if (rows === 0) return undefined;
    const facts = { ...result.facts, rows: Number(result.facts['rows'] ?? 0) - rows };
    return { result: { ...result, outputs, facts }, rows };
  };
}

interface Remaining {
  readonly path: string;
  readonly rows: number;
  readonly removed: number;
}

let files = 0;

async function leaveOut(
  dataset: Pick<Dataset, 'persons'>,
  part: string,
  sql: SqlSession,
  file: string,
  isForgotten: IsForgotten,
): Promise<Remaining | undefined> {
  const key = await personSql(dataset, part, sql, file);
  if (key === undefined) return undefined;
  const gone = (await personsIn(sql, file, key)).filter(({ person }) => isForgotten(person));
  if (gone.length === 0) return undefined;
  files += 1;
  const target = path.join(sql.scratch, `without-${files}.parquet`);
  const names = gone.map(({ person }) => quoteText(person)).join(', ');
  // The order is asked for by name: what a filter passes on as it comes is cut into groups of rows
  // by chance.
  const [copied] = await sql.rows<{ Count: number }>(`COPY (
    SELECT * EXCLUDE (file_row_number) FROM read_parquet(${quoteText(file)},
      hive_partitioning = false, file_row_number = true)
    WHERE coalesce(CAST(${key} AS VARCHAR) NOT IN (${names}), true) ORDER BY file_row_number)
      TO ${quoteText(target)} (${FORMAT})`);
  const removed = gone.reduce((sum, { rows }) => sum + rows, 0);
  return { path: target, rows: copied?.Count ?? 0, removed };
}

/** SQL of the person that a row of a slice is about; undefined for slices that are about nobody. */
async function personSql(
  { persons }: Pick<Dataset, 'persons'>,
  part: string,
  sql: SqlSession,
  file: string,
): Promise<string | undefined> {
  return persons?.keySql(part, await columnsOfSlice(sql, [file]));
}

function personsIn(
  sql: SqlSession,
  file: string,
  key: string,
): Promise<{ readonly person: string; readonly rows: number }[]> {
  return sql.rows(`SELECT CAST(${key} AS VARCHAR) AS person, count(*) AS rows
    FROM read_parquet(${quoteList([file])}, hive_partitioning = false) WHERE ${key} IS NOT NULL
      GROUP BY 1 ORDER BY 1`);
}

/** Whether a slice has rows of one of these persons. */
export async function hasPersons(
  dataset: Pick<Dataset, 'persons'>,
  part: string,
  sql: SqlSession,
  file: string,
  isForgotten: IsForgotten,
): Promise<boolean> {
  const key = await personSql(dataset, part, sql, file);
  return (
    key !== undefined && (await personsIn(sql, file, key)).some(({ person }) => isForgotten(person))
  );
}

/** A person in a slice, by the key, and another name that a row has of that person. */
export interface OtherName {
  readonly person: string;
  readonly name: string;
}

/** The other names that a slice has of its persons; none where the dataset knows of none. */
export async function otherNamesIn(
  { persons }: Pick<Dataset, 'persons'>,
  part: string,
  sql: SqlSession,
  file: string,
): Promise<OtherName[]> {
  const columns = await columnsOfSlice(sql, [file]);
  const [key, other] = [persons?.keySql(part, columns), persons?.otherNameSql?.(part, columns)];
  if (key === undefined || other === undefined) return [];
  return sql.rows(`SELECT DISTINCT CAST(${key} AS VARCHAR) AS person,
    CAST(${other} AS VARCHAR) AS name
    FROM read_parquet(${quoteList([file])}, hive_partitioning = false) WHERE ${key} IS NOT NULL
      AND ${other} IS NOT NULL`);
}

/** What stands where the name of a forgotten person was. */
export const FORGOTTEN_NAME = '[forgotten]';

/** The name of a file, which people like to name by whom it is about. */
export async function withoutNames(
  engine: Pick<Engine, 'documents' | 'secret'>,
  { definition, persons }: Pick<Dataset, 'definition' | 'persons'>,
  name: string,
): Promise<string> {
  const isForgotten =
    persons === undefined ? undefined : await whoIsForgotten(engine, definition.name);
  if (persons === undefined || isForgotten === undefined) return name;
  let told = name;
  for (const word of new Set(name.match(/[0-9A-Za-z]+/g))) {
    // Most words are nobody's id.
    const key = await persons.keyOf(word).catch(() => undefined);
    if (key !== undefined && isForgotten(key)) told = told.replaceAll(word, FORGOTTEN_NAME);
  }
  return told;
}
