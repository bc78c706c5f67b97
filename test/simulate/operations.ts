import { collectGarbage } from '../../src/engine/upkeep/collect-garbage.ts';
import { errorCodeOf } from '../../src/errors.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { hostQueue } from '../../src/workers/engine-fallback.ts';
import { PARTS, PIPELINE } from './dataset.ts';
import { readObject } from './stores-of-process.ts';
import { QUEUES } from './installation.ts';
import type { Host, Installation } from './installation.ts';
import type { Random } from './random.ts';

/** What people, schedules and publishers do to an installation. */

export interface Operation {
  /** Milliseconds after the beginning. */
  readonly afterMs: number;
  readonly what: string;
  act(installation: Installation): Promise<void> | void;
}

type Draw = (random: Random, dates: readonly CivilDate[]) => Omit<Operation, 'afterMs'>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface KindOfOperation {
  readonly weight: number;
  readonly draw: Draw;
  /** Of installations whose stores are elsewhere. */
  readonly remote?: true;
}

const KINDS = {
  run: { weight: 5, draw: runDay },
  backfill: { weight: 5, draw: backfill },
  revision: { weight: 7, draw: revision },
  watch: { weight: 2, draw: watch },
  tick: { weight: 2, draw: tick },
  flush: { weight: 1, draw: flush },
  garbage: { weight: 2, draw: garbage },
  refusal: { weight: 2, draw: refusal },
  clock: { weight: 2, draw: clock },
  terminate: { weight: 1, draw: terminate },
  kill: { weight: 1, draw: kill },
  skip: { weight: 1, draw: skipPart },
  damage: { weight: 1, draw: damage },
  outage: { weight: 6, draw: outage, remote: true },
  reconcile: { weight: 3, draw: reconcile, remote: true },
} as const satisfies Readonly<Record<string, KindOfOperation>>;

export type Kind = keyof typeof KINDS;

export interface Drawn {
  readonly remote: boolean;
  /** Operations of other kinds are left out. */
  readonly only?: readonly string[] | undefined;
}

/** The operations of a seed, in bursts: what is close in time meets. */
export function drawOperations(
  random: Random,
  dates: readonly CivilDate[],
  { remote, only }: Drawn,
): Operation[] {
  const kinds = (Object.entries(KINDS) as [Kind, KindOfOperation][])
    .filter(([kind, one]) => (remote || one.remote !== true) && only?.includes(kind) !== false)
    .map(([, one]) => one);
  const operations: Operation[] = [];
  const bursts = random.whole(1, 4);
  let startMs = 0;
  for (let burst = 0; burst < bursts; burst += 1) {
    const spreadMs = random.pick([1_000, 10_000, MINUTE_MS, 10 * MINUTE_MS]);
    for (let count = random.whole(2, 5); count > 0; count -= 1) {
      const draw = drawKind(random, kinds);
      operations.push({ ...draw(random, dates), afterMs: startMs + random.whole(0, spreadMs) });
    }
    startMs += random.pick([5 * MINUTE_MS, 2 * HOUR_MS, DAY_MS + HOUR_MS]);
  }
  return operations.sort((a, b) => a.afterMs - b.afterMs);
}

function drawKind(random: Random, kinds: readonly KindOfOperation[]): Draw {
  let at = random.fraction() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, draw } of kinds) {
    at -= weight;
    if (at < 0) return draw;
  }
  return runDay;
}

function rangeOf(random: Random, dates: readonly CivilDate[]): { from: CivilDate; to: CivilDate } {
  if (random.chance(0.5)) return { from: dates[0]!, to: dates.at(-1)! };
  const first = random.whole(0, dates.length - 1);
  const last = random.whole(first, dates.length - 1);
  return { from: dates[first]!, to: dates[last]! };
}

/** Starts a run, unless one of its id is under way. */
export function startRun(
  { server }: Installation,
  type: string,
  workflowId: string,
  input: object,
): boolean {
  if (server.run(workflowId)?.isOpen === true) return false;
  server.start({ type, workflowId, args: [input] });
  return true;
}

