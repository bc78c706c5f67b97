import { errorCodeOf } from '../../errors.ts';
import { definedMembers } from '../../given.ts';
import { compareBytes } from '../shared/byte-order.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  checkTable,
  documentConflict,
} from '../shared/document-key.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  PutDocument,
  StoredDocument,
} from '../../ports/documents.ts';
import { mergeSorted } from '../shared/merge-sorted.ts';
import { createMemoryDocumentStore } from './memory.ts';

/**
 * The documents of `base` with changes that only this store knows: they are kept in memory, and
 * `base` is only read. For trying what work would write. Versions go on from those of `base`, so
 * that whoever compares and sets wins or loses as there.
 */
export function createOverlayDocuments(base: DocumentStore): DocumentStore {
  return new OverlayDocuments(base);
}

class OverlayDocuments implements DocumentStore {
  readonly kind: string;
  readonly #base: DocumentStore;
  readonly #own = createMemoryDocumentStore();
  /**
   * How far the version of a document here is from the number of puts in memory; what is in it
   * hides the document of `base`.
   */
  readonly #hidden = new Map<string, number>();

  constructor(base: DocumentStore) {
    this.kind = base.kind;
    this.#base = base;
  }

  async get<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkDocumentKey(key);
    const versions = this.#hidden.get(nameOf(key));
    if (versions === undefined) return this.#base.get<T>(key);
    const found = await this.#own.get<T>(key);
    return found === undefined ? undefined : { ...found, version: found.version + versions };
  }

  async put(
    key: DocumentKey,
    body: object,
    { expectedVersion }: { readonly expectedVersion?: number } = {},
  ): Promise<PutDocument> {
    checkDocumentKey(key);
    if (expectedVersion !== undefined) checkExpectedVersion(expectedVersion);
    const name = nameOf(key);
    const versions = this.#hidden.get(name) ?? (await this.#base.get(key))?.version ?? 0;
    const current = ((await this.#own.get(key))?.version ?? 0) + versions;
    if (expectedVersion !== undefined && expectedVersion !== current) {
      throw documentConflict(key, expectedVersion, current === 0 ? undefined : current);
    }
    // Of two that have looked one loses here: what is in memory is what it was for both.
    const before = expectedVersion === undefined ? undefined : expectedVersion - versions;
    const { version } = await this.#own.put(key, body, definedMembers({ expectedVersion: before }));
    // Only now: a write that was refused hides nothing.
    this.#hidden.set(name, versions);
    return { version: version + versions };
  }

  async *query<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    checkDocumentQuery(query);
    const { limit = Number.POSITIVE_INFINITY, ...all } = query;
    const own: StoredDocument<T>[] = [];
    for await (const { table, partition, sort } of this.#own.query<T>(all)) {
      const found = await this.get<T>({ table, partition, sort });
      if (found !== undefined) own.push(found);
    }
    const isBefore = (one: DocumentKey, other: DocumentKey): boolean =>
      compareBytes(one.sort, other.sort) < 0 !== (query.order === 'descending');
    let given = 0;
    for await (const document of mergeSorted(this.#visible<T>(all), own, isBefore)) {
      if (given >= limit) return;
      given += 1;
      yield document;
    }
  }

  async *partitions(table: string): AsyncIterable<string> {
    checkTable(table);
    const seen = new Set<string>();
    for await (const partition of this.#own.partitions(table)) {
      seen.add(partition);
      yield partition;
    }
    for await (const partition of this.#base.partitions(table)) {
      if (seen.has(partition)) continue;
      for await (const _ of this.query({ table, partition, limit: 1 })) yield partition;
    }
  }

  async delete(key: DocumentKey): Promise<void> {
    checkDocumentKey(key);
    await this.#own.delete(key);
    this.#hidden.set(nameOf(key), 0);
  }

  async createMany(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<boolean[]> {
    const created: boolean[] = [];
    for (const { key } of documents) checkDocumentKey(key);
    for (const { key, body } of documents) {
      const made = await this.put(key, body, { expectedVersion: 0 }).catch((error: unknown) => {
        if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
      });
      created.push(made !== undefined);
    }
    return created;
  }

  async close(): Promise<void> {
    await this.#own.close();
  }

  async *#visible<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    for await (const document of this.#base.query<T>(query))
      if (!this.#hidden.has(nameOf(document))) yield document;
  }
}

function nameOf({ table, partition, sort }: DocumentKey): string {
  return JSON.stringify([table, partition, sort]);
}
