/* oxlint-disable typescript/require-await -- the driver is synchronous; async makes its errors rejected promises */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type Database from 'libsql';
import { PipelineError } from '../../errors.ts';
import { decodeDocumentBody, encodeDocumentBody } from '../shared/document-body.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  checkTable,
  documentConflict,
} from '../shared/document-key.ts';
import { fileError } from '../shared/file-errors.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  DocumentVersion,
  StoredDocument,
} from '../../ports/documents.ts';
import { createPackedBodies } from './packed-bodies.ts';
import { createSharedHashes } from './shared-hashes.ts';
import { sqliteError } from './sqlite-errors.ts';
import { openDatabase } from './sqlite-layout.ts';

/**
 * The wait for another process's write blocks this whole process; writes here hold the lock for
 * milliseconds.
 */
const DEFAULT_BUSY_TIMEOUT_MS = 5_000;

const OPEN_RETRY_MS = 20;

/**
 * Documents of one transaction that has many: measured, to create 1,000 of 1.6 KB blocks the
 * process for 40 ms, 20 of them with the lock.
 */
const BATCH = 1_000;

/**
 * A page of a query aims at this many characters of bodies, within the numbers of documents below
 * it.
 */
const PAGE_CHARACTERS = 4_000_000;
const FIRST_PAGE_DOCUMENTS = 64;
const LARGEST_PAGE_DOCUMENTS = 500;

/**
 * Who has written so many documents leaves pages that are split and partly empty, an eighth of the
 * file; it is written anew at the end, where that is a matter of less than a second.
 */
const MANY_WRITTEN = 1_000;
const LARGEST_REWRITTEN_BYTES = 64_000_000;

const WHERE_KEY = 'WHERE tbl = ? AND partition = ? AND sort = ?';
const DELETE = `DELETE FROM documents ${WHERE_KEY}`;
const INSERT = 'INSERT INTO documents (tbl, partition, sort, version, body) VALUES (?, ?, ?, 1, ?)';

interface Row {
  readonly sort: string;
  readonly version: number;
  /** Text, or bytes where it is packed. */
  readonly body: unknown;
}

type Statement = Database.Statement;
type Value = string | number | Uint8Array;

/** Processes of one machine may share the file; a network folder is not safe. */
export interface SqliteDocumentOptions {
  /** Made with its folder when it is not there; SQLite keeps two more files beside it. */
  readonly file: string;
  /**
   * How long a call waits for the writer of another process before it is `STORE_UNAVAILABLE`; 5,000
   * unless given.
   */
  readonly busyTimeoutMs?: number;
}

/**
 * Documents in one SQLite file, shared by any number of processes of one host (never over a network
 * file system: SQLite's locks do not hold there). Sort keys are compared as UTF-8 bytes, the BINARY
 * collation.
 *
 * - WAL lets readers go on while one process writes. `synchronous=FULL` fsyncs the log at every
 *   commit: with NORMAL a power loss takes the last acknowledged commits back, and a ledger entry
 *   that was answered must not vanish.
 * - Every commit is an fsync that this whole process waits for, so what creates or removes many
 *   documents does so in few transactions.
 * - Every put is one statement and so atomic by itself: create-only is `ON CONFLICT DO NOTHING`,
 *   compare-and-set an UPDATE that names the version; both tell by the number of changed rows who
 *   won.
 * - Rows are always fetched to the end, with `all`: after `get` this driver leaves the statement
 *   open, and an open statement with RETURNING keeps the write lock of the whole file.
 * - Bodies are packed (`packed-bodies.ts`).
 * - A process that has written much writes the file anew when it closes it, unless others use it
 *   just then.
 *
 * Throws `STORE_DENIED` when the file cannot be opened or written, `STORE_CORRUPT` when it is no
 * sound database.
 */
export async function openSqliteDocumentStore(
  options: SqliteDocumentOptions,
): Promise<DocumentStore> {
  const file = path.resolve(options.file);
  const busyTimeoutMs = options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS;
  await mkdir(path.dirname(file), { recursive: true }).catch((error: unknown) => {
    throw fileError(error, 'write to', path.dirname(file));
  });
  const deadline = Date.now() + busyTimeoutMs;
  for (;;) {
    try {
      return new SqliteDocumentStore(file, openDatabase(file, busyTimeoutMs));
    } catch (error) {
      // SQLite does not wait for its busy timeout while a new file changes to WAL, which several
      // processes may do at once.
      const busy = (error as { code?: unknown }).code === 'SQLITE_BUSY';
      if (!busy || Date.now() > deadline) throw sqliteError(error, 'open', file);
      await setTimeout(OPEN_RETRY_MS);
    }
  }
}

