/**
 * Hashes that the bodies of documents have in common. An artefact is named by the record of the
 * step that made it, by the version of the day, and by every later day that reads it: with sixty
 * days read by each day, one hash stands in 180 records. Here it is kept once, and bodies name it
 * by a number of four bytes.
 *
 * 1. The number of a hash is its first four bytes; the first hash that has a number keeps it, and
 *    others stay in their bodies.
 * 2. A hash is written in the transaction of the first body that names it, and never changed nor
 *    removed: a number has one meaning for all processes and for ever.
 */

const HASH = /(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])/g;
const NUMBER_DIGITS = 8;

/** About 12 MB, of ten years of days: whoever reads years reads the same hashes again and again. */
const MAX_KNOWN = 98_304;

/** Where the hashes are kept: by number, their bytes after those of the number. */
export interface HashRows {
  of(number: number): ArrayBuffer | Uint8Array | undefined;
  /** Keeps the rest of a hash, unless there is one of this number. */
  add(number: number, rest: Uint8Array): void;
}

/**
 * What stands for a hash: the next number, or once more the hash before it, as in names that end in
 * the hash of their bytes.
 */
export interface HashMarks {
  readonly hash: string;
  readonly again: string;
}

/** Hashes in texts as numbers: each is stored once, however many documents name it. */
export interface SharedHashes {
  /**
   * The text with marks in place of each hash that has a number, and those numbers in their order.
   */
  take(
    text: string,
    marks: HashMarks,
  ): { readonly text: string; readonly numbers: readonly number[] };
  /** `undefined` when no hash has the number. */
  hashOf(number: number): string | undefined;
  /** Whether texts were taken whose hashes are not written. */
  hasNew(): boolean;
  /**
   * Writes these, in the transaction of their bodies; false when another process has given one of
   * their numbers away.
   */
  write(): boolean;
  /** To be told when that transaction has ended. */
  settle(committed: boolean): void;
}

/** What it has read stays in memory, up to `MAX_KNOWN` hashes. */
export function createSharedHashes(rows: HashRows): SharedHashes {
  const known = new Map<number, string>();
  /** Of texts that are being written. */
  const fresh = new Map<number, string>();

  function hashOf(number: number): string | undefined {
    const found = fresh.get(number) ?? known.get(number);
    if (found !== undefined) return found;
    const rest = rows.of(number);
    if (rest === undefined) return undefined;
    const hash = digitsOf(number) + Buffer.from(new Uint8Array(rest)).toString('hex');
    remember(number, hash);
    return hash;
  }

  function remember(number: number, hash: string): void {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(number, hash);
  }

  return {
    take(text, marks) {
      // JSON has no such characters, so this is for whoever stores something else one day.
      if (text.includes(marks.hash) || text.includes(marks.again)) return { text, numbers: [] };
      const numbers: number[] = [];
      let last: string | undefined;
      const short = text.replace(HASH, (hash) => {
        if (hash === last) return marks.again;
        const number = Number.parseInt(hash.slice(0, NUMBER_DIGITS), 16);
        const found = hashOf(number);
        if (found === undefined) fresh.set(number, hash);
        else if (found !== hash) return hash;
        numbers.push(number);
        last = hash;
        return marks.hash;
      });
      return { text: short, numbers };
    },
    hashOf,
    hasNew: () => fresh.size > 0,
    write() {
      for (const [number, hash] of fresh) {
        const rest = Buffer.from(hash.slice(NUMBER_DIGITS), 'hex');
        rows.add(number, rest);
        const kept = rows.of(number);
        if (kept === undefined || !rest.equals(new Uint8Array(kept))) return false;
      }
      return true;
    },
    settle(committed) {
      if (committed) for (const [number, hash] of fresh) remember(number, hash);
      fresh.clear();
    },
  };
}

function digitsOf(number: number): string {
  return number.toString(16).padStart(NUMBER_DIGITS, '0');
}
