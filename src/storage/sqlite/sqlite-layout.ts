import Database from 'libsql';
import { PipelineError } from '../../errors.ts';

/**
 * The layout below; a file with a larger number was written by a newer version of the product.
 * Layout 1 had every body as text, layout 2 had all hashes within the bodies, layout 3 named a hash
 * again that follows itself: all are read as they are, and a body is packed as now when its
 * document is replaced. The change of a file is no more than the new tables.
 */
const LAYOUT_VERSION = 4;

/**
 * Of a new file; one that is there keeps what it has. A row of more than a quarter of a page takes
 * whole pages of its own, and packed ledger records have up to 1.4 KB: with SQLite's own 4 KiB, a
 * quarter of the file was air. A commit takes as long with either (it waits for its fsync).
 */
const PAGE_BYTES = 8_192;

const LAYOUT = `
  CREATE TABLE IF NOT EXISTS documents (
    tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL,
    version INTEGER NOT NULL, body TEXT NOT NULL, -- a BLOB where it is packed
    PRIMARY KEY (tbl, partition, sort)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dictionary_samples (
    tbl TEXT NOT NULL, number INTEGER NOT NULL, sample BLOB NOT NULL,
    PRIMARY KEY (tbl, number)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS hashes (
    number INTEGER PRIMARY KEY, -- the first four bytes of the hash
    rest BLOB NOT NULL
  )`;

/** The database of a file, made or brought to the layout above; throws the driver's own errors. */
export function openDatabase(file: string, busyTimeoutMs: number): Database.Database {
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const [found] = database.prepare('PRAGMA user_version').all() as { user_version: number }[];
    const version = found?.user_version ?? 0;
    if (version > LAYOUT_VERSION) {
      const message = `${file} was written by a newer version (layout ${version}, this one knows ${LAYOUT_VERSION})`;
      throw new PipelineError(
        'STORE_DENIED',
        `${message}: update this installation or choose another file`,
      );
    }
    if (version < LAYOUT_VERSION)
      database.exec(`BEGIN IMMEDIATE; ${LAYOUT}; PRAGMA user_version = ${LAYOUT_VERSION}; COMMIT`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
