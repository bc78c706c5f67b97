import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { ReconcileResult } from '../../src/activities/contract.ts';
import { PARTS, PIPELINE, simulatedDataset } from './dataset.ts';
import { Installation } from './installation.ts';
import type { Mutation } from './installation.ts';
import { checkStores } from './invariants.ts';
import type { Promised, Violation } from './invariants.ts';
import { drawOperations, startReconcile, startRun } from './operations.ts';
import type { Kind } from './operations.ts';
import { Publisher } from './publishers.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
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
  readonly only?: readonly Kind[];
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

/** `near`: the stores are on a disk that all hosts share; `remote`: they are elsewhere, and each host goes on without them for a while. */
export const THEMES = ['near', 'remote'] as const;
type Theme = (typeof THEMES)[number];

/** Of all stories. */
const REMOTE_PART = 0.15;

let telling = false;

/** Runs the story of one seed: operations under faults, then a quiet end, and what must hold then. */
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

  constructor(seed: number, scheduler: Scheduler, options: SeedOptions) {
    this.#scheduler = scheduler;
    // Apart from the schedule: without an operation, the others stay what they are.
    this.#random = new Random(seed + 2 ** 31);
    this.#options = options;
    const drawn = this.#random.chance(REMOTE_PART) ? 'remote' : 'near';
    this.theme = options.theme ?? drawn;
    const tellsFreshness = { counts: this.#random.chance(0.7), forecast: this.#random.chance(0.5) };
    this.#installation = new Installation({
      scheduler,
      hosts: ['anna', 'bert'],
      publishers: Object.fromEntries(
        PARTS.map((part) => [part, new Publisher(part, tellsFreshness[part], this.#dates)]),
      ),
      dataset: simulatedDataset(FIRST, tellsFreshness),
      remote: this.theme === 'remote',
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
    for (const broken of this.#installation.server.broken)
      this.#violated('no surprise', `a workflow task fails: ${broken}`);
  }

  /** The operations, each at its time. */
  async #act(): Promise<void> {
    const operations = drawOperations(this.#random, this.#dates, {
      remote: this.#installation.remote,
      only: this.#options.only,
    });
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

  /** Faults end; everything that runs is let end, and what is open is done, as an operator would. */
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
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      const { selected } = await this.#backfill('open', `round ${round} of the quiet`);
      await this.#reconcile();
      if (selected === 0) return;
    }
    this.#violated('everything ends', `there is something to do after ${MOST_ROUNDS} backfills`);
  }

  /** Everything that only one host has is brought to the primary stores. */
  async #reconcile(): Promise<void> {
    if (!this.#installation.remote) return;
    const at = (this.#reconciled += 1);
    for (const { name } of this.#installation.hosts) {
      for (let round = 1; round <= MOST_ROUNDS; round += 1) {
        const workflowId = startReconcile(this.#installation, name, `${at}.${round} of the quiet`);
        await this.#still(workflowId);
        const outcome = this.#installation.server.run(workflowId)?.outcome;
        const result = outcome?.result as ReconcileResult | undefined;
        if (result?.converged === true) break;
        if (round < MOST_ROUNDS) continue;
        this.#violated('reconciles', `${name}: ${JSON.stringify(result ?? outcome?.failure?.message)}`);
      }
    }
  }

  async #backfill(select: 'open' | 'all', name: string): Promise<{ readonly selected: number }> {
    const workflowId = `backfill/${PIPELINE}/${name}`;
    this.#scheduler.tell(`— ${name}: backfill ${select}`);
    startRun(this.#installation, 'backfill', workflowId, { pipeline: PIPELINE, from: FIRST, to: LAST, select });
    await this.#still(name);
    const outcome = this.#installation.server.run(workflowId)?.outcome;
    if (outcome?.closedAs !== 'completed')
      this.#violated('everything ends', `${name}: the backfill has ${outcome?.closedAs ?? 'not ended'}`);
    const result = outcome?.result as { selected: number; failed: object[] } | undefined;
    if ((result?.failed.length ?? 0) > 0)
      this.#violated('everything ends', `${name}: ${JSON.stringify(result?.failed)}`);
    return { selected: result?.selected ?? 0 };
  }

  /** Until nothing runs any more. */
  async #still(what: string): Promise<void> {
    const end = await this.#scheduler.run(() => false, this.#scheduler.now + 5 * DAY_MS);
    const open = this.#installation.server.open.map(({ workflowId }) => workflowId);
    if (open.length > 0) this.#violated('everything ends', `${what}: ${open.join(', ')} never end (${end})`);
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
const MOST_ROUNDS = 4;
