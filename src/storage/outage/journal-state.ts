import { documentName } from '../shared/document-key.ts';
import type {
  ClaimRecord,
  DocumentDeleteEntry,
  DocumentPutEntry,
  DocumentView,
  JournalRecord,
  ObjectDeleteEntry,
  ObjectPutEntry,
  SettledRecord,
} from './journal-records.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** Where a record lies in its segment, `[start, end)`, newline included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A document's entry without its body, which may be large and stays on disk; `before` is what the
 * journal found to be true.
 */
export type PendingDocument = (Omit<DocumentPutEntry, 'body'> | DocumentDeleteEntry) & {
  readonly span: Span;
  readonly after: DocumentView;
};

/** An object's entry, with its place on disk. */
export type PendingObject = (ObjectPutEntry | ObjectDeleteEntry) & { readonly span: Span };

/** In memory for as long as it waits, so without the bodies. */
export type PendingEntry = PendingDocument | PendingObject;

/** An entry that the primary store contradicts and no rule decides. */
export interface Conflict {
  readonly entry: PendingEntry;
  /** What the primary store has, in words. */
  readonly found: string;
  /** ISO instant. */
  readonly at: string;
}

/**
 * - accepted: it holds, in this place of the order.
 * - refused: somebody wrote the same key first; `found` is the version there (objects: 1 when there
 *   is one).
 * - void: the segment had ended before; to be decided anew.
 */
export type Outcome =
  | { readonly kind: 'accepted'; readonly after: DocumentView | undefined }
  | { readonly kind: 'refused'; readonly found: number }
  | { readonly kind: 'void' };

const VOID: Outcome = { kind: 'void' };
const ABSENT: DocumentView = { version: 0, sha256: null };

interface KeyState<T> {
  readonly latest: T;
  readonly pending: number;
  /** How far the versions in the primary store are ahead of those here; see `shiftOf`. */
  readonly shift: number;
}

/**
 * What the records of a segment mean, in their order. The order alone decides who wins, so every
 * process that reads the same records comes to the same answer and no lock is needed.
 *
 * 1. While entries of a key are pending, the key is what the last of them says. Else it is what the
 *    next writer found in the primary store.
 * 2. A create is accepted when the key is absent, a compare-and-set when the version is the
 *    expected one, at their place in the order.
 * 3. A settled entry is not pending; a conflict is not pending either, and is kept until it is
 *    dismissed.
 * 4. A seal counts only where nothing is pending and no conflict is kept. After it everything is
 *    void.
 */
export class JournalState {
  readonly #pending = new Map<string, PendingEntry>();
  readonly #conflicts = new Map<string, Conflict>();
  /** Documents that were settled by a rule, by table and partition and sort key. */
  readonly #merged = new Set<string>();
  /** By table and partition, then by sort key. */
  readonly #documents = new Map<string, Map<string, KeyState<PendingDocument>>>();
  readonly #objects = new Map<string, KeyState<PendingObject>>();
  #claim: ClaimRecord | undefined;
  #sealed = false;

  /** Whether a rule has settled what this host wrote of the document, in this segment. */
  wasMerged(key: DocumentKey): boolean {
    return this.#merged.has(`${partitionName(key)}\0${key.sort}`);
  }

  /** In the order in which they were written. */
  get pending(): ReadonlyMap<string, PendingEntry> {
    return this.#pending;
  }

  /** By the id of their entry. */
  get conflicts(): ReadonlyMap<string, Conflict> {
    return this.#conflicts;
  }

  /** Who replays now; undefined when nobody does. */
  get claim(): ClaimRecord | undefined {
    return this.#claim;
  }

  /** Whether the segment has ended: writers open the next one. */
  get sealed(): boolean {
    return this.#sealed;
  }

  /** The last pending entry of the document. */
  document(key: DocumentKey): PendingDocument | undefined {
    return this.#documents.get(partitionName(key))?.get(key.sort)?.latest;
  }

  /**
   * How far the versions of the document in the primary store are ahead of those in its pending
   * entries: a write that was repeated because its first try went unanswered, though it got
   * through, is counted twice there.
   */
  shiftOf(key: DocumentKey): number {
    return this.#documents.get(partitionName(key))?.get(key.sort)?.shift ?? 0;
  }

  /** The last pending entry of each document of the partition. */
  documentsIn(partition: Pick<DocumentKey, 'table' | 'partition'>): PendingDocument[] {
    const found = this.#documents.get(partitionName(partition));
    return found === undefined ? [] : [...found.values()].map(({ latest }) => latest);
  }

