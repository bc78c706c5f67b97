import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeptRows, SqlSession } from '../../../src/ports/sql.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';

const COLUMNS = ['text'];
/** Three of these fit, four do not. */
const ROWS = 450_000;

let folder: string;
let engine: DuckDbEngine;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-kept-'));
  engine = createDuckDbEngine({ memoryLimitMb: 256, threads: 2, scratchRoot: folder });
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

function session<T>(work: (sql: SqlSession) => Promise<T>): Promise<T> {
  return engine.session(work, { keeps: true });
}

/** Keeps a table that says to have so many rows of a file with this hash; it has one. */
function keep(sha256: string, rows = 1): Promise<string> {
  return session(async (sql) => {
    const table = sql.kept!.newName({ rows, columns: COLUMNS.length })!;
    await sql.run(`CREATE TABLE ${table} AS SELECT 0 AS quotidien_file, '${sha256}' AS text`);
    await sql.kept!.add({ table, columns: COLUMNS, files: [{ sha256, place: 0, firstRow: 0, rows }] });
    return table;
  });
}

async function read(sql: SqlSession, kept: KeptRows | undefined): Promise<unknown> {
  if (kept === undefined) return undefined;
  const [row] = await sql.rows(`SELECT text FROM ${kept.table}`);
  return row?.['text'];
}

const find = (sha256: string): Promise<unknown> => session((sql) => read(sql, sql.kept!.find(sha256)));

async function tables(): Promise<number> {
  const rows = await engine.session((sql) =>
    sql.rows(`SELECT * FROM duckdb_tables() WHERE database_name = 'kept_rows'`),
  );
  return rows.length;
}

describe('kept tables', () => {
  it('are found by the hash of a file, by sessions after the one that made them', async () => {
    await keep('one');
    expect(await find('one')).toBe('one');
    expect(await find('other')).toBeUndefined();
  });

  it('are unknown to a session that is to read files', async () => {
    expect(await engine.session((sql) => Promise.resolve(sql.kept))).toBeUndefined();
  });

  it('go when they are too many, the oldest first', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await keep(name, ROWS);
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(find))).toEqual([undefined, 'b', 'c', 'd']);
    expect(await tables()).toBe(3);
  });

  it('stay for a session that has found them, until its end', async () => {
    await keep('a', ROWS);
    await session(async (sql) => {
      const found = sql.kept!.find('a');
      for (const name of ['b', 'c', 'd']) await keep(name, ROWS);
      expect(await read(sql, found)).toBe('a');
    });
    await keep('e', ROWS);
    expect(await find('a')).toBeUndefined();
    expect(await find('e')).toBe('e');
  });

  it('are not kept when a session has failed before it told of them', async () => {
    const failing = session(async (sql) => {
      const table = sql.kept!.newName({ rows: 1, columns: 1 })!;
      await sql.run(`CREATE TABLE ${table} AS SELECT 1 AS n`);
      throw new Error('no file was written');
    });
    await expect(failing).rejects.toThrow('no file was written');
    expect(await tables()).toBe(0);
  });

  it('are not begun for more rows than half of all that may be kept', async () => {
    const name = await session((sql) => Promise.resolve(sql.kept!.newName({ rows: 10 * ROWS, columns: 40 })));
    expect(name).toBeUndefined();
  });
});
