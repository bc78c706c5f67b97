import { decodeDocumentBody, encodeDocumentBody } from '../shared/document-body.ts';
import { hashOfBody } from '../shared/document-hash.ts';
import { compareBytes } from '../shared/byte-order.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  documentConflict,
} from '../shared/document-key.ts';
import { viewOf } from './fallback-mirror.ts';
import { isAway } from './fallback-parts.ts';
import type { FallbackParts, UseCounter } from './fallback-parts.ts';
import type { NewEntry } from './journal.ts';
import type { DocumentView } from './journal-records.ts';
import type { Numbering } from './reconcile-parts.ts';
import type { JournalState, PendingDocument } from './journal-state.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  PutDocument,
  StoredDocument,
} from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import { nthOf } from '../../given.ts';

const VIEWS_AT_ONCE = 16;

interface NewDocument {
  readonly key: DocumentKey;
  readonly body: object;
}

/** The documents of a host, with its fallback; see `createFallbackStores` for what holds. */
export class FallbackDocuments implements DocumentStore {
  readonly kind: string;
  readonly #parts: FallbackParts;
  readonly #use: UseCounter;

  constructor(parts: FallbackParts, use: UseCounter) {
    this.kind = parts.primary.documents.kind;
    this.#parts = parts;
    this.#use = use;
  }

  /** The pending write of this host when there is one, else the store, else what was seen of it. */
  async get<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    checkDocumentKey(key);
    const state = await this.#parts.journal.refresh();
    const pending = state.document(key);
    if (pending === undefined) return this.#current<T>(key);
    const own = await this.#pendingDocument<T>(pending);
    if (own === undefined || this.#numberingOf(key) === undefined) return own;
    return this.#unsure(own, await this.#current<T>(key));
  }

