import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { ReconcileResult } from '../../src/engine/contract.ts';
import { PARTS, PIPELINE, simulatedDataset } from './dataset.ts';
import { repairAll, stillUnreadable } from './damaged-rows.ts';
import { Installation } from './installation.ts';
import type { Mutation } from './installation.ts';
import { checkStores } from './invariants.ts';
import type { Promised, Violation } from './invariants.ts';
import { drawOperations, startReconcile, startRun } from './operations.ts';
import type { Kind } from './operations.ts';
import { drawFlip, flip, verified } from './flips.ts';
import { acceptHeld, lookOnceMore } from './held-days.ts';
import { Publisher } from './publishers.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { drawTroubles } from './troubles.ts';
import type { Trouble } from './troubles.ts';
import { forgetFiles } from './virtual-files.ts';
import { CALM } from './weather.ts';
import type { Odds } from './weather.ts';

const FIRST = '2024-02-26';
const LAST = '2024-03-04';
const START = Date.parse('2024-03-05T06:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const WEATHERS: readonly Odds[] = [
  CALM,
  { refused: 0, unanswered: 0, slow: 0.05, crash: 0, stop: 0 },
  { refused: 0.01, unanswered: 0.005, slow: 0.03, crash: 0.001, stop: 0.001 },
  { refused: 0, unanswered: 0, slow: 0.02, crash: 0.006, stop: 0 },
  { refused: 0, unanswered: 0, slow: 0.02, crash: 0, stop: 0.006 },
  { refused: 0.05, unanswered: 0.02, slow: 0.05, crash: 0.002, stop: 0.002 },
];

export interface SeedOptions {
  readonly mutation?: Mutation;
  /** Unless given, the seed draws it. */
  readonly theme?: Theme;
  /** How often what goes wrong; unless given, the seed draws it. */
  readonly odds?: Odds;
  /** Only operations of these kinds are drawn. */
  readonly only?: readonly (Kind | Trouble)[];
  /** Whether a byte is changed at the end; unless given, the seed draws it. */
  readonly flips?: boolean;
  /** Places of operations that are left out, to see which of them a violation needs. */
  readonly without?: ReadonlySet<number>;
}

export interface SeedResult {
  readonly seed: number;
  readonly story: readonly string[];
  /** Of the story: equal for every run of the seed. */
  readonly hash: string;
  readonly theme: Theme;
  readonly violations: readonly Violation[];
  readonly operations: number;
  readonly turns: number;
}

/**
 * `near`: the stores are on a disk that all hosts share; `remote`: they are elsewhere, and each
 * host goes on without them for a while.
 */
export const THEMES = ['near', 'remote'] as const;
type Theme = (typeof THEMES)[number];

/** Of all stories. */
const REMOTE_PART = 0.15;

/** Of the near stories: in these, odd data wait for a decision. */
const HELD_PART = 0.2;

/** Of the near stories: in these, a byte is changed at the end. */
const FLIPPED_PART = 0.3;

let telling = false;

/**
 * Runs the story of one seed: operations under faults, then a quiet end, and what must hold then.
 */
export async function simulate(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  // Its clock and its server are everybody's.
  if (telling) throw new Error('another story is being told in this process');
  telling = true;
  forgetFiles();
  const scheduler = new Scheduler(seed, START);
  const real = { now: Date.now.bind(Date), setInterval: globalThis.setInterval };
  Date.now = () => scheduler.now;
  globalThis.setInterval = (() => undefined) as unknown as typeof setInterval;
  const story = new Story(seed, scheduler, options);
  try {
    await story.tell();
  } finally {
    Date.now = real.now;
    globalThis.setInterval = real.setInterval;
    telling = false;
  }
  const { violations, operations, theme } = story;
  return {
    seed,
    theme,
    story: scheduler.story,
    hash: scheduler.hash(),
    violations,
    operations,
    turns: scheduler.turns,
  };
}

class Story {
  readonly violations: Violation[] = [];
  operations = 0;
  #reconciled = 0;
  readonly theme: Theme;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #options: SeedOptions;
  readonly #installation: Installation;
  readonly #dates = datesBetween(FIRST, LAST);
  readonly #troubles: Random;
  readonly #holds: boolean;
  readonly #flips: boolean;

