import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { EngineFallback } from '../../src/engine/engine.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { quietRuntime } from '../../src/workers/logging.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { QUEUE_KINDS, runWorkers } from '../../src/workers/run-workers.ts';
import type { SqlEngine } from '../../src/ports/sql.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';

/**
 * A worker in a process of its own that shoots itself where it is told:
 *
 *     node --import tsx worker-process.ts <home> <server address> <queue> <workflow bundle> [<before|after|inside> <activity or step>]
 *
 * `inside` kills at the second SQL statement of the step, or of `reconcileHost` at its second replayed write. "ready" on stdout says that it polls.
 */
const [home = '', address = '', queue = '', bundle = '', moment, place] = process.argv.slice(2);

function shoot(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

/** The step of an activity's first argument, or the activity's own name. */
function nameOf(type: string, args: unknown[]): string {
  return (args[0] as { step?: string } | undefined)?.step ?? type;
}

/** Whether the code that runs belongs to the step that is to die inside; steps run side by side. */
const doomed = new AsyncLocalStorage<boolean>();

function shootingInterceptor(type: string): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const here = nameOf(type, input.args) === place;
      if (here && moment === 'before') shoot();
      const result: unknown = await doomed.run(here && moment === 'inside', () => next(input));
      if (here && moment === 'after') shoot();
      return result;
    },
  };
}

/** Counts the statements of the step that is to die inside. */
function shootingSql(sql: SqlEngine): SqlEngine {
  let statements = 0;
  return {
    session: (work, options) =>
      sql.session((session) => {
        const counted = {
          scratch: session.scratch,
          borrowFolder: () => session.borrowFolder(),
          run: (text: string) => {
            if (doomed.getStore() === true && (statements += 1) === 2) shoot();
            return session.run(text);
          },
          rows: session.rows.bind(session),
          batches: session.batches.bind(session),
          atOnce: session.atOnce.bind(session),
        };
        return work(counted);
      }, options),
  };
}

/** Counts what a replay tells of. */
function shootingFallback(fallback: EngineFallback): EngineFallback {
  let told = 0;
  return {
    ...fallback,
    replay: ({ signal, progress }) =>
      fallback.replay({
        signal,
        progress(note) {
          if (doomed.getStore() === true && (told += 1) === 2) shoot();
          progress(note);
        },
      }),
  };
}

/** `QUOTIDIEN_TINY_URL` says where the publisher of the small pipeline is. */
const datasets = { ...DATASETS, tiny: tinyDataset() };
const config = loadConfig({ env: process.env, cwd: home, home, hosts: publisherHosts(datasets) });
quietRuntime(config);
const engine = await openEngine(config, datasets);
const sql = engine.sql === undefined ? {} : { sql: shootingSql(engine.sql) };
const fallback = engine.fallback === undefined ? {} : { fallback: shootingFallback(engine.fallback) };
const workers = await runWorkers({
  engine: {
    ...engine,
    ...sql,
    ...fallback,
    queues: { fetch: `${queue}-fetch`, compute: queue, report: `${queue}-report` },
  },
  target: { connection: { address }, namespace: 'default' },
  kinds: QUEUE_KINDS,
  workflowBundle: { codePath: bundle },
  interceptors: {
    activity: [({ info }) => ({ inbound: shootingInterceptor(info.activityType) })],
  },
});
process.stdout.write('ready\n');
process.once('SIGTERM', () => {
  void workers.shutdown().then(() => engine.close());
});
await workers.ended;