  /**
   * Goes to the journal while writes of this host wait, also when the store answers again: their
   * order stays.
   */
  async put(
    key: DocumentKey,
    body: object,
    options: { readonly expectedVersion?: number } = {},
  ): Promise<PutDocument> {
    const { primary, mirror } = this.#parts;
    const { expectedVersion } = options;
    checkDocumentKey(key);
    if (expectedVersion !== undefined) checkExpectedVersion(expectedVersion);
    return this.#write<PutDocument>(
      async () => {
        const { version } = await primary.documents.put(key, body, options);
        await mirror.learn(key, { version, body: plainBody(key, body) });
        return { version };
      },
      (state) => this.#putJournaled(state, key, body, expectedVersion),
    );
  }

  /** Pending documents replace those of the store, in the order of the query. */
  async *query<T extends object>(query: DocumentQuery): AsyncGenerator<StoredDocument<T>> {
    checkDocumentQuery(query);
    const state = await this.#parts.journal.refresh();
    const pending = inRange(query, state.documentsIn(query));
    // Read at once: what is settled meanwhile leaves the journal.
    const own = await Promise.all(pending.map((entry) => this.#pendingDocument<T>(entry)));
    if (pending.length === 0) {
      yield* this.#currentRange<T>(query);
      return;
    }
    const sorts = pending.map((entry) => entry.key.sort);
    // Pending deletions may hide as many of the others.
    const wider =
      query.limit === undefined ? query : { ...query, limit: query.limit + pending.length };
    const both = (mine: StoredDocument<T>, other?: StoredDocument<T>) => this.#unsure(mine, other);
    const merged = merge(
      sorts,
      own,
      this.#currentRange<T>(wider),
      query.order === 'descending',
      both,
    );
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    if (left === 0) return;
    for await (const document of merged) {
      yield document;
      left -= 1;
      if (left === 0) return;
    }
  }

  /** In no order; those with pending puts first. */
  async *partitions(table: string): AsyncGenerator<string> {
    const { journal, primary, breakers, mirror } = this.#parts;
    const pending = new Set((await journal.refresh()).partitionsOf(table));
    yield* pending;
    const known = orElse(primary.documents.partitions(table), (error) => {
      if (!isAway(error, breakers.documents)) throw error;
      this.#use.staleReads += 1;
      return mirror.partitions(table);
    });
    for await (const partition of known) if (!pending.has(partition)) yield partition;
  }

  /** Journaled like a put; a document that is not there is no error. */
  async delete(key: DocumentKey): Promise<void> {
    checkDocumentKey(key);
    const { primary, mirror } = this.#parts;
    await this.#write(
      async () => {
        await primary.documents.delete(key);
        await mirror.learn(key, undefined);
      },
      async (state) => {
        const before = await this.#view(state, key);
        const [outcome] = await this.#journal([{ kind: 'document-delete', key, before }]);
        return outcome?.kind === 'void' ? undefined : { value: undefined };
      },
    );
  }

  /** One record of the journal for each document that is created. */
  async createMany(documents: readonly NewDocument[]): Promise<readonly boolean[]> {
    const { primary, mirror } = this.#parts;
    for (const { key } of documents) checkDocumentKey(key);
    return this.#write(
      async () => {
        const created = await primary.documents.createMany(documents);
        await mirror.learnCreated(documents.filter((_, at) => created[at] === true));
        for (const [at, { key }] of documents.entries())
          if (created[at] !== true) await this.#learn(key);
        return created;
      },
      (state) => this.#createJournaled(state, documents),
    );
  }

  /**
   * Nothing of its own is open: the stores, the breaker and the journal belong to whoever opened
   * them.
   */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Writes to the primary store, unless that is away or anything is pending. `journaled` returns
   * undefined when the segment ended meanwhile: then nothing is pending any more, and it is decided
   * anew.
   */
  async #write<T>(
    direct: () => Promise<T>,
    journaled: (state: JournalState) => Promise<{ readonly value: T } | undefined>,
  ): Promise<T> {
    const { journal, breakers } = this.#parts;
    for (;;) {
      const state = await journal.refresh();
      if (state.pending.size === 0) {
        try {
          return await direct();
        } catch (error) {
          if (!isAway(error, breakers.documents)) throw error;
        }
      }
      const written = await journaled(state);
      if (written !== undefined) return written.value;
    }
  }

  async #putJournaled(
    state: JournalState,
    key: DocumentKey,
    body: object,
    expectedVersion: number | undefined,
  ): Promise<{ value: PutDocument } | undefined> {
    const stored = plainBody(key, body);
    const before = await this.#view(state, key);
    if (expectedVersion !== undefined && expectedVersion !== before.version) {
      throw documentConflict(
        key,
        expectedVersion,
        before.version === 0 ? undefined : before.version,
      );
    }
    const [outcome] = await this.#journal([putEntry(key, before, stored, expectedVersion ?? null)]);
    if (outcome === undefined || outcome.kind === 'void') return undefined;
    if (outcome.kind === 'refused') {
      throw documentConflict(
        key,
        expectedVersion ?? 0,
        outcome.found === 0 ? undefined : outcome.found,
      );
    }
    return { value: { version: outcome.after?.version ?? before.version + 1, isPending: true } };
  }

  async #createJournaled(
    state: JournalState,
    documents: readonly NewDocument[],
  ): Promise<{ value: boolean[] } | undefined> {
    const bodies = documents.map(({ key, body }) => plainBody(key, body));
    const views: DocumentView[] = [];
    for (let at = 0; at < documents.length; at += VIEWS_AT_ONCE) {
      const some = documents.slice(at, at + VIEWS_AT_ONCE);
      views.push(...(await Promise.all(some.map(({ key }) => this.#view(state, key)))));
    }
    const created = views.map(({ version }) => version === 0);
    const wanted = documents.flatMap(({ key }, at) => (created[at] === true ? [{ key, at }] : []));
    const outcomes = await this.#journal(
      wanted.map(({ key, at }) => putEntry(key, { version: 0, sha256: null }, bodies[at] ?? {}, 0)),
    );
    // All or none of one append are void.
    if (outcomes.some(({ kind }) => kind === 'void')) return undefined;
    for (const [which, { at }] of wanted.entries())
      created[at] = outcomes[which]?.kind === 'accepted';
    return { value: created };
  }

  async #journal(entries: readonly NewEntry[]) {
    const outcomes = await this.#parts.journal.append(entries);
    this.#use.journaledWrites += outcomes.filter(({ kind }) => kind === 'accepted').length;
    return outcomes;
  }

  /**
   * What a write is based on: the pending writes, else the primary store, else what was last seen
   * of it.
   */
  async #view(state: JournalState, key: DocumentKey): Promise<DocumentView> {
    return state.document(key)?.after ?? viewOf(await this.#current<JsonObject>(key));
  }

  async #current<T extends object>(key: DocumentKey): Promise<StoredDocument<T> | undefined> {
    const { primary, breakers, mirror } = this.#parts;
    try {
      const found = await primary.documents.get<T>(key);
      await mirror.learn(key, found);
      return found;
    } catch (error) {
      if (!isAway(error, breakers.documents)) throw error;
      this.#use.staleReads += 1;
      return mirror.document<T>(key);
    }
  }

  /** Makes sure that a document which somebody else created is known here, too. */
  async #learn(key: DocumentKey): Promise<void> {
    if ((await this.#parts.mirror.document(key)) === undefined) await this.#current(key);
  }

  #currentRange<T extends object>(query: DocumentQuery): AsyncIterable<StoredDocument<T>> {
    const { primary, breakers, mirror } = this.#parts;
    return orElse(mirror.learning<T>(query, primary.documents.query<T>(query)), (error) => {
      if (!isAway(error, breakers.documents)) throw error;
      this.#use.staleReads += 1;
      return mirror.query<T>(query);
    });
  }

  #numberingOf(key: DocumentKey): Numbering | undefined {
    return this.#parts.rules?.numbering?.(key);
  }

  /**
   * A pending document as it reads: one that was numbered here does not hide a newer one of another
   * host.
   */
  #unsure<T extends object>(
    own: StoredDocument<T>,
    other: StoredDocument<T> | undefined,
  ): StoredDocument<T> {
    const numbering = this.#numberingOf(own);
    if (numbering === undefined) return own;
    const ours = own.body as JsonObject;
    const body = other === undefined ? ours : numbering.together(ours, other.body as JsonObject);
    return { ...own, body: numbering.unsure(body, this.#parts.host, undefined) as T };
  }

  async #pendingDocument<T extends object>(
    entry: PendingDocument,
  ): Promise<StoredDocument<T> | undefined> {
    this.#use.pendingReads += 1;
    if (entry.kind === 'document-delete') return undefined;
    const body = await this.#parts.journal.bodyOf(entry);
    return { ...keyOf(entry.key), version: entry.after.version, body: body as unknown as T };
  }
}

