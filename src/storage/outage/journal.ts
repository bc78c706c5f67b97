import { randomUUID } from 'node:crypto';
import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { isAlive } from '@quotidien/machine/living-process';
import type { JournalDisk, JournalSegment } from './journal-disk.ts';
import { NEWLINE, decodeRecord, encodeRecord } from './journal-records.ts';
import type { JournalEntry, JournalRecord, Settlement } from './journal-records.ts';
import { JournalState } from './journal-state.ts';
import type { Outcome, PendingDocument } from './journal-state.ts';
import type { JsonObject } from '../../ports/json.ts';

/** Records that wait together are written with one fsync, up to this many bytes. */
const MAX_APPENDED_AT_ONCE_BYTES = 8 << 20;

const READ_AT_ONCE_BYTES = 1 << 20;

/** A process of another host cannot be asked whether it lives; after this it counts as gone. */
const FOREIGN_CLAIM_LASTS_MS = 10 * 60_000;

type Unentered<T> = T extends unknown ? Omit<T, 'id' | 'at'> : never;
/** An entry as its writer gives it. */
export type NewEntry = Unentered<JournalEntry>;

/** What became of an entry at the time of settling. */
export interface NewSettlement {
  readonly entry: string;
  readonly outcome: Settlement;
  /** For a conflict: what the primary store has, for a merge: how it was decided, in words. */
  readonly found?: string;
  /** Who decided a conflict. */
  readonly by?: string;
  /** The version that a document has in the primary store now. */
  readonly version?: number;
}

/**
 * The writes of one host that the primary store has not seen, on its local disk, in one order for
 * all its processes.
 *
 * 1. An append is on disk when it resolves. What a crash tore is recognised, ignored, and was never
 *    acknowledged.
 * 2. The order of the records in the file decides who wins (`JournalState`); there is no lock, so
 *    none can be left behind.
 * 3. How far the replay has come is in the journal itself, as the settlement of each entry: whoever
 *    goes on later knows it.
 * 4. A finished segment is sealed before it is removed, and its successor exists before that:
 *    nobody's append gets lost on the way.
 *
 * Throws `STORE_DENIED` (full disk, permission), `STORE_UNAVAILABLE` (the disk failed),
 * `STORE_CORRUPT` (a whole record was damaged).
 */
export interface Journal {
  readonly host: string;
  /** The state with all that other processes appended until now. */
  refresh(): Promise<JournalState>;
  /** Appends entries in this order; the results are in the same order. */
  append(entries: readonly NewEntry[]): Promise<readonly Outcome[]>;
  /** The body of a pending or conflicting put, from disk. */
  bodyOf(entry: PendingDocument): Promise<JsonObject>;
  settle(settlements: readonly NewSettlement[]): Promise<void>;
  /**
   * Takes the right to replay; undefined while another living process has it. The answer gives it
   * back.
   */
  claim(): Promise<(() => Promise<void>) | undefined>;
  /** Begins a new segment when nothing is left to do; false when something is. */
  rotate(): Promise<boolean>;
  close(): Promise<void>;
}

/** One journal per host; its processes share the disk. */
export interface JournalOptions {
  readonly disk: JournalDisk;
  readonly host: string;
  readonly now?: () => Date;
  /** Whether the process of this host lives; asks the operating system unless given. */
  readonly isAlive?: (pid: number) => boolean;
}

