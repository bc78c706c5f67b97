import type { ArchiveName } from './archive-name.ts';

/** What a series of numbered archives lacks. */
export interface SequenceAudit {
  /** The flux, and what its numbers run by. */
  readonly key: string;
  readonly archives: number;
  /** Numbers that lie between two that came, such as `00003` or `00003-00005`. */
  readonly gaps: readonly string[];
  /** The newest number: whether the next one is late, nobody can tell yet. */
  readonly tail: string;
}

/** R151 comes in X of Y zips for each subscription and number. */
export interface IncompleteDelivery {
  readonly key: string;
  readonly number: string;
  readonly missing: readonly number[];
  /** The totals that the zips claim; more than one is a contradiction. */
  readonly totals: readonly number[];
}

type Named = Pick<ArchiveName, 'timestamp' | 'sequence' | 'counter'>;

/**
 * Audits the numbers of archives per key, in order of their timestamps. A number that is lower than
 * the one before starts a new segment (the distributor began again, or passed 99999); gaps are
 * looked for only inside one. Archives that could not be read count as received.
 */
export function auditSequences(archives: readonly Named[]): SequenceAudit[] {
  return [...byKey(archives)]
    .map(([key, named]) => auditKey(key, named))
    .sort(byText(({ key }) => key));
}

interface Numbered {
  readonly timestamp: string;
  readonly number: number;
}

function byKey(archives: readonly Named[]): Map<string, Numbered[]> {
  const keys = new Map<string, Numbered[]>();
  for (const { timestamp, sequence } of archives) {
    if (sequence === undefined) continue;
    const { key, number } = sequence;
    keys.set(key, [...(keys.get(key) ?? []), { timestamp, number }]);
  }
  return keys;
}

function auditKey(key: string, named: readonly Numbered[]): SequenceAudit {
  const sorted = [...named].sort(
    (a, b) => compareText(a.timestamp, b.timestamp) || a.number - b.number,
  );
  const gaps: string[] = [];
  let last: number | undefined;
  for (const { number } of sorted) {
    if (last !== undefined && number > last + 1) gaps.push(gapText(last + 1, number - 1));
    last = number;
  }
  return { key, archives: named.length, gaps, tail: numberText(last ?? 0) };
}

function gapText(from: number, to: number): string {
  return from === to ? numberText(from) : `${numberText(from)}-${numberText(to)}`;
}

function numberText(number: number): string {
  return String(number).padStart(5, '0');
}

/** Deliveries of R151 of which a zip is missing, or whose zips do not agree how many there are. */
export function auditCounters(archives: readonly Named[]): IncompleteDelivery[] {
  const deliveries = new Map<
    string,
    { key: string; number: string; ranks: Set<number>; totals: Set<number> }
  >();
  for (const { sequence, counter } of archives) {
    if (sequence === undefined || counter === undefined) continue;
    const number = numberText(sequence.number);
    const id = `${sequence.key} ${number}`;
    const found = deliveries.get(id) ?? {
      key: sequence.key,
      number,
      ranks: new Set(),
      totals: new Set(),
    };
    found.ranks.add(counter.rank);
    found.totals.add(counter.total);
    deliveries.set(id, found);
  }
  return [...deliveries.values()]
    .map(({ key, number, ranks, totals }) => {
      const expected = Array.from({ length: Math.max(...totals) }, (_, index) => index + 1);
      return {
        key,
        number,
        missing: expected.filter((rank) => !ranks.has(rank)),
        totals: [...totals].sort((a, b) => a - b),
      };
    })
    .filter(({ missing, totals }) => missing.length > 0 || totals.length > 1)
    .sort(byText(({ key, number }) => `${key} ${number}`));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byText<T>(textOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => compareText(textOf(a), textOf(b));
}