  constructor(seed: number, scheduler: Scheduler, options: SeedOptions) {
    this.#scheduler = scheduler;
    // Apart from the schedule: without an operation, the others stay what they are.
    this.#random = new Random(seed + 2 ** 31);
    this.#troubles = new Random(seed + 2 ** 33);
    this.#options = options;
    const drawn = this.#random.chance(REMOTE_PART) ? 'remote' : 'near';
    this.theme = options.theme ?? drawn;
    this.#holds =
      options.only?.includes('decision') ??
      this.#troubles.chance(this.theme === 'near' ? HELD_PART : 0);
    this.#flips = options.flips ?? this.#troubles.chance(this.theme === 'near' ? FLIPPED_PART : 0);
    const tellsFreshness = { counts: this.#random.chance(0.7), forecast: this.#random.chance(0.5) };
    this.#installation = new Installation({
      scheduler,
      hosts: ['anna', 'bert'],
      publishers: Object.fromEntries(
        PARTS.map((part) => [part, new Publisher(part, tellsFreshness[part], this.#dates)]),
      ),
      dataset: simulatedDataset({ since: FIRST, tellsFreshness, holds: this.#holds }),
      holds: this.#holds,
      remote: this.theme === 'remote',
      watcher: {
        onOlderShown: (date, figure, shown) => {
          if (this.#installation.forgiven.has(date)) return;
          this.#violated('never shown older', `users read ${figure} for ${date} after ${shown}`);
        },
        onNamedRemoved: (key) => {
          this.#violated('nothing missing', `${key} is removed, and a newest version names it`);
        },
      },
      ...(options.mutation === undefined ? {} : { mutation: options.mutation }),
    });
  }

  async tell(): Promise<void> {
    await this.#installation.open();
    await this.#act();
    await this.#quiet();
    await this.#check('after the quiet', 'delivered');
    await this.#backfill('all', 'the last look');
    await this.#reconcile();
    await this.#check('after the last look', 'published');
    await this.#move();
    if (this.#flips) await this.#flip();
    for (const broken of this.#installation.server.broken)
      this.#violated('no surprise', `a workflow task fails: ${broken}`);
  }

  /** The operations, each at its time. */
  async #act(): Promise<void> {
    const asked = { remote: this.#installation.remote, only: this.#options.only };
    const usual = drawOperations(this.#random, this.#dates, asked);
    const untilMs = usual.at(-1)?.afterMs ?? 0;
    const troubles = drawTroubles(this.#troubles, this.#dates, { ...asked, untilMs });
    const operations = [...usual, ...troubles].sort((a, b) => a.afterMs - b.afterMs);
    const drawn = this.#random.pick(WEATHERS);
    this.#installation.weather.odds = this.#options.odds ?? drawn;
    this.operations = operations.length;
    for (const [place, operation] of operations.entries()) {
      const { afterMs, what } = operation;
      if (this.#options.without?.has(place) === true) continue;
      this.#scheduler.timer(afterMs, () => {
        this.#scheduler.tell(`— ${place}: ${what}`);
        Promise.resolve(operation.act(this.#installation)).catch((error: unknown) => {
          this.#violated('no surprise', `${what} throws ${String(error)}`);
        });
      });
    }
    await this.#scheduler.run(() => false, START + (operations.at(-1)?.afterMs ?? 0) + 2 * HOUR_MS);
  }

  /**
   * Faults end; everything that runs is let end, and what is open is done, as an operator would.
   */
  async #quiet(): Promise<void> {
    const { weather, publishers, hosts } = this.#installation;
    this.#scheduler.tell('— the faults end');
    weather.odds = CALM;
    for (const publisher of Object.values(publishers)) publisher.refuses = false;
    for (const host of hosts) {
      host.clockMs = 0;
      host.awayUntil.objects = 0;
      host.awayUntil.documents = 0;
    }
    // Long enough for every host to look for its stores again.
    this.#scheduler.timer(HOUR_MS, () => undefined);
    await this.#still('what ran under faults');
    await this.#reconcile();
    await this.#byHand();
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const { selected } = await this.#backfill('open', `round ${round} of the quiet`);
      await this.#reconcile();
      if (selected === 0) return;
    }
    this.#violated('everything ends', `there is something to do after ${MAX_ROUNDS} backfills`);
  }

  /** What only people mend: rows that cannot be read, and days that were rejected. */
  async #byHand(): Promise<void> {
    await this.#atOnce(() => repairAll(this.#installation, this.#dates));
    for (const what of await stillUnreadable(this.#installation, this.#dates))
      this.#violated('repairs', what);
    if (!this.#holds) return;
    await lookOnceMore(this.#installation);
    await this.#still('what was looked at once more');
  }

  /**
   * Whoever verifies what has one changed byte is told so; taken back, or made again by a plain
   * run, it is as it was.
   */
  async #flip(): Promise<void> {
    const found = await drawFlip(this.#installation, this.#troubles, this.#dates);
    if (found === undefined) return;
    const { scope, key } = found;
    const expect = async (wanted: 'identical' | 'anything else', when: string): Promise<void> => {
      const result = await this.#atOnce(() => verified(this.#installation, this.#troubles, scope));
      if ((result === 'identical') === (wanted === 'identical')) return;
      this.#violated('verify looks', `${when}, ${key} of ${scope} is ${String(result)}`);
    };
    await expect('identical', 'before a byte is changed');
    const takeBack = await flip(this.#installation, key);
    await expect('anything else', 'with a changed byte');
    if (this.#troubles.chance(0.5)) await takeBack();
    else await this.#backfill('open', 'what was damaged');
    await expect('identical', 'mended');
  }

  /** The work of a command, given turns until it has ended. */
  async #atOnce<T>(work: () => Promise<T>): Promise<T> {
    let end: { readonly result: T } | { readonly error: unknown } | undefined;
    void work().then(
      (result) => (end = { result }),
      (error: unknown) => (end = { error }),
    );
    await this.#scheduler.run(() => end !== undefined);
    if (end === undefined) throw new Error('a command never ends');
    if ('error' in end) throw end.error;
    return end.result;
  }

  /** A migration that was broken off is gone on with, and the installation goes on there. */
  async #move(): Promise<void> {
    const { move } = this.#installation;
    if (move === undefined) return;
    for (const what of await move.end(this.#installation)) this.#violated('moves whole', what);
    await this.#installation.moveTo(move.target);
    await this.#backfill('all', 'the look at the other stores');
    await this.#check('in the other stores', 'published');
  }

  /** Everything that only one host has is brought to the primary stores. */
  async #reconcile(): Promise<void> {
    if (!this.#installation.remote) return;
    const at = (this.#reconciled += 1);
    for (const { name } of this.#installation.hosts) {
      for (let round = 1; round <= MAX_ROUNDS; round += 1) {
        const workflowId = startReconcile(this.#installation, name, `${at}.${round} of the quiet`);
        await this.#still(workflowId);
        const outcome = this.#installation.server.run(workflowId)?.outcome;
        const result = outcome?.result as ReconcileResult | undefined;
        if (result?.converged === true) break;
        if (round < MAX_ROUNDS) continue;
        this.#violated(
          'reconciles',
          `${name}: ${JSON.stringify(result ?? outcome?.failure?.message)}`,
        );
      }
    }
  }

  async #backfill(select: 'open' | 'all', name: string): Promise<{ readonly selected: number }> {
    const workflowId = `backfill/${PIPELINE}/${name}`;
    this.#scheduler.tell(`— ${name}: backfill ${select}`);
    startRun(this.#installation, 'backfill', workflowId, {
      pipeline: PIPELINE,
      from: FIRST,
      to: LAST,
      select,
    });
    await this.#still(name);
    const outcome = this.#installation.server.run(workflowId)?.outcome;
    if (outcome?.closedAs !== 'completed')
      this.#violated(
        'everything ends',
        `${name}: the backfill has ${outcome?.closedAs ?? 'not ended'}`,
      );
    const result = outcome?.result as { selected: number; failed: object[] } | undefined;
    if ((result?.failed.length ?? 0) > 0)
      this.#violated('everything ends', `${name}: ${JSON.stringify(result?.failed)}`);
    return { selected: result?.selected ?? 0 };
  }

  /** Until nothing runs any more. */
  async #still(what: string): Promise<void> {
    const until = this.#scheduler.now + 5 * DAY_MS;
    if (this.#holds) await this.#acceptUntilEnded(until);
    const end = await this.#scheduler.run(() => false, until);
    const open = this.#installation.server.open.map(({ workflowId }) => workflowId);
    if (open.length > 0)
      this.#violated('everything ends', `${what}: ${open.join(', ')} never end (${end})`);
  }

  /** Somebody looks every hour whether a day waits for a decision. */
  async #acceptUntilEnded(until: number): Promise<void> {
    const { server } = this.#installation;
    while (server.open.length > 0 && this.#scheduler.now < until) {
      let hasLooked = false;
      const stop = this.#scheduler.timer(HOUR_MS, () => {
        hasLooked = true;
        void acceptHeld(this.#installation);
      });
      await this.#scheduler.run(() => hasLooked || server.open.length === 0, until);
      stop();
    }
  }

  async #check(when: string, wanted: 'delivered' | 'published'): Promise<void> {
    for (const violation of await checkStores(this.#installation, this.#dates, wanted)) {
      this.#violated(violation.promise, `${when}: ${violation.what}`);
    }
  }

  #violated(promise: Promised, what: string): void {
    this.#scheduler.tell(`VIOLATION of "${promise}": ${what}`);
    this.violations.push({ promise, what });
  }
}

/** The first does what is open, the second what that made stale. */
const MAX_ROUNDS = 4;