/** Opens the journal of a host, made when there is none. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const segment = await openNewest(options.disk, 0);
  const journal = new SegmentedJournal(options, segment);
  try {
    await journal.refresh();
    return journal;
  } catch (error) {
    await journal.close();
    throw error;
  }
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly ids: readonly string[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

const VOID: Outcome = { kind: 'void' };

class SegmentedJournal implements Journal {
  readonly host: string;
  readonly #disk: JournalDisk;
  readonly #now: () => Date;
  readonly #isAlive: (pid: number) => boolean;
  readonly #ownClaims = new Set<string>();
  /** Outcomes of records that this process appended, until their writer takes them. */
  readonly #outcomes = new Map<string, Outcome | undefined>();
  readonly #queue: Waiting[] = [];
  #segment: JournalSegment;
  /** The one before, for readers that are still at it. */
  #previous: JournalSegment | undefined;
  #state = new JournalState();
  #readTo = 0;
  #seenSize = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #writing = false;
  /**
   * Once found, for every later reader: what follows the damage must not be read as if nothing was
   * missing.
   */
  #damage: PipelineError | undefined;

  constructor(options: JournalOptions, segment: JournalSegment) {
    this.host = options.host;
    this.#disk = options.disk;
    this.#now = options.now ?? (() => new Date());
    this.#isAlive = options.isAlive ?? isAlive;
    this.#segment = segment;
  }

  refresh(): Promise<JournalState> {
    const read = this.#reading.then(() => this.#catchUp());
    this.#reading = read.catch(() => undefined);
    return read;
  }

  async append(entries: readonly NewEntry[]): Promise<readonly Outcome[]> {
    if (entries.length === 0) return [];
    const at = this.#now().toISOString();
    return this.#write(entries.map((entry) => ({ ...entry, id: randomUUID(), at })));
  }

  async bodyOf({ id, span }: PendingDocument): Promise<JsonObject> {
    for (const segment of [this.#segment, this.#previous]) {
      if (segment === undefined || (await segment.size()) < span.end) continue;
      const line = await segment.read(span.start, span.end - 1);
      const record = decodeRecord(line);
      if (typeof record !== 'string' && record.kind === 'document-put' && record.id === id)
        return record.body;
    }
    throw new PipelineError(
      'STORE_UNAVAILABLE',
      `entry ${id} of the journal was settled while it was read; try again`,
    );
  }

  async settle(settlements: readonly NewSettlement[]): Promise<void> {
    if (settlements.length === 0) return;
    const at = this.#now().toISOString();
    await this.#write(
      settlements.map(({ entry, outcome, found = '', version = null, by }) => ({
        kind: 'settled',
        entry,
        outcome,
        found,
        version,
        at,
        ...definedMembers({ by }),
      })),
    );
  }

  async claim(): Promise<(() => Promise<void>) | undefined> {
    const { claim } = await this.refresh();
    if (claim !== undefined && this.#holds(claim)) return undefined;
    const id = randomUUID();
    this.#ownClaims.add(id);
    const at = this.#now().toISOString();
    const replaces = claim?.id ?? null;
    const [outcome] = await this.#write([
      { kind: 'claim', id, replaces, host: this.host, pid: process.pid, at },
    ]);
    if (outcome?.kind !== 'accepted') {
      this.#ownClaims.delete(id);
      return outcome?.kind === 'void' ? this.claim() : undefined;
    }
    return async () => {
      this.#ownClaims.delete(id);
      const state = await this.refresh();
      if (state.claim?.id === id) await this.#write([{ kind: 'release', claim: id }]);
    };
  }

  async rotate(): Promise<boolean> {
    const state = await this.refresh();
    if (this.#readTo > 0) {
      if (state.pending.size + state.conflicts.size > 0) return false;
      const [outcome] = await this.#write([{ kind: 'seal', id: randomUUID() }]);
      if (outcome?.kind === 'refused') return false;
      await this.refresh();
    }
    // Only those before one that is there, and open here.
    const present = this.#segment.number;
    for (const number of await this.#disk.segments())
      if (number < present) await this.#disk.remove(number);
    return true;
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#previous?.close();
    await this.#segment.close();
  }

  /** Whether the holder of a claim may still be at work. */
  #holds(claim: { id: string; host: string; pid: number; at: string }): boolean {
    if (this.#ownClaims.has(claim.id)) return true;
    if (claim.host === this.host) return claim.pid !== process.pid && this.#isAlive(claim.pid);
    return this.#now().getTime() - Date.parse(claim.at) < FOREIGN_CLAIM_LASTS_MS;
  }

  #write(records: readonly JournalRecord[]): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.concat(records.map(encodeRecord));
      this.#queue.push({ bytes, ids: records.map(idOf), resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#append(batch);
      } catch (error) {
        for (const { ids } of batch) for (const id of ids) this.#outcomes.delete(id);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    const count = this.#queue.findIndex((waiting, at) => {
      bytes += waiting.bytes.byteLength;
      return at > 0 && bytes > MAX_APPENDED_AT_ONCE_BYTES;
    });
    return this.#queue.splice(0, count === -1 ? this.#queue.length : count);
  }

  async #append(batch: readonly Waiting[]): Promise<void> {
    for (const { ids } of batch) for (const id of ids) this.#outcomes.set(id, undefined);
    const segment = this.#segment;
    // A newline first: what another process tore must not become part of our first record.
    await segment.append(Buffer.concat([NEWLINE, ...batch.map(({ bytes }) => bytes)]));
    await this.refresh();
    for (const { ids, resolve } of batch) {
      // Not found on the way: it lies behind the seal, where nobody reads any more.
      resolve(ids.map((id) => this.#outcomes.get(id) ?? VOID));
      for (const id of ids) this.#outcomes.delete(id);
    }
  }

  async #catchUp(): Promise<JournalState> {
    if (this.#damage !== undefined) throw this.#damage;
    for (;;) {
      const size = await this.#segment.size();
      if (size !== this.#seenSize) await this.#readOn(size);
      this.#seenSize = size;
      if (!this.#state.sealed) return this.#state;
      const next = await openNewest(this.#disk, this.#segment.number);
      await this.#previous?.close();
      this.#previous = this.#segment;
      this.#segment = next;
      this.#state = new JournalState();
      this.#readTo = 0;
      this.#seenSize = 0;
    }
  }

  async #readOn(size: number): Promise<void> {
    let wanted = READ_AT_ONCE_BYTES;
    while (this.#readTo < size) {
      const end = Math.min(size, this.#readTo + wanted);
      const chunk = await this.#segment.read(this.#readTo, end);
      const whole = chunk.lastIndexOf(NEWLINE_BYTE) + 1;
      // A record longer than the chunk needs a longer one; without a newline up to the end it is
      // still being written.
      if (whole === 0 && end === size) return;
      wanted = whole === 0 ? wanted * 2 : READ_AT_ONCE_BYTES;
      this.#applyLines(chunk.subarray(0, whole));
      this.#readTo += whole;
      if (whole > 0 && end === size && whole < chunk.byteLength) return;
    }
  }

  #applyLines(lines: Uint8Array): void {
    for (let start = 0; start < lines.byteLength;) {
      const end = lines.indexOf(NEWLINE_BYTE, start);
      if (end > start) this.#applyLine(lines.subarray(start, end), this.#readTo + start);
      start = end + 1;
    }
  }

  #applyLine(line: Uint8Array, start: number): void {
    const record = decodeRecord(line);
    if (record === 'torn') return;
    if (record === 'damaged') {
      const place = `segment ${this.#segment.number} of the journal of ${this.host}`;
      const message = `${place} is damaged at byte ${start}: keep its folder aside, check the disk, then restore it`;
      this.#damage = new PipelineError('STORE_CORRUPT', message);
      throw this.#damage;
    }
    const outcome = this.#state.apply(record, { start, end: start + line.byteLength + 1 });
    const id = idOf(record);
    if (this.#outcomes.has(id)) this.#outcomes.set(id, outcome);
  }
}

const NEWLINE_BYTE = 10;

/**
 * The newest segment behind number `after`: all that come before it are sealed. A reader may have
 * missed several, so it never makes one that was there and is gone.
 */
async function openNewest(disk: JournalDisk, after: number): Promise<JournalSegment> {
  for (;;) {
    const newest = await newestNumber(disk);
    const found = newest > after ? await disk.open(newest) : undefined;
    if (found !== undefined) return found;
    // Removed since the look at the folder, because a newer one exists.
    if (newest > after) continue;
    const made = await disk.create(after + 1);
    if ((await newestNumber(disk)) === made.number) return made;
    // The look was no snapshot: it missed one that was being made, and the one before that was
    // being removed.
    await made.close();
    await disk.remove(made.number);
  }
}

async function newestNumber(disk: JournalDisk): Promise<number> {
  return Math.max(0, ...(await disk.segments()));
}

/** Settlements and releases need no answer and have no name of their own. */
function idOf(record: JournalRecord): string {
  if (record.kind === 'settled') return `settled ${record.entry}`;
  return record.kind === 'release' ? `released ${record.claim}` : record.id;
}
