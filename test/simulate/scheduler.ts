import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers';
import { Random } from './random.ts';

/** An operating-system process: its continuations run while it lives and is not stopped. */
export class Process {
  readonly name: string;
  dead = false;
  /**
   * Virtual instant until which the process is stopped; it goes on where it was, as after SIGCONT.
   */
  stoppedUntil = 0;
  /** What to do when it dies or is stopped. */
  readonly onSilence = new Set<() => void>();

  constructor(name: string) {
    this.name = name;
  }
}

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly process: Process | undefined;
  readonly what: string | undefined;
  dropped?: boolean;
  go(): void;
}

/**
 * One thread of virtual time. Every call to a store, a publisher or the workflow runtime waits for
 * its turn; turns are given one at a time in an order that the seed draws, and after each all that
 * follows from it runs to its next wait. Nothing of this takes a macrotask of its own, so one seed
 * is one story. Time moves by a millisecond with each turn, and on to the next timer when nothing
 * else can run.
 */
export class Scheduler {
  readonly random: Random;
  readonly story: string[] = [];
  /** Evaluates what waits for a condition; true when something may go on. */
  settle: () => boolean = () => false;
  #now: number;
  #order = 0;
  #turns = 0;
  #ready: Waiting[] = [];
  /** A binary heap by instant and order. */
  readonly #later: Waiting[] = [];

  constructor(seed: number, startAt: number) {
    this.random = new Random(seed);
    this.#now = startAt;
  }

  get now(): number {
    return this.#now;
  }

  get turns(): number {
    return this.#turns;
  }

  /** Resolves when it is this caller's turn; never when its process dies before. */
  turn(what: string | undefined, process?: Process, delayMs = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#wait({
        at: this.#now + delayMs,
        order: (this.#order += 1),
        process,
        what,
        go: resolve,
      });
    });
  }

  /** Calls back at a later instant; the returned function takes the timer away. */
  timer(delayMs: number, call: () => void): () => void {
    const at = this.#now + Math.max(0, delayMs);
    const waiting: Waiting = {
      at,
      order: (this.#order += 1),
      process: undefined,
      what: undefined,
      go: call,
    };
    this.#wait(waiting);
    return () => {
      waiting.dropped = true;
    };
  }

  tell(line: string): void {
    this.story.push(`${new Date(this.#now).toISOString().slice(5, 23)} ${line}`);
  }

  hash(): string {
    return createHash('sha256').update(this.story.join('\n')).digest('hex');
  }

  /**
   * Gives turns until `done` says so, or nobody waits any more (or not before `until`). Returns why
   * it ended.
   */
  async run(
    done: () => boolean,
    until = Number.POSITIVE_INFINITY,
    maxTurns = 400_000,
  ): Promise<'done' | 'still' | 'late'> {
    for (;;) {
      await drained();
      while (this.settle()) await drained();
      if (done()) return 'done';
      const next = this.#next(until);
      if (next === 'still' || next === 'late') return next;
      this.#turns += 1;
      if (this.#turns > maxTurns) throw new Error(`no end after ${maxTurns} turns`);
      if (next.what !== undefined)
        this.tell(next.process === undefined ? next.what : `${next.process.name}: ${next.what}`);
      next.go();
    }
  }

  #wait(waiting: Waiting): void {
    if (waiting.at <= this.#now) this.#ready.push(waiting);
    else push(this.#later, waiting);
  }

  #next(until: number): Waiting | 'still' | 'late' {
    for (;;) {
      this.#now += 1;
      for (
        let first = this.#later[0];
        first !== undefined && first.at <= this.#now;
        first = this.#later[0]
      ) {
        this.#ready.push(pop(this.#later));
      }
      if (this.#ready.length === 0) {
        while (this.#later[0]?.dropped === true) pop(this.#later);
        const first = this.#later[0];
        if (first === undefined) return 'still';
        if (first.at > until) return 'late';
        this.#now = first.at;
        continue;
      }
      const place = Math.floor(this.random.fraction() * this.#ready.length);
      const picked = this.#ready[place]!;
      this.#ready[place] = this.#ready[this.#ready.length - 1]!;
      this.#ready.pop();
      if (picked.dropped === true || picked.process?.dead === true) continue;
      const stopped = picked.process?.stoppedUntil ?? 0;
      if (stopped > this.#now) push(this.#later, { ...picked, at: stopped });
      else return picked;
    }
  }
}

/** Resolves when no microtask is left. */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function before(a: Waiting, b: Waiting): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Waiting[], item: Waiting): void {
  let place = heap.length;
  heap.push(item);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!before(item, heap[parent]!)) break;
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = item;
}

function pop(heap: Waiting[]): Waiting {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
  return first;
}
