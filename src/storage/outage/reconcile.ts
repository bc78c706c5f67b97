import { setTimeout } from 'node:timers/promises';
import { definedMembers } from '../../given.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { documentName } from '../shared/document-key.ts';
import { PENDING_FOLDER } from './fallback-objects.ts';
import type { NewSettlement } from './journal.ts';
import type { DocumentView } from './journal-records.ts';
import { entryName, isObject } from './journal-state.ts';
import type {
  Conflict,
  JournalState,
  PendingDocument,
  PendingEntry,
  PendingObject,
} from './journal-state.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import { judgeDocument, replayDocument } from './reconcile-documents.ts';
import { hasOneContent, judgeObject, replayObject } from './reconcile-objects.ts';
import type { Judgement, ReconcileParts } from './reconcile-parts.ts';

/**
 * Settlements that are written with one fsync; what a crash takes of them is found to be the same
 * at the next replay.
 */
const SETTLED_AT_ONCE = 50;

const DEFAULT_ENTRIES_PER_SECOND = 200;

const DAY_MS = 24 * 3_600_000;

/** One entry of the journal, and what was or would be done with it. */
export interface Replay {
  readonly id: string;
  readonly kind: PendingEntry['kind'];
  readonly key: DocumentKey | string;
  /** Instant of the write. */
  readonly at: string;
  readonly outcome: Judgement;
}

/** What just became of one entry. */
export interface ReconcileProgress extends Replay {
  /** Entries done by this replay, and those that were waiting when it began. */
  readonly done: number;
  readonly total: number;
}

/** How fast, and for how long, a journal is replayed. */
export interface ReconcileOptions {
  /** Throws its reason between two entries; what was done until then stays done. */
  readonly signal?: AbortSignal;
  /** Called after each entry, with proof of it on the primary store. */
  readonly progress?: (progress: ReconcileProgress) => void;
  /**
   * The most entries in a second, so that the store that has just come back is not overrun; 200
   * unless given.
   */
  readonly entriesPerSecond?: number;
  readonly now?: () => Date;
}

/** A write of this host that the primary store contradicts. Both are kept. */
export interface ListedConflict {
  readonly id: string;
  readonly key: DocumentKey | string;
  readonly kind: PendingEntry['kind'];
  /** Instants of the write and of the replay. */
  readonly writtenAt: string;
  readonly foundAt: string;
  /**
   * What this host wrote: its version where it is a document, and its hash; null for a deletion.
   */
  readonly ours: { readonly version: number | null; readonly sha256: string | null };
  readonly found: string;
  readonly remedy: string;
}

/** What became of the entries of this host. */
export interface ReconcileReport {
  readonly applied: number;
  /** The primary store said so already. */
  readonly same: number;
  /** What two hosts wrote differently and a rule decided, by this replay. */
  readonly merged: readonly Replay[];
  /** All that wait for a decision, also those of earlier replays. */
  readonly conflicts: readonly ListedConflict[];
  /** Entries that still wait. */
  readonly pending: number;
  /** Every acknowledged write of this host was found on the primary store by its hash. */
  readonly converged: boolean;
}

/**
 * What a replay would do, without doing anything. Of several entries of one key only the first can
 * be judged before it is applied.
 */
export async function planReconcile(
  parts: ReconcileParts,
  options: Pick<ReconcileOptions, 'signal'> = {},
): Promise<Replay[]> {
  const state = await parts.journal.refresh();
  const judged = new Set<string>();
  const planned: Replay[] = [];
  for (const entry of [...state.pending.values()]) {
    options.signal?.throwIfAborted();
    const first = !judged.has(entryName(entry));
    judged.add(entryName(entry));
    planned.push(replayOf(entry, first ? await judge(parts, entry) : { kind: 'apply' }));
  }
  return planned;
}

/**
 * Replays the journal of this host to the primary stores, in order, until nothing is pending.
 *
 * 1. An entry is settled after its hash was read back from the primary store; a conflict changes
 *    nothing there.
 * 2. It can end anywhere and begin again: an entry that was applied and not settled is found to be
 *    the same. So that this holds, an entry is settled before the next one of its key is applied.
 * 3. One process of a host replays at a time; another is refused with `STORE_CONFLICT`.
 *
 * Throws `STORE_UNAVAILABLE` or `STORE_DENIED` when a primary store cannot take an entry: go on
 * later, nothing is lost.
 */
