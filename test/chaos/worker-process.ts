import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { EngineFallback } from '../../src/engine/engine.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { quietRuntime } from '../../src/workers/logging.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { QUEUE_KINDS, runWorkers } from '../../src/workers/run-workers.ts';
import { ARRIVAL_TABLE } from '../../src/engine/sources/arrivals.ts';
import type { Arrival } from '../../src/engine/sources/arrivals.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import type { SqlEngine, SqlSession } from '../../src/ports/sql.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';

/**
 * A worker in a process of its own that shoots itself where it is told:
 *
 *     node --import tsx worker-process.ts <home> <server address> <queue> <workflow bundle>
 *     [<moment> <activity or step> [<statement>]]
 *
 * | moment | it dies |
 * |---|---|
 * | before, after | before or after the activity |
 * | inside | at an SQL statement of the step, the second unless told; of `reconcileHost` at its second replayed write |
 * | decrypting | with the first bytes of an archive that come out of its cipher |
 * | unzipping | with the first bytes of a document that are to be unpacked from its zip |
 * | noting | where the journal is to say what became of a file of a folder |
 *
 * "ready" on stdout says that it polls.
 */
const [home = '', address = '', queue = '', bundle = '', moment, place, statement = '2'] =
  process.argv.slice(2);

function shoot(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

/** The step of an activity's first argument, or the activity's own name. */
function nameOf(type: string, args: unknown[]): string {
  return (args[0] as { step?: string } | undefined)?.step ?? type;
}

/** Whether the code that runs belongs to the step that is to die; steps run side by side. */
const doomed = new AsyncLocalStorage<boolean>();

function isDoomed(when: string): boolean {
  return moment === when && doomed.getStore() === true;
}

const BLOCK_BYTES = 16;

/** Raw files are sealed in another way than archives: those are not meant. */
function shootInArchives(): void {
  const { createDecipheriv } = crypto;
  crypto.createDecipheriv = ((...args: Parameters<typeof createDecipheriv>) => {
    const cipher = createDecipheriv(...args);
    if (!isDoomed('decrypting') || !args[0].endsWith('-cbc')) return cipher;
    const update = cipher.update.bind(cipher) as (bytes: Uint8Array) => Buffer;
    cipher.update = ((bytes: Uint8Array) => {
      const plain = update(bytes);
      // Two blocks at most are looked at to tell which key is the right one.
      if (bytes.byteLength > 2 * BLOCK_BYTES) shoot();
      return plain;
    }) as typeof cipher.update;
    return cipher.once('data', shoot);
  }) as typeof createDecipheriv;
  const { inflateRawSync } = zlib;
  zlib.inflateRawSync = (...args) => {
    if (isDoomed('unzipping')) shoot();
    return inflateRawSync(...args);
  };
  syncBuiltinESMExports();
  const inflating = zlib.InflateRaw.prototype as Transform;
  const inflate: unknown = Reflect.get(inflating, '_transform');
  inflating._transform = function transform(...args) {
    if (isDoomed('unzipping')) shoot();
    Reflect.apply(inflate as () => void, this, args);
  };
}

/** A file is noted as seen before it is fetched: that is not meant. */
function shootingDocuments(documents: DocumentStore): DocumentStore {
  const put: DocumentStore['put'] = (key, body, options) => {
    const isNote = key.table === ARRIVAL_TABLE && (body as Partial<Arrival>).state !== 'seen';
    if (isNote && isDoomed('noting')) shoot();
    return documents.put(key, body, options);
  };
  return new Proxy(documents, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'put') return put;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

function shootingInterceptor(type: string): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const here = nameOf(type, input.args) === place;
      if (here && moment === 'before') shoot();
      const result: unknown = await doomed.run(here, () => next(input));
      if (here && moment === 'after') shoot();
      return result;
    },
  };
}

/** Counts the statements of the step that is to die inside, also those of sessions at once. */
function shootingSql(sql: SqlEngine): SqlEngine {
  let statements = 0;
  const count = (): void => {
    if (isDoomed('inside') && (statements += 1) === Number(statement)) shoot();
  };
  const counted = (session: SqlSession): SqlSession => ({
    scratch: session.scratch,
    borrowFolder: () => session.borrowFolder(),
    run: (text) => {
      count();
      return session.run(text);
    },
    runOnOneThread: (text) => {
      count();
      return session.runOnOneThread(text);
    },
    rows: (text) => {
      count();
      return session.rows(text);
    },
    batches: session.batches.bind(session),
    atOnce: (items, work) => session.atOnce(items, (item, own) => work(item, counted(own))),
    finish: () => session.finish(),
  });
  return { session: (work, options) => sql.session((session) => work(counted(session)), options) };
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
          if (isDoomed('inside') && (told += 1) === 2) shoot();
          progress(note);
        },
      }),
  };
}

/** `QUOTIDIEN_TINY_URL` says where the publisher of the small pipeline is. */
const datasets = { ...DATASETS, tiny: tinyDataset() };
const config = loadConfig({ env: process.env, cwd: home, home, hosts: publisherHosts(datasets) });
quietRuntime(config);
shootInArchives();
const engine = await openEngine(config, datasets);
const sql = engine.sql === undefined ? {} : { sql: shootingSql(engine.sql) };
const fallback =
  engine.fallback === undefined ? {} : { fallback: shootingFallback(engine.fallback) };
const workers = await runWorkers({
  engine: {
    ...engine,
    ...sql,
    ...fallback,
    ...(moment === 'noting' ? { documents: shootingDocuments(engine.documents) } : {}),
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
