import { hostname } from 'node:os';
import path from 'node:path';
import type { Engine, EngineFallback } from '../engine/engine.ts';
import { createHttpClient } from '../engine/sources/http-client.ts';
import { livelySql } from '../activities/signs-of-life.ts';
import { mergeRules } from '../engine/upkeep/merge-records.ts';
import { objectNameIn } from '../config/object-names.ts';
import type { DepositPlaces } from '../config/earlier-settings.ts';
import type { Config } from '../config/load-config.ts';
import { parsePayloadKeys } from '../config/payload-keys.ts';
import { secretsOf } from '../config/secrets.ts';
import { hostVariable } from '../config/settings.ts';
import { openSources } from '../engine/sources/open-source.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { ObjectStore } from '../ports/objects.ts';
import type { DuckDbEngine, DuckDbEngineOptions } from '../storage/sql/duckdb.ts';
import { limitSessions } from '../storage/sql/limit-sessions.ts';
import { createDepositedStore } from '../storage/local/deposited-objects.ts';
import { createPlacedObjectStore } from '../storage/local/placed-objects.ts';
import { withScratchFolder } from '../storage/local/scratch-folder.ts';
import { CODE_VERSION } from './code-version.ts';
import { configuredDatasets } from './configured-datasets.ts';
import { engineFallback } from './engine-fallback.ts';
import { meterSecret } from './meter-secret.ts';
import { openStores } from './open-stores.ts';
import type { OpenStores } from './open-stores.ts';
import { overlayOf } from './overlay-stores.ts';

/** Close it once nothing uses it any more: sessions that run are waited for. */
export interface OpenEngine extends Engine {
  /** The stores behind it, for whoever examines, replays or copies them. */
  readonly stores: OpenStores;
  close(): Promise<void>;
}

type OfInstallation = Required<Pick<Engine, 'openSource' | 'objectNamed' | 'rawKeys' | 'secret'>>;

/**
 * How publishers are reached, what objects are called, what files are sealed with, and by what
 * persons are known.
 */
function ofInstallation({ home, settings, storage }: Config): OfInstallation {
  const folder = path.join(home, 'scratch', 'downloads');
  const idleTimeoutMs = settings.QUOTIDIEN_HTTP_IDLE_MS;
  return {
    openSource: openSources({
      http: createHttpClient({ folder, userAgent: `quotidien/${CODE_VERSION}`, idleTimeoutMs }),
      hostKeySetting: (host) => hostVariable(host, 'HOST_KEY'),
      ...{ folder, idleTimeoutMs },
    }),
    objectNamed: ({ bucket, key }) => objectNameIn(storage.objects, bucket, key),
    rawKeys: parsePayloadKeys(settings.QUOTIDIEN_RAW_KEYS).keys,
    secret: () => meterSecret(home, settings.QUOTIDIEN_METER_SECRET),
  };
}

/** Where the SQL engines of a home keep what they spill, each in a folder of its process. */
export function sqlScratchOf(home: string): string {
  return path.join(home, 'scratch', 'sql');
}

/**
 * Opens the stores and engines that the configuration chooses; the SQL engine starts with its first
 * session.
 */
export async function openEngine(
  config: Config,
  datasets: Readonly<Record<string, Dataset>>,
): Promise<OpenEngine> {
  const { home, settings } = config;
  const scratch = path.join(home, 'scratch');
  const stores = await openStores(config, mergeRules(datasets));
  const duckDb = whenUsed({
    memoryLimitMb: settings.QUOTIDIEN_SQL_MEMORY_MB,
    threads: settings.QUOTIDIEN_SQL_THREADS,
    scratchRoot: sqlScratchOf(home),
  });
  const queue = settings.QUOTIDIEN_TASK_QUEUE;
  const own = ofInstallation(config);
  const objects = withDeposits(stores.objects, config.deposits);
  return {
    datasets: configuredDatasets(
      datasets,
      config.hosts,
      {
        thresholds: settings.QUOTIDIEN_THRESHOLDS,
        shards: settings.QUOTIDIEN_SHARDS,
        deposits: settings.QUOTIDIEN_DEPOSITS,
        sources: settings.ENABLE_SOURCES,
      },
      own.secret,
    ),
    stores,
    objects,
    documents: stores.documents,
    ...(stores.fallback === undefined
      ? {}
      : {
          fallback: fallbackWithDeposits(engineFallback(stores.fallback, queue), config.deposits),
        }),
    sql: livelySql(limitSessions(duckDb, settings.QUOTIDIEN_SQL_SESSIONS)),
    ...own,
    async writeFlatParquet(...table) {
      const { encodeFlatParquet } = await import('../storage/sql/parquet-export.ts');
      return encodeFlatParquet(...table);
    },
    now: () => new Date(),
    deposits: settings.QUOTIDIEN_DEPOSITS,
    withScratchFolder: (use) => withScratchFolder(path.join(scratch, 'raw'), use),
    withOverlay: overlayOf(path.join(scratch, 'raw'), { objects, documents: stores.documents }),
    queues: { fetch: `${queue}-fetch`, compute: queue, report: `${queue}-report` },
    retry: {
      initialMs: settings.QUOTIDIEN_RETRY_INITIAL_MS,
      maximumMs: settings.QUOTIDIEN_RETRY_MAXIMUM_MS,
      attempts: settings.QUOTIDIEN_RETRY_ATTEMPTS,
      heartbeatMs: settings.QUOTIDIEN_HEARTBEAT_MS,
    },
    host: stores.fallback?.host ?? hostname(),
    codeVersion: CODE_VERSION,
    secrets: secretsOf(config),
    retention: settings.QUOTIDIEN_RETAIN,
    stallMs: settings.QUOTIDIEN_STALL_MS,
    rollupDebounceMs: settings.QUOTIDIEN_ROLLUP_QUIET_MS,
    async close() {
      await duckDb.close();
      await stores.close();
    },
  };
}

/**
 * The store with what other programs put on this machine beside it, also while the store itself is
 * away.
 */
function withDeposits(objects: ObjectStore, places: DepositPlaces | undefined): ObjectStore {
  if (places === undefined) return objects;
  const folders = Object.entries(places.folders).map(([folder, at]) => {
    return { folder, store: createDepositedStore(at), foreign: true };
  });
  const files = Object.entries(places.files).map(([key, file]) => {
    const store = createDepositedStore(path.dirname(file), path.basename(file));
    return { folder: path.posix.dirname(key), store, foreign: true };
  });
  return createPlacedObjectStore(objects, [...folders, ...files]);
}

function fallbackWithDeposits(
  fallback: EngineFallback,
  places: DepositPlaces | undefined,
): EngineFallback {
  return {
    ...fallback,
    forWork() {
      const stores = fallback.forWork();
      return { ...stores, objects: withDeposits(stores.objects, places) };
    },
  };
}

/** The SQL engine, whose driver is loaded by the first session: most commands need none. */
function whenUsed(options: DuckDbEngineOptions): DuckDbEngine {
  let loading: Promise<DuckDbEngine> | undefined;
  const load = async (): Promise<DuckDbEngine> => {
    const { createDuckDbEngine } = await import('../storage/sql/duckdb.ts');
    return createDuckDbEngine(options);
  };
  return {
    session: async (work, bounds) => (await (loading ??= load())).session(work, bounds),
    close: async () => (await loading)?.close(),
  };
}