function runDay(random: Random, dates: readonly CivilDate[]): Omit<Operation, 'afterMs'> {
  const date = random.pick(dates);
  const options = random.pick([
    {},
    {},
    { recheck: true },
    { recheck: true },
    { offline: true },
    { fromStep: 'metrics' },
  ]);
  return {
    what: `run ${date} ${JSON.stringify(options)}`,
    act: (installation) => {
      startRun(installation, 'day', `day/${PIPELINE}/${date}`, {
        pipeline: PIPELINE,
        date,
        reason: 'manual',
        ...options,
      });
    },
  };
}

function backfill(random: Random, dates: readonly CivilDate[]): Omit<Operation, 'afterMs'> {
  const range = rangeOf(random, dates);
  const select = random.pick(['open', 'open', 'all', 'all', 'stale', 'missing']);
  const newestFirst = random.chance(0.2);
  const id = `backfill/${PIPELINE}/${random.whole(1, 3)}`;
  return {
    what: `backfill ${range.from}…${range.to} ${select}${newestFirst ? ' newest first' : ''}`,
    act: (installation) => {
      startRun(installation, 'backfill', id, { pipeline: PIPELINE, ...range, select, newestFirst });
    },
  };
}

function revision(random: Random, dates: readonly CivilDate[]): Omit<Operation, 'afterMs'> {
  const part = random.pick(PARTS);
  const chosen = random.chance(0.3) ? dates : dates.filter(() => random.chance(0.3));
  return {
    what: `${part} revises ${chosen.join(', ')}`,
    act: ({ publishers }) => {
      publishers[part]?.revise(chosen);
    },
  };
}

function watch(): Omit<Operation, 'afterMs'> {
  return {
    what: 'watch',
    act: (installation) => {
      startRun(installation, 'watch', `watch/${PIPELINE}`, { pipeline: PIPELINE });
    },
  };
}

function tick(random: Random): Omit<Operation, 'afterMs'> {
  const schedule = random.pick(['daily', 'processing', 'watch']);
  return {
    what: `tick of ${schedule}`,
    act: (installation) => {
      startRun(installation, 'tick', `tick/${schedule}`, { pipeline: PIPELINE, schedule });
    },
  };
}

function flush(): Omit<Operation, 'afterMs'> {
  return {
    what: 'flush the rollup',
    act: ({ server }) => {
      server.signal(`rollup/${PIPELINE}`, 'flush', []);
    },
  };
}

function garbage(random: Random): Omit<Operation, 'afterMs'> {
  const graceDays = random.pick([1, 1, 0.5]);
  const place = random.whole(0, 1);
  return {
    what: `gc of ${graceDays} days on host ${place}`,
    act: (installation) => collect(installation, installation.hosts[place]!, graceDays),
  };
}

async function collect(installation: Installation, host: Host, graceDays: number): Promise<void> {
  await commanded(installation, 'gc', async () => {
    const { engine, process } = await installation.command(host, 'gc');
    const { removed } = await collectGarbage(engine, { graceDays, dryRun: false });
    installation.scheduler.tell(`${process.name}: removed ${removed}`);
  });
}

/** A collection finds and another one removes, both while a host does not see what others wrote. */
export function collectionsInOutage(random: Random): Omit<Operation, 'afterMs'> {
  const place = random.whole(0, 1);
  const graceMs = 10 * MINUTE_MS;
  return {
    what: `the documents are away from host ${place}, and gc runs twice there`,
    act: async (installation) => {
      const { hosts, scheduler } = installation;
      const host = hosts[place]!;
      host.awayUntil.documents = scheduler.now + 3 * graceMs;
      await collect(installation, host, graceMs / DAY_MS);
      await scheduler.turn(undefined, undefined, 2 * graceMs);
      await collect(installation, host, graceMs / DAY_MS);
    },
  };
}

