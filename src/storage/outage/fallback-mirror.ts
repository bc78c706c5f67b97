import { createHash } from 'node:crypto';
import { definedMembers } from '../../given.ts';
import { compareBytes } from '../shared/byte-order.ts';
import { hashInKey } from '../shared/content-key.ts';
import { hashOfBody } from '../shared/document-hash.ts';
import type { DocumentView } from './journal-records.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  StoredDocument,
} from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';

/** Documents of a query that are compared with the mirror at once. */
const COMPARED_AT_ONCE = 256;

/**
 * The table of the mirror that knows the bytes of replaceable objects; no table of the product
 * begins so.
 */
const NAMES_TABLE = 'mirror.object-names';

interface Mirrored {
  readonly version: number;
  readonly body: JsonObject;
}

/**
 * What this host has last seen of the primary stores: every document that it read or wrote, and the
 * hash of every object that it wrote. It answers reads while the primary store is away, and tells
 * the journal what a write was based on.
 *
 * It is a copy and may be behind: a replay compares what it said with the primary store before it
 * writes. A failure to write the copy does not fail the call that brought it; `failures` counts
 * them.
 */
export interface StoreMirror {
  readonly failures: number;
  /** The document as it was last seen; undefined when it was absent, or never seen. */
  document<T extends object = JsonObject>(key: DocumentKey): Promise<StoredDocument<T> | undefined>;
  query<T extends object = JsonObject>(query: DocumentQuery): AsyncIterable<StoredDocument<T>>;
  partitions(table: string): AsyncIterable<string>;
  /** The document is so now; undefined: it does not exist. */
  learn(
    key: DocumentKey,
    seen: Pick<StoredDocument<object>, 'version' | 'body'> | undefined,
  ): Promise<void>;
  learnCreated(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<void>;
  /** Passes the documents of a query on and learns them, and that there are none between them. */
  learning<T extends object>(
    query: DocumentQuery,
    found: AsyncIterable<StoredDocument<T>>,
  ): AsyncGenerator<StoredDocument<T>>;
  /**
   * The hash of the object's bytes when it was last written from here; null when it was deleted, or
   * never written.
   */
  object(key: string): Promise<string | null>;
  /** Keys that end in their hash are not kept: nobody replaces them. */
  learnObject(key: string, sha256: string | null): Promise<void>;
}

/** Keeps the mirror in tables of `local`, which nothing else uses. */
export function createStoreMirror(local: DocumentStore): StoreMirror {
  return new DocumentMirror(local);
}

/** Version 0 and no hash for a document that is not there. */
export function viewOf(
  document: Pick<StoredDocument<object>, 'version' | 'body'> | undefined,
): DocumentView {
  if (document === undefined) return { version: 0, sha256: null };
  return { version: document.version, sha256: hashOfBody(document.body) };
}

class DocumentMirror implements StoreMirror {
  readonly #local: DocumentStore;
  #failures = 0;

  constructor(local: DocumentStore) {
    this.#local = local;
  }

  get failures(): number {
    return this.#failures;
  }

  async document<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    const found = await this.#local.get<Mirrored>(key);
    return found === undefined ? undefined : original<T>(found);
  }

