import type { MongoClient } from 'mongodb';
import { PipelineError } from '../../errors.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  checkTable,
  documentConflict,
  documentName,
} from '../shared/document-key.ts';
import { createDocumentOverflow } from '../shared/document-overflow.ts';
import type { DocumentOverflow } from '../shared/document-overflow.ts';
import { createMongoClient, describeMongoServer } from './mongo-client.ts';
import type { MongoConnection, MongoServer } from './mongo-client.ts';
import { mongoError, placeOfUrl } from './mongo-errors.ts';
import { nativeCollection, operationalCollection } from './mongo-indexes.ts';
import { nativeRows, operationalRows, versionOfRow } from './mongo-rows.ts';
import type { Fields, RowLayout } from './mongo-rows.ts';
import { MongoTable } from './mongo-table.ts';
import type { NativeTables } from '../shared/native-tables.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  DocumentVersion,
  StoredDocument,
} from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';

/** Documents of one insert of `createMany`; the driver cuts it further when it is large. */
const CREATE_BATCH = 500;

/** Documents that one find of a query asks for: few at first, for readers who stop early. */
const FIRST_PAGE = 100;
const LARGEST_PAGE = 1_000;

/** Tries of a put without an expected version; each loss means that another writer advanced. */
const MAX_REPLACE_TRIES = 100;

/** Collections and indexes are made when they are first needed, where the role may. */
export interface MongoDocumentOptions extends MongoConnection {
  /** Takes the bodies that no document can hold. */
  readonly overflow: ObjectStore;
  /**
   * Logical tables that are collections in a shape of their own; all others have the operational
   * one.
   */
  readonly nativeTables?: NativeTables;
}

/** A document, or what it is part of, for messages. */
type Named = Pick<DocumentKey, 'table'> & Partial<DocumentKey>;

/** Documents with the server that has them, for `doctor`. */
export interface MongoDocumentStore extends DocumentStore {
  /** Asked once and remembered. */
  server(): Promise<MongoServer>;
}

/**
 * Documents in MongoDB, one collection per logical table, no feature that needs a replica set.
 *
 * - `_id` is made of partition and sort key, so a create is an insert that fails when the `_id` is
 *   there: atomic on every server. Compare- and-set is one replacement whose filter names the row
 *   and its version. Both are acknowledged by a majority, with the journal.
 * - FerretDB (1.24.2, measured) lets several compare-and-set writers win, silently: there they are
 *   refused with `STORE_DENIED`. What stays is create-only and replace; versions of documents
 *   replaced by several writers at once may count too few.
 * - A query fetches page by page from the sort key where the last one ended: a cursor that waits
 *   for its reader is closed by the server after ten minutes, and dies with a change of primary.
 */
export function openMongoDocumentStore(options: MongoDocumentOptions): MongoDocumentStore {
  return new MongoStore(options);
}

class MongoStore implements MongoDocumentStore {
  readonly kind = 'mongodb';
  readonly #client: MongoClient;
  readonly #database: string;
  readonly #place: string;
  readonly #overflow: DocumentOverflow;
  readonly #nativeTables: NativeTables;
  readonly #tables = new Map<string, MongoTable>();
  #connected: Promise<MongoClient> | undefined;
  #closed = false;
  #server: Promise<MongoServer> | undefined;

  constructor(options: MongoDocumentOptions) {
    this.#client = createMongoClient(options);
    this.#database = options.database;
    this.#place = `${placeOfUrl(options.url)}/${options.database}`;
    this.#overflow = createDocumentOverflow(options.overflow);
    this.#nativeTables = options.nativeTables ?? {};
  }