  /** The partitions of the table with a pending put. */
  partitionsOf(table: string): string[] {
    const states = [...this.#documents.values()].flatMap((bySort) => [...bySort.values()]);
    const puts = states.flatMap(({ latest }) =>
      latest.kind === 'document-put' ? [latest.key] : [],
    );
    return [...new Set(puts.flatMap((key) => (key.table === table ? [key.partition] : [])))];
  }

  /** The last pending entry of the object. */
  object(key: string): PendingObject | undefined {
    return this.#objects.get(key)?.latest;
  }

  /** The last pending entry of each object under the prefix, in no order. */
  objectsUnder(prefix: string): PendingObject[] {
    return [...this.#objects.values()]
      .map(({ latest }) => latest)
      .filter(({ key }) => key.startsWith(prefix));
  }

  /** Whether the local store still needs these bytes. */
  blobs(): Set<string> {
    const entries = [
      ...this.#pending.values(),
      ...[...this.#conflicts.values()].map(({ entry }) => entry),
    ];
    return new Set(entries.flatMap((entry) => (entry.kind === 'object-put' ? [entry.blob] : [])));
  }

  /**
   * Takes the next record; its outcome depends on the records before it alone, so that every reader
   * agrees.
   */
  apply(record: JournalRecord, span: Span): Outcome {
    if (this.#sealed) return VOID;
    switch (record.kind) {
      case 'document-put':
      case 'document-delete':
        return this.#applyDocument(record, span);
      case 'object-put':
      case 'object-delete':
        return this.#applyObject(record, span);
      case 'settled':
        this.#settle(record);
        return accepted();
      case 'claim':
        if ((this.#claim?.id ?? null) !== record.replaces) return { kind: 'refused', found: 1 };
        this.#claim = record;
        return accepted();
      case 'release':
        if (this.#claim?.id === record.claim) this.#claim = undefined;
        return accepted();
      case 'seal':
        if (this.#pending.size + this.#conflicts.size > 0)
          return { kind: 'refused', found: this.#pending.size };
        this.#sealed = true;
        return accepted();
    }
  }

  #applyDocument(record: DocumentPutEntry | DocumentDeleteEntry, span: Span): Outcome {
    const before = this.document(record.key)?.after ?? record.before;
    const expected = record.kind === 'document-put' ? record.expected : null;
    if (expected !== null && expected !== before.version)
      return { kind: 'refused', found: before.version };
    const after =
      record.kind === 'document-put'
        ? { version: before.version + 1, sha256: record.sha256 }
        : { ...ABSENT };
    const entry = { ...withoutBody(record), before, after, span };
    this.#pending.set(entry.id, entry);
    const partition = partitionName(entry.key);
    const known = this.#documents.get(partition) ?? new Map<string, KeyState<PendingDocument>>();
    this.#documents.set(partition, known);
    const state = known.get(entry.key.sort);
    known.set(entry.key.sort, {
      latest: entry,
      pending: (state?.pending ?? 0) + 1,
      shift: state?.shift ?? 0,
    });
    return accepted(after);
  }

  #applyObject(record: ObjectPutEntry | ObjectDeleteEntry, span: Span): Outcome {
    const latest = this.object(record.key);
    const before =
      latest === undefined ? record.before : latest.kind === 'object-put' ? latest.sha256 : null;
    if (record.kind === 'object-put' && record.mode === 'create' && before !== null)
      return { kind: 'refused', found: 1 };
    const entry = { ...record, before, span };
    this.#pending.set(entry.id, entry);
    const pending = (this.#objects.get(entry.key)?.pending ?? 0) + 1;
    this.#objects.set(entry.key, { latest: entry, pending, shift: 0 });
    return accepted();
  }

  #settle({ entry: id, outcome, found, version, at }: SettledRecord): void {
    if (outcome === 'dismissed') this.#conflicts.delete(id);
    const entry = this.#pending.get(id);
    if (entry === undefined || outcome === 'dismissed') return;
    this.#pending.delete(id);
    if (outcome === 'conflict') this.#conflicts.set(id, { entry, found, at });
    if (isObject(entry)) forgetOne(this.#objects, entry.key, 0);
    else {
      if (outcome === 'merged') this.#merged.add(`${partitionName(entry.key)}\0${entry.key.sort}`);
      this.#forgetDocument(entry, version);
    }
  }

  #forgetDocument({ key, after }: PendingDocument, version: number | null): void {
    const partition = this.#documents.get(partitionName(key));
    if (partition === undefined) return;
    forgetOne(partition, key.sort, version === null ? 0 : version - after.version);
    if (partition.size === 0) this.#documents.delete(partitionName(key));
  }
}

/** The key of an entry in words. */
export function entryName(entry: Pick<PendingEntry, 'key'>): string {
  return typeof entry.key === 'string'
    ? `object ${entry.key}`
    : `document ${documentName(entry.key)}`;
}

/** Tells entries of objects from those of documents. */
export function isObject(entry: PendingEntry): entry is PendingObject {
  return entry.kind === 'object-put' || entry.kind === 'object-delete';
}

function forgetOne<T>(states: Map<string, KeyState<T>>, name: string, shift: number): void {
  const state = states.get(name);
  if (state === undefined) return;
  if (state.pending === 1) states.delete(name);
  else states.set(name, { latest: state.latest, pending: state.pending - 1, shift });
}

function accepted(after?: DocumentView): Outcome {
  return { kind: 'accepted', after };
}

function partitionName({ table, partition }: Pick<DocumentKey, 'table' | 'partition'>): string {
  return `${table}\0${partition}`;
}

function withoutBody(
  record: DocumentPutEntry | DocumentDeleteEntry,
): Omit<DocumentPutEntry, 'body'> | DocumentDeleteEntry {
  if (record.kind === 'document-delete') return record;
  const { id, at, kind, key, before, expected, sha256 } = record;
  return { id, at, kind, key, before, expected, sha256 };
}