export async function reconcile(
  parts: ReconcileParts,
  options: ReconcileOptions = {},
): Promise<ReconcileReport> {
  const release = await parts.journal.claim();
  if (release === undefined) {
    const message = `another process of ${parts.journal.host} replays the journal; wait for its end`;
    throw new PipelineError('STORE_CONFLICT', message);
  }
  try {
    return await new Reconciler(parts, options).run();
  } finally {
    await release();
  }
}

/** A conflict in one line. */
export function describeConflict({
  id,
  key,
  kind,
  writtenAt,
  ours,
  found,
}: ListedConflict): string {
  const name = typeof key === 'string' ? key : documentName(key);
  const wrote = ours.sha256 === null ? 'deleted it' : `wrote ${ours.sha256.slice(0, 12)}`;
  return `${id}: ${kind} of ${name}; this host ${wrote} at ${writtenAt}, but ${found}`;
}

/** The conflicts that wait for a decision. */
export async function listConflicts({
  journal,
}: Pick<ReconcileParts, 'journal'>): Promise<ListedConflict[]> {
  return conflictsOf(await journal.refresh());
}

class Reconciler {
  readonly #parts: ReconcileParts;
  readonly #options: ReconcileOptions;
  readonly #counts = { apply: 0, same: 0, conflict: 0 };
  readonly #merged: Replay[] = [];
  #settlements: NewSettlement[] = [];
  /** Bytes that nobody needs here once the settlements are written. */
  #settledBlobs: string[] = [];
  #unsettledKeys = new Set<string>();
  #total = 0;

  constructor(parts: ReconcileParts, options: ReconcileOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<ReconcileReport> {
    const { journal } = this.#parts;
    await this.#reviewConflicts(await journal.refresh());
    for (;;) {
      const state = await journal.refresh();
      if (state.pending.size === 0) {
        const rotated = await journal.rotate();
        if (rotated || state.conflicts.size > 0) break;
        continue;
      }
      await this.#replayAll([...state.pending.values()]);
    }
    const state = await journal.refresh();
    await this.#sweepBlobs(state);
    const conflicts = conflictsOf(state);
    const converged = state.pending.size === 0 && conflicts.length === 0;
    const { apply: applied, same } = this.#counts;
    return {
      applied,
      same,
      merged: this.#merged,
      conflicts,
      pending: state.pending.size,
      converged,
    };
  }

  /**
   * Of objects that have one right content: since the conflict was listed, somebody may have
   * brought it.
   */
  async #reviewConflicts({ conflicts }: JournalState): Promise<void> {
    for (const { entry } of [...conflicts.values()]) {
      if (!hasOneContent(entry)) continue;
      this.#options.signal?.throwIfAborted();
      const outcome = await this.#bring(entry);
      if (outcome.kind === 'conflict') continue;
      this.#count(entry, outcome);
      await this.#parts.journal.settle([{ entry: entry.id, outcome: 'dismissed' }]);
      if (entry.kind === 'object-put') await this.#parts.blobs.delete(entry.blob);
    }
  }