  server(): Promise<MongoServer> {
    this.#server ??= this.#attempt('ask', undefined, () => describeMongoServer(this.#client)).catch(
      (error: unknown) => {
        this.#server = undefined;
        throw error;
      },
    );
    return this.#server;
  }

  async get<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkDocumentKey(key);
    const table = this.#tableOf(key.table);
    const found = await this.#attempt('read', key, () => table.find(key));
    return found === null ? undefined : toDocument<T>(table.layout, key, found);
  }

  async put(
    key: DocumentKey,
    body: object,
    options: { readonly expectedVersion?: number } = {},
  ): Promise<DocumentVersion> {
    checkDocumentKey(key);
    const { expectedVersion } = options;
    if (expectedVersion !== undefined) checkExpectedVersion(expectedVersion);
    if (expectedVersion !== undefined && expectedVersion > 0) await this.#requireAtomicUpdates(key);
    const table = this.#tableOf(key.table);
    const stored = await table.layout.encode(key, body);
    await this.#ensureIndexes(table);
    const version = await this.#attempt('write', key, () =>
      expectedVersion === undefined
        ? this.#replace(table, key, stored)
        : this.#win(table, key, stored, expectedVersion),
    );
    return { version };
  }

  async *query<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    checkDocumentQuery(query);
    const { table: name, partition, limit = Number.POSITIVE_INFINITY } = query;
    const table = this.#tableOf(name);
    let pageSize = Math.min(limit, FIRST_PAGE);
    let after: string | undefined;
    for (let left = limit; left > 0; pageSize = Math.min(left, LARGEST_PAGE)) {
      let found = 0;
      try {
        await this.#connect();
        for await (const row of table.page(query, after, pageSize)) {
          found += 1;
          after = row[table.layout.sort] as string;
          yield await toDocument<T>(table.layout, { table: name, partition, sort: after }, row);
        }
      } catch (error) {
        throw mongoError(error, 'query', this.#placeOf(query));
      }
      if (found < pageSize) return;
      left -= found;
    }
  }

  async *partitions(table: string): AsyncIterable<string> {
    checkTable(table);
    // All names at once: a cursor that waits while each partition is copied would be closed by the
    // server.
    const found = this.#attempt('list the partitions of', { table }, () =>
      this.#tableOf(table).partitions(),
    );
    yield* await found;
  }

  async delete(key: DocumentKey): Promise<void> {
    checkDocumentKey(key);
    await this.#attempt('delete', key, () => this.#tableOf(key.table).delete(key));
  }

  async createMany(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<boolean[]> {
    for (const { key } of documents) checkDocumentKey(key);
    const placed = documents.map(({ key, body }, place) => ({ key, body, place }));
    const created = documents.map(() => false);
    for (const [name, wanted] of byTable(placed)) {
      const table = this.#tableOf(name);
      await this.#ensureIndexes(table);
      for (let at = 0; at < wanted.length; at += CREATE_BATCH) {
        const batch = wanted.slice(at, at + CREATE_BATCH);
        const rows = await Promise.all(
          batch.map(async ({ key, body }) => ({
            key,
            stored: await table.layout.encode(key, body),
          })),
        );
        const taken = await this.#attempt('write', { table: name }, () => table.createMany(rows));
        batch.forEach(({ place }, n) => (created[place] = !taken.has(n)));
      }
    }
    return created;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  #tableOf(name: string): MongoTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const native = this.#nativeTables[name];
    const [layout, plan] =
      native === undefined
        ? [operationalRows(name, this.#overflow), operationalCollection(name)]
        : [nativeRows(native, this.#overflow), nativeCollection(native)];
    const table = new MongoTable(this.#client.db(this.#database), layout, plan);
    this.#tables.set(name, table);
    return table;
  }

  /** Creates or replaces whatever is there; the new version. */
  async #replace(table: MongoTable, key: DocumentKey, stored: Fields): Promise<number> {
    // FerretDB cannot leave the body out of its answer.
    const slim = (await this.server()).product === 'MongoDB';
    for (let tries = 0; tries < MAX_REPLACE_TRIES; tries += 1) {
      const version = await table.replace(key, stored, slim);
      if (version !== undefined) return version;
    }
    const message = `cannot write ${this.#placeOf(key)}: others replace it without a pause; try again`;
    throw new PipelineError('STORE_UNAVAILABLE', message, { retryAfterMs: 1_000 });
  }

  /** Creates, or replaces exactly the expected version; the new version, or `STORE_CONFLICT`. */
  async #win(
    table: MongoTable,
    key: DocumentKey,
    stored: Fields,
    expectedVersion: number,
  ): Promise<number> {
    const won =
      expectedVersion === 0
        ? await table.create(key, stored)
        : await table.replaceVersion(key, stored, expectedVersion);
    if (won) return expectedVersion + 1;
    const found = await table.versionOf(key);
    if (expectedVersion === 0 && found === undefined) throw table.inTheWay(key);
    throw documentConflict(key, expectedVersion, found);
  }

  async #requireAtomicUpdates(key: DocumentKey): Promise<void> {
    const { product, version, atomicUpdates } = await this.server();
    if (atomicUpdates) return;
    throw new PipelineError(
      'STORE_DENIED',
      `cannot replace an expected version of ${documentName(key)}: ${product} ${version} at ${this.#place} lets several writers ` +
        'win at once; use MongoDB itself, or the embedded store',
      { context: { place: this.#place, product, version } },
    );
  }

  /** Before the first write to a table; reading makes no collection. */
  async #ensureIndexes(table: MongoTable): Promise<void> {
    const named = { table: table.layout.collection };
    await this.#attempt('make the indexes of', named, () => table.ensureIndexes());
  }

  /**
   * Explicit, because a client whose first connection failed by itself is unusable from then on
   * (driver 7.8: "Topology is closed").
   */
  #connect(): Promise<MongoClient> {
    if (this.#closed) {
      throw new PipelineError(
        'INTERNAL',
        `the document store ${this.#place} is used after it was closed`,
      );
    }
    this.#connected ??= this.#client.connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #attempt<R>(doing: string, key: Named | undefined, work: () => Promise<R>): Promise<R> {
    try {
      await this.#connect();
      return await work();
    } catch (error) {
      throw mongoError(error, doing, key === undefined ? this.#place : this.#placeOf(key));
    }
  }

  #placeOf({ table, partition, sort }: Named): string {
    const names = [table, partition, sort].filter((name) => name !== undefined);
    return `${names.join(':')} in ${this.#place}`;
  }
}

async function toDocument<T extends object>(
  layout: RowLayout,
  key: DocumentKey,
  row: Fields,
): Promise<StoredDocument<T>> {
  const { table, partition, sort } = key;
  const version = versionOfRow(layout, key, row);
  return { table, partition, sort, version, body: (await layout.decode(key, row)) as T };
}

function byTable<T extends { readonly key: DocumentKey }>(
  documents: readonly T[],
): Map<string, T[]> {
  const tables = new Map<string, T[]>();
  for (const document of documents) {
    const known = tables.get(document.key.table);
    if (known === undefined) tables.set(document.key.table, [document]);
    else known.push(document);
  }
  return tables;
}