/** Somebody, or a disk, takes an object away or changes a byte of it. */
function damage(random: Random): Omit<Operation, 'afterMs'> {
  const which = random.fraction();
  const removes = random.chance(0.5);
  return {
    what: removes ? 'an object vanishes' : 'a byte of an object changes',
    act: async ({ primary: { objects }, scheduler }) => {
      const keys: string[] = [];
      for await (const { key } of objects.list('')) keys.push(key);
      const key = keys[Math.floor(which * keys.length)];
      const bytes = key === undefined ? undefined : await readObject(objects, key);
      if (key === undefined || bytes === undefined) return;
      scheduler.tell(`it is ${key}`);
      if (removes) return objects.delete(key);
      bytes[bytes.length - 1] = 32;
      await objects.put(key, bytes, { mode: 'replace', mediaType: 'text/plain' });
    },
  };
}

function outage(random: Random): Omit<Operation, 'afterMs'> {
  const place = random.whole(0, 2);
  const stores = random.pick([['objects'], ['documents'], ['objects', 'documents']] as const);
  const forMs = random.pick([30_000, 10 * MINUTE_MS, 3 * HOUR_MS]);
  return {
    what: `${stores.join(' and ')} are away from ${place === 2 ? 'all hosts' : `host ${place}`} for ${forMs} ms`,
    act: ({ hosts, scheduler }) => {
      for (const host of place === 2 ? hosts : hosts.slice(place, place + 1)) {
        for (const store of stores) host.awayUntil[store] = scheduler.now + forMs;
      }
    },
  };
}

function reconcile(random: Random): Omit<Operation, 'afterMs'> {
  const place = random.whole(0, 1);
  return {
    what: `reconcile host ${place}`,
    act: (installation) => {
      startReconcile(installation, installation.hosts[place]!.name, 'a person');
    },
  };
}

/** Starts the replay of what a host wrote while a store was away; returns its workflow's id. */
export function startReconcile(installation: Installation, host: string, who: string): string {
  const workflowId = `reconcile/${host}/${who}`;
  startRun(installation, 'reconcile', workflowId, { host, queue: hostQueue(QUEUES.compute, host) });
  return workflowId;
}

/** A command that fails says so; what it was about is left to the next one. */
export async function commanded(
  { scheduler }: Installation,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    scheduler.tell(`${name} fails: ${(error as Error).message.slice(0, 120)}`);
  }
}

function refusal(random: Random): Omit<Operation, 'afterMs'> {
  const part = random.pick(PARTS);
  const refuses = random.chance(0.6);
  return {
    what: refuses ? `${part} refuses everybody` : `${part} takes everybody`,
    act: ({ publishers }) => {
      const publisher = publishers[part];
      if (publisher !== undefined) publisher.refuses = refuses;
    },
  };
}

function clock(random: Random): Omit<Operation, 'afterMs'> {
  const place = random.whole(0, 1);
  const aheadMs = random.pick([0, 2 * DAY_MS, HOUR_MS, -HOUR_MS]);
  return {
    what: `the clock of host ${place} is ${aheadMs / MINUTE_MS} minutes ahead`,
    act: ({ hosts }) => {
      const host = hosts[place];
      if (host !== undefined) host.clockMs = aheadMs;
    },
  };
}

function terminate(random: Random): Omit<Operation, 'afterMs'> {
  const which = random.fraction();
  return {
    what: 'somebody terminates a run',
    act: ({ server }) => {
      const run = server.open[Math.floor(which * server.open.length)];
      if (run !== undefined) server.terminate(run);
    },
  };
}

function kill(random: Random): Omit<Operation, 'afterMs'> {
  const place = random.whole(0, 1);
  return {
    what: `somebody kills the worker of host ${place}`,
    act: (installation) => {
      const worker = installation.hosts[place]?.worker;
      if (worker !== undefined) installation.kill(worker.process);
    },
  };
}

function skipPart(random: Random, dates: readonly CivilDate[]): Omit<Operation, 'afterMs'> {
  const date = random.pick(dates);
  return {
    what: `somebody skips the forecast of ${date}`,
    act: async ({ server, scheduler }) => {
      try {
        await server.update(`day/${PIPELINE}/${date}`, 'skipPart', [
          { step: 'download/forecast', reason: 'a story' },
        ]);
      } catch (error) {
        scheduler.tell(`skipping is refused: ${(error as Error).message}`);
      }
    },
  };
}
