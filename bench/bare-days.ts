import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { mapConcurrent } from '../src/engine/map-concurrent.ts';
import type { MonthFile } from './month-files.ts';
import { ownCpuSeconds } from './process-usage.ts';

/** What some work took. */
export interface Cost {
  readonly seconds: number;
  /** Processor seconds of this process. */
  readonly cpu: number;
}

/** Of the SQL engine, in MiB, as a worker has it unless configured otherwise. */
export const MEMORY_MB = 384;

const MONTHS_AT_ONCE = 2;
const PUTS_AT_ONCE = 4;

/** Columns before the measures. */
const DESCRIPTORS = 5;

const DAY_FILES = 'FORMAT parquet, COMPRESSION snappy, PARTITION_BY (day), RETURN_FILES';

/** The floor: each month's CSV read and written as one Parquet file per day, by DuckDB alone. */
export function bareCopy(files: readonly MonthFile[], folder: string): Promise<Cost> {
  return costOf(folder, 2, async (instance) => {
    const sql = await instance.connect();
    for (const { month, path: file } of files)
      await sql.run(
        `COPY (SELECT *, date AS day FROM read_csv('${file}', delim = ';', header = true))
         TO '${path.join(folder, month)}' (FORMAT parquet, PARTITION_BY (day))`,
      );
    sql.closeSync();
  });
}

/**
 * The floor of the layout: the files that the product makes of these months, by plain statements
 * and Node's own file functions. For each day the published rows, the typed rows made from that
 * file, and a text made from that one, each in a folder of its own and on the disk before it
 * counts; then both tables of the month, from the files of its days. No checks, hashes, records,
 * workflows, years or history.
 */
export function bareLayout(files: readonly MonthFile[], folder: string): Promise<Cost> {
  // One thread for each of two months: small statements of one month on two threads take more than
  // twice the processor time.
  return costOf(folder, 1, async (instance) => {
    await mapConcurrent(files, MONTHS_AT_ONCE, async (file) => {
      const sql = await instance.connect();
      await layOutMonth(sql, file, folder);
      sql.closeSync();
    });
  });
}

async function costOf(
  folder: string,
  threads: number,
  work: (instance: DuckDBInstance) => Promise<void>,
): Promise<Cost> {
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${MEMORY_MB}MiB`,
    threads: String(threads),
  });
  const [start, cpuBefore] = [performance.now(), ownCpuSeconds()];
  await work(instance);
  const cost = { seconds: (performance.now() - start) / 1000, cpu: ownCpuSeconds() - cpuBefore };
  instance.closeSync();
  return cost;
}

async function layOutMonth(
  sql: DuckDBConnection,
  { month, path: csv }: MonthFile,
  folder: string,
): Promise<void> {
  const raw = `SELECT *, "Date" AS day FROM read_csv('${csv}', delim = ';', header = true,
    all_varchar = true)`;
  const slices = await copyDays(sql, raw, path.join(folder, 'scratch', `slices-${month}`));
  const stored = await storeDays(folder, 'slices', slices);
  const names = await columnsOf(sql, stored);
  const cores = await copyDays(
    sql,
    typedRows(names, stored),
    path.join(folder, 'scratch', `core-${month}`),
  );
  const core = await storeDays(folder, 'core', cores);
  await storeDays(folder, 'metrics', await textsOf(sql, names, core));
  for (const [name, days] of Object.entries({ slices: stored, core })) {
    const select = `SELECT * FROM ${readFiles(days)} ORDER BY "Date", "Heure"`;
    await sql.run(
      `COPY (${select}) TO '${path.join(folder, `${name}-${month}.parquet`)}' (COMPRESSION zstd)`,
    );
  }
}

/** What is to be stored of a day, and under which ending. */
interface DayContent {
  readonly day: string;
  readonly ending: string;
  readonly body: Uint8Array;
}

async function copyDays(
  sql: DuckDBConnection,
  select: string,
  folder: string,
): Promise<DayContent[]> {
  await mkdir(folder, { recursive: true });
  const copied = await sql.runAndReadAll(
    `COPY (${select}) TO '${folder}' (${DAY_FILES}, OVERWRITE_OR_IGNORE)`,
  );
  const [row] = copied.getRowsJson() as [[string, string[]]];
  return Promise.all(
    row[1].map(async (file) => {
      const day = path.basename(path.dirname(file)).slice('day='.length);
      return { day, ending: 'parquet', body: await readFile(file) };
    }),
  );
}

/** Of the columns of the files: the descriptors as they are, the measures as whole numbers. */
function typedRows(names: readonly string[], slices: readonly string[]): string {
  const typed = names.map((name, place) =>
    place < DESCRIPTORS ? name : `TRY_CAST(${name} AS INTEGER) AS ${name}`,
  );
  return `SELECT ${typed.join(', ')}, "Date" AS day FROM ${readFiles(slices)}`;
}

async function columnsOf(sql: DuckDBConnection, files: readonly string[]): Promise<string[]> {
  const described = await sql.runAndReadAll(`DESCRIBE SELECT * FROM ${readFiles(files)}`);
  const rows = described.getRowsJson() as [string][];
  return rows.map(([name]) => `"${name}"`);
}

/** The measures of each day as one text of lists, about as long as the metrics of a day. */
async function textsOf(
  sql: DuckDBConnection,
  names: readonly string[],
  core: readonly string[],
): Promise<DayContent[]> {
  const lists = names.slice(DESCRIPTORS).map((name) => `list(${name})`);
  const selected = await sql.runAndReadAll(
    `SELECT "Date", CAST(to_json([${lists.join(', ')}]) AS VARCHAR)
      FROM ${readFiles(core)} GROUP BY "Date"`,
  );
  const rows = selected.getRowsJson() as [string, string][];
  return rows.map(([day, text]) => ({ day, ending: 'json', body: Buffer.from(text) }));
}

function readFiles(files: readonly string[]): string {
  return `read_parquet([${files.map((file) => `'${file}'`).join(', ')}], hive_partitioning = false)`;
}

/**
 * Writes each day into a folder of its own; file and folder are on the disk then. Returns the
 * paths.
 */
function storeDays(
  folder: string,
  table: string,
  contents: readonly DayContent[],
): Promise<string[]> {
  return mapConcurrent(contents, PUTS_AT_ONCE, async ({ day, ending, body }) => {
    const place = path.join(folder, table, `date=${day}`);
    await mkdir(place, { recursive: true });
    const file = path.join(place, `data.${ending}`);
    const handle = await open(file, 'wx');
    await handle.writeFile(body);
    await handle.sync();
    await handle.close();
    const entries = await open(place, 'r');
    await entries.sync();
    await entries.close();
    return file;
  });
}