/** The body as it would come back from a store; `INPUT_INVALID` for what is not JSON. */
function plainBody(key: DocumentKey, body: object): JsonObject {
  return decodeDocumentBody(key, encodeDocumentBody(key, body)) as JsonObject;
}

function putEntry(
  key: DocumentKey,
  before: DocumentView,
  body: JsonObject,
  expected: number | null,
): NewEntry {
  return {
    kind: 'document-put',
    key: keyOf(key),
    before,
    expected,
    sha256: hashOfBody(body),
    body,
  };
}

function keyOf({ table, partition, sort }: DocumentKey): DocumentKey {
  return { table, partition, sort };
}

/** The entries whose sort keys the query asks for, in its order. */
function inRange(query: DocumentQuery, entries: readonly PendingDocument[]): PendingDocument[] {
  const { from, to } = query;
  const inside = entries.filter(
    ({ key: { sort } }) =>
      (from === undefined || compareBytes(sort, from) >= 0) &&
      (to === undefined || compareBytes(sort, to) < 0),
  );
  inside.sort((a, b) => compareBytes(a.key.sort, b.key.sort));
  return query.order === 'descending' ? inside.reverse() : inside;
}

/**
 * Both in one order; where both have a sort key, `both` says what holds, and an own `undefined`
 * hides the other.
 */
async function* merge<T extends object>(
  sorts: readonly string[],
  own: readonly (StoredDocument<T> | undefined)[],
  others: AsyncIterable<StoredDocument<T>>,
  descending: boolean,
  both: (mine: StoredDocument<T>, other?: StoredDocument<T>) => StoredDocument<T>,
): AsyncGenerator<StoredDocument<T>> {
  let at = 0;
  const sign = descending ? -1 : 1;
  for await (const other of others) {
    for (; at < sorts.length && sign * compareBytes(nthOf(sorts, at), other.sort) < 0; at += 1) {
      const mine = own[at];
      if (mine !== undefined) yield both(mine);
    }
    if (sorts[at] !== other.sort) {
      yield other;
      continue;
    }
    const mine = own[at];
    at += 1;
    if (mine !== undefined) yield both(mine, other);
  }
  for (const mine of own.slice(at)) if (mine !== undefined) yield both(mine);
}

/**
 * The items, or others when not even the first could be had; what goes wrong later is the caller's
 * to try again.
 */
async function* orElse<T>(
  items: AsyncIterable<T>,
  others: (error: unknown) => AsyncIterable<T>,
): AsyncGenerator<T> {
  let begun = false;
  try {
    for await (const item of items) {
      begun = true;
      yield item;
    }
    return;
  } catch (error) {
    if (begun) throw error;
    items = others(error);
  }
  yield* items;
}