  #count(entry: PendingEntry, outcome: Judgement): void {
    if (outcome.kind === 'merged') this.#merged.push(replayOf(entry, outcome));
    else this.#counts[outcome.kind] += 1;
  }

  async #replayAll(entries: readonly PendingEntry[]): Promise<void> {
    this.#total += entries.length;
    try {
      for (const entry of entries) await this.#replay(entry);
    } finally {
      // What was proven stays so, also when the next entry failed.
      await this.#settle();
    }
  }

  async #replay(entry: PendingEntry): Promise<void> {
    const { signal, progress, entriesPerSecond = DEFAULT_ENTRIES_PER_SECOND } = this.#options;
    signal?.throwIfAborted();
    const begun = performance.now();
    const name = entryName(entry);
    // What became of the version that it builds on, or of its counter, must be in the journal
    // before it is judged.
    const names = [name, ...this.#basesOf(entry).map((key) => entryName({ key }))];
    const waits = names.some((one) => this.#unsettledKeys.has(one));
    if (waits || this.#settlements.length >= SETTLED_AT_ONCE) await this.#settle();
    const outcome = await this.#bring(entry);
    this.#settlements.push(settlementOf(entry, outcome));
    if (entry.kind === 'object-put' && outcome.kind !== 'conflict')
      this.#settledBlobs.push(entry.blob);
    this.#unsettledKeys.add(name);
    this.#count(entry, outcome);
    const done =
      this.#counts.apply + this.#counts.same + this.#counts.conflict + this.#merged.length;
    progress?.({ ...replayOf(entry, outcome), done, total: this.#total });
    const restMs = 1_000 / entriesPerSecond - (performance.now() - begun);
    if (restMs > 0) await setTimeout(restMs, undefined, definedMembers({ signal }));
  }

  #basesOf(entry: PendingEntry): DocumentKey[] {
    const { rules } = this.#parts;
    if (rules === undefined) return [];
    if (isObject(entry)) return entry.fence === undefined ? [] : [entry.fence.of];
    return [rules.basisOf(entry.key), rules.numbering?.(entry.key)?.counter].flatMap(
      (key) => key ?? [],
    );
  }

  /**
   * What the primary store can never take (such as a key below another one there) is a conflict,
   * not the end of the replay.
   */
  async #bring(entry: PendingEntry): Promise<Judgement> {
    try {
      return isObject(entry)
        ? await replayObject(this.#parts, entry)
        : await replayDocument(this.#parts, entry);
    } catch (error) {
      if (errorCodeOf(error) !== 'INPUT_INVALID') throw error;
      return {
        kind: 'conflict',
        found: `the primary store refuses it: ${(error as Error).message}`,
      };
    }
  }

  async #settle(): Promise<void> {
    const settlements = this.#settlements;
    const blobs = this.#settledBlobs;
    this.#settlements = [];
    this.#settledBlobs = [];
    this.#unsettledKeys = new Set();
    await this.#parts.journal.settle(settlements);
    for (const blob of blobs) await this.#parts.blobs.delete(blob);
  }

  /**
   * Bytes that no entry ever named, once they are at least a day old: until then a put may be about
   * to name them.
   */
  async #sweepBlobs(state: JournalState): Promise<void> {
    const needed = state.blobs();
    const now = this.#options.now?.() ?? new Date();
    const yesterday = new Date(now.getTime() - DAY_MS).toISOString().slice(0, 10);
    for await (const { key } of this.#parts.blobs.list(`${PENDING_FOLDER}/`)) {
      if (key < `${PENDING_FOLDER}/${yesterday}` && !needed.has(key))
        await this.#parts.blobs.delete(key);
    }
  }
}

function judge(parts: ReconcileParts, entry: PendingEntry): Promise<Judgement> {
  return isObject(entry) ? judgeObject(parts, entry) : judgeDocument(parts, entry);
}

function settlementOf({ id }: PendingEntry, outcome: Judgement): NewSettlement {
  if (outcome.kind === 'conflict') return { entry: id, outcome: 'conflict', found: outcome.found };
  const version = definedMembers({ version: outcome.version });
  if (outcome.kind === 'merged')
    return { entry: id, outcome: 'merged', found: outcome.found, ...version };
  return { entry: id, outcome: outcome.kind === 'apply' ? 'applied' : 'same', ...version };
}

function replayOf({ id, kind, key, at }: PendingEntry, outcome: Judgement): Replay {
  return { id, kind, key, at, outcome };
}

function conflictsOf(state: JournalState): ListedConflict[] {
  return [...state.conflicts.values()].map(({ entry, found, at }: Conflict) => ({
    id: entry.id,
    key: entry.key,
    kind: entry.kind,
    writtenAt: entry.at,
    foundAt: at,
    ours: oursOf(entry),
    found,
    remedy:
      'compare both; then keep what the primary store has, or write this host’s version over it',
  }));
}

function oursOf(entry: PendingDocument | PendingObject): ListedConflict['ours'] {
  if (entry.kind === 'object-put') return { version: null, sha256: entry.sha256 };
  if (entry.kind === 'object-delete') return { version: null, sha256: null };
  const after: DocumentView = entry.after;
  return { version: after.version, sha256: after.sha256 };
}