class SqliteDocumentStore implements DocumentStore {
  readonly kind = 'sqlite';
  readonly #file: string;
  readonly #statements = new Map<string, Statement>();
  readonly #hashes = createSharedHashes({
    of: (number) => {
      const [row] = this.#all('SELECT rest FROM hashes WHERE number = ?', [number]) as {
        rest: ArrayBuffer;
      }[];
      return row?.rest;
    },
    add: (number, rest) => {
      this.#run('INSERT INTO hashes VALUES (?, ?) ON CONFLICT DO NOTHING', [number, rest]);
    },
  });
  readonly #bodies = createPackedBodies(
    {
      of: (table) => {
        const rows = this.#all(
          'SELECT sample FROM dictionary_samples WHERE tbl = ? ORDER BY number',
          [table],
        );
        return (rows as { sample: ArrayBuffer }[]).map(({ sample }) => sample);
      },
      add: (table, number, sample) => {
        this.#run('INSERT INTO dictionary_samples VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
          table,
          number,
          sample,
        ]);
      },
      // Rows go with the whole file, which nobody replaces below an open store.
      has: () => true,
    },
    this.#hashes,
  );
  /** Documents that this process has put, created or not. */
  #written = 0;
  #database: Database.Database | undefined;

  constructor(file: string, database: Database.Database) {
    this.#file = file;
    this.#database = database;
  }

  async get<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkDocumentKey(key);
    const [row] = this.#all(
      `SELECT version, body FROM documents ${WHERE_KEY}`,
      keyValues(key),
    ) as Row[];
    return row === undefined
      ? undefined
      : toDocument<T>(key, row, this.#bodies.unpack(key, row.body));
  }

  async put(
    key: DocumentKey,
    body: object,
    options: { readonly expectedVersion?: number } = {},
  ): Promise<DocumentVersion> {
    checkDocumentKey(key);
    const text = encodeDocumentBody(key, body);
    const { expectedVersion } = options;
    if (expectedVersion !== undefined) checkExpectedVersion(expectedVersion);
    this.#written += 1;
    const version = this.#write(
      () => this.#bodies.pack(key.table, text),
      (stored) =>
        expectedVersion === undefined
          ? this.#replace(key, stored)
          : this.#win(key, stored, expectedVersion),
    );
    return { version };
  }

  async *query<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    checkDocumentQuery(query);
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    let pageSize = FIRST_PAGE_DOCUMENTS;
    let after: string | undefined;
    while (left > 0) {
      const page = this.#page(query, after, Math.min(left, pageSize));
      let characters = 0;
      for (const row of page) {
        const key = { ...query, sort: row.sort };
        const text = this.#bodies.unpack(key, row.body);
        characters += text.length;
        yield toDocument<T>(key, row, text);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < Math.min(left, pageSize)) return;
      left -= page.length;
      after = last.sort;
      pageSize = nextPageSize(page.length, characters);
      // Lets timers and sockets of this process (heartbeats) have their turn: all of the above is
      // synchronous.
      await setImmediate();
    }
  }

  async *partitions(table: string): AsyncIterable<string> {
    checkTable(table);
    // Each look-up jumps to the next partition in the primary key, so that documents are not read.
    const next =
      'SELECT min(partition) AS partition FROM documents WHERE tbl = ? AND partition > ?';
    for (let after = ''; ;) {
      const [row] = this.#all(next, [table, after]) as { partition: string | null }[];
      const partition = row?.partition ?? null;
      if (partition === null) return;
      yield partition;
      after = partition;
    }
  }

  async delete(key: DocumentKey): Promise<void> {
    checkDocumentKey(key);
    this.#run(DELETE, keyValues(key));
  }

  async deleteMany(keys: readonly DocumentKey[]): Promise<void> {
    for (const key of keys) checkDocumentKey(key);
    for (let at = 0; at < keys.length; at += BATCH) {
      if (at > 0) await setImmediate();
      const batch = keys.slice(at, at + BATCH).map(keyValues);
      const remove = (rows: string[][]): void => {
        for (const row of rows) this.#run(DELETE, row);
      };
      this.#write(() => batch, remove, { atOnce: true });
    }
  }

  async createMany(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<boolean[]> {
    for (const { key } of documents) checkDocumentKey(key);
    const created: boolean[] = [];
    this.#written += documents.length;
    for (let at = 0; at < documents.length; at += BATCH) {
      if (at > 0) await setImmediate();
      const batch = documents.slice(at, at + BATCH);
      const pack = (): Value[][] =>
        batch.map(({ key, body }) => [
          ...keyValues(key),
          this.#bodies.pack(key.table, encodeDocumentBody(key, body)),
        ]);
      const create = (rows: Value[][]): boolean[] =>
        rows.map((row) => this.#run(`${INSERT} ON CONFLICT DO NOTHING`, row) === 1);
      created.push(...this.#write(pack, create, { atOnce: true }));
    }
    return created;
  }

  compact(): Promise<void> {
    // Pages that are free keep what they had, and the log what was in pages before: the file is
    // written anew, and the log emptied.
    this.#exec('VACUUM');
    this.#exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const database = this.#database;
    if (database === undefined) return;
    this.#database = undefined;
    this.#statements.clear();
    try {
      database.exec('PRAGMA busy_timeout = 0');
      if (this.#written >= MANY_WRITTEN && (await stat(this.#file)).size <= LARGEST_REWRITTEN_BYTES)
        database.exec('VACUUM');
      // The driver keeps the connection open until its statements are collected, so the log is
      // moved into the file here, and emptied: it would stay as large as it ever was, more than the
      // documents themselves. Without a busy timeout that waits for nobody.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process is busy with the file: it will move the log itself, and everything is
      // durable in the log already.
    } finally {
      database.close();
    }
  }

  /** Creates or replaces; the new version. */
  #replace(key: DocumentKey, stored: Value): number {
    const upsert = `${INSERT} ON CONFLICT DO UPDATE SET version = version + 1, body = excluded.body RETURNING version`;
    const [row] = this.#all(upsert, [...keyValues(key), stored]) as { version: number }[];
    return row?.version ?? 1;
  }

  /** Creates, or replaces exactly the expected version; the new version, or `STORE_CONFLICT`. */
  #win(key: DocumentKey, stored: Value, expectedVersion: number): number {
    const update = `UPDATE documents SET version = version + 1, body = ? ${WHERE_KEY} AND version = ?`;
    const changes =
      expectedVersion === 0
        ? this.#run(`${INSERT} ON CONFLICT DO NOTHING`, [...keyValues(key), stored])
        : this.#run(update, [stored, ...keyValues(key), expectedVersion]);
    if (changes === 1) return expectedVersion + 1;
    const [found] = this.#all(`SELECT version FROM documents ${WHERE_KEY}`, keyValues(key)) as {
      version: number;
    }[];
    throw documentConflict(key, expectedVersion, found?.version);
  }

  /**
   * Packs and writes; in one transaction where more than one statement has to be (`atOnce`), and
   * where packing found hashes that no body has named yet. All of it in one turn of the process, so
   * that nothing else is packed in between.
   */
  #write<P, T>(
    pack: () => P,
    write: (packed: P) => T,
    { atOnce = false }: { readonly atOnce?: boolean } = {},
  ): T {
    for (;;) {
      let committed = false;
      try {
        const packed = pack();
        if (!atOnce && !this.#hashes.hasNew()) return write(packed);
        this.#exec('BEGIN IMMEDIATE');
        if (this.#hashes.write()) {
          const written = write(packed);
          this.#exec('COMMIT');
          committed = true;
          return written;
        }
      } finally {
        // SQLite may have rolled back by itself (full disk); a second ROLLBACK would hide the error
        // that matters.
        if (this.#database?.inTransaction === true) this.#exec('ROLLBACK');
        this.#hashes.settle(committed);
      }
    }
  }

  #page(query: DocumentQuery, after: string | undefined, size: number): Row[] {
    const descending = query.order === 'descending';
    const conditions = ['tbl = ?', 'partition = ?'];
    const values: Value[] = [query.table, query.partition];
    const add = (condition: string, value: string | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add('sort >= ?', query.from);
    add('sort < ?', query.to);
    add(descending ? 'sort < ?' : 'sort > ?', after);
    const order = descending ? 'DESC' : 'ASC';
    const sql = `SELECT sort, version, body FROM documents
      WHERE ${conditions.join(' AND ')} ORDER BY sort ${order} LIMIT ?`;
    return this.#all(sql, [...values, size]) as Row[];
  }

  #all(sql: string, values: readonly Value[]): unknown[] {
    return this.#attempt('use', (database) => this.#statement(database, sql).all(...values));
  }

  #run(sql: string, values: readonly Value[]): number {
    return this.#attempt(
      'write to',
      (database) => this.#statement(database, sql).run(...values).changes,
    );
  }

  #exec(sql: string): void {
    this.#attempt('write to', (database) => database.exec(sql));
  }

  #statement(database: Database.Database, sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #attempt<T>(doing: string, work: (database: Database.Database) => T): T {
    if (this.#database === undefined) {
      throw new PipelineError(
        'INTERNAL',
        `the document store ${this.#file} is used after it was closed`,
      );
    }
    try {
      return work(this.#database);
    } catch (error) {
      throw sqliteError(error, doing, this.#file);
    }
  }
}

function keyValues(key: DocumentKey): string[] {
  return [key.table, key.partition, key.sort];
}

function toDocument<T extends object>(key: DocumentKey, row: Row, text: string): StoredDocument<T> {
  const { table, partition, sort } = key;
  return { table, partition, sort, version: row.version, body: decodeDocumentBody(key, text) as T };
}

/**
 * So many documents that the next page has about `PAGE_CHARACTERS`, going by the bodies of this
 * one.
 */
function nextPageSize(count: number, characters: number): number {
  return Math.min(
    Math.max(Math.floor((PAGE_CHARACTERS * count) / characters), 1),
    LARGEST_PAGE_DOCUMENTS,
  );
}