  async *query<T extends object>(query: DocumentQuery): AsyncGenerator<StoredDocument<T>> {
    for await (const found of this.#local.query<Mirrored>(query)) yield original<T>(found);
  }

  partitions(table: string): AsyncIterable<string> {
    return this.#local.partitions(table);
  }

  async learn(
    key: DocumentKey,
    seen: Pick<StoredDocument<object>, 'version' | 'body'> | undefined,
  ): Promise<void> {
    await this.#tolerate(async () => {
      const known = await this.#local.get<Mirrored>(key);
      if (seen === undefined && known !== undefined) await this.#local.delete(key);
      if (seen !== undefined && !saysTheSame(known, seen))
        await this.#local.put(key, mirrored(seen));
    });
  }

  async learnCreated(
    documents: readonly { readonly key: DocumentKey; readonly body: object }[],
  ): Promise<void> {
    await this.#tolerate(async () => {
      const bodies = documents.map(({ key, body }) => ({
        key,
        body: mirrored({ version: 1, body }),
      }));
      const created = await this.#local.createMany(bodies);
      // Known from before it was deleted elsewhere.
      for (const [at, { key, body }] of bodies.entries())
        if (created[at] !== true) await this.#local.put(key, body);
    });
  }

  async *learning<T extends object>(
    query: DocumentQuery,
    found: AsyncIterable<StoredDocument<T>>,
  ): AsyncGenerator<StoredDocument<T>> {
    let seen: StoredDocument<T>[] = [];
    // Where the part of the range begins that was not compared yet.
    let from: string | undefined;
    for await (const document of found) {
      seen.push(document);
      yield document;
      if (seen.length < COMPARED_AT_ONCE) continue;
      await this.#compare(query, seen, { last: from, complete: false });
      from = document.sort;
      seen = [];
    }
    const complete = query.limit === undefined;
    await this.#compare(query, seen, { last: from, complete });
  }

  async object(key: string): Promise<string | null> {
    const found = await this.#local.get<{ sha256: string }>(nameKey(key));
    return found?.body.sha256 ?? null;
  }

  async learnObject(key: string, sha256: string | null): Promise<void> {
    if (hashInKey(key) !== undefined) return;
    await this.#tolerate(async () => {
      if (sha256 === null) await this.#local.delete(nameKey(key));
      else await this.#local.put(nameKey(key), { key, sha256 });
    });
  }

  /**
   * Makes the mirror equal to what was seen, from behind `last` to the end of the range or of what
   * was seen.
   */
  async #compare<T extends object>(
    query: DocumentQuery,
    seen: readonly StoredDocument<T>[],
    { last, complete }: { readonly last: string | undefined; readonly complete: boolean },
  ): Promise<void> {
    await this.#tolerate(async () => {
      const known = new Map<string, StoredDocument<Mirrored>>();
      const range = rangeSeen(query, last, complete ? undefined : seen.at(-1)?.sort);
      if (range === undefined) return;
      for await (const document of this.#local.query<Mirrored>({ ...keyOf(query), ...range }))
        known.set(document.sort, document);
      const fresh = seen.filter(({ sort }) => !known.has(sort));
      await this.#local.createMany(
        fresh.map((document) => ({ key: keyOfDocument(document), body: mirrored(document) })),
      );
      for (const document of seen) {
        const before = known.get(document.sort);
        known.delete(document.sort);
        if (before === undefined || saysTheSame(before, document)) continue;
        await this.#local.put(keyOfDocument(document), mirrored(document));
      }
      for (const sort of known.keys())
        if (sort !== last) await this.#local.delete({ ...keyOf(query), sort });
    });
  }

  /** A copy that cannot be kept must not fail what was done in the primary store. */
  async #tolerate(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      this.#failures += 1;
    }
  }
}

/**
 * The range `[from, to)` of sort keys that a part of an ordered answer covers; undefined when it
 * covers nothing for sure.
 */
function rangeSeen(
  query: DocumentQuery,
  last: string | undefined,
  end: string | undefined,
): { from?: string; to?: string } | undefined {
  const descending = query.order === 'descending';
  if (end === undefined && query.limit !== undefined) return undefined;
  const lower = descending ? (end ?? query.from) : (last ?? query.from);
  const upper = descending
    ? (following(last) ?? query.to)
    : end === undefined
      ? query.to
      : following(end);
  if (lower !== undefined && upper !== undefined && compareBytes(lower, upper) >= 0)
    return undefined;
  return definedMembers({ from: lower, to: upper });
}

/** The least text that comes after this one. */
function following(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${text}\0`;
}

function keyOf({ table, partition }: DocumentQuery): { table: string; partition: string } {
  return { table, partition };
}

function keyOfDocument({ table, partition, sort }: DocumentKey): DocumentKey {
  return { table, partition, sort };
}

function mirrored({ version, body }: Pick<StoredDocument<object>, 'version' | 'body'>): Mirrored {
  return { version, body: body as JsonObject };
}

function original<T extends object>({
  table,
  partition,
  sort,
  body,
}: StoredDocument<Mirrored>): StoredDocument<T> {
  return { table, partition, sort, version: body.version, body: body.body as unknown as T };
}

function saysTheSame(
  known: StoredDocument<Mirrored> | undefined,
  seen: Pick<StoredDocument<object>, 'version' | 'body'>,
): boolean {
  return (
    known?.body.version === seen.version && hashOfBody(known.body.body) === hashOfBody(seen.body)
  );
}

/** Object keys may be longer than a sort key. */
function nameKey(key: string): DocumentKey {
  const sort = createHash('sha256').update(key).digest('hex');
  return { table: NAMES_TABLE, partition: sort.slice(0, 2), sort };
}
