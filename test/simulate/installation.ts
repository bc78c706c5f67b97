import { mergeRules } from '../../src/engine/upkeep/merge-records.ts';
import { createActivities } from '../../src/activities/create-activities.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openHttpSource } from '../../src/engine/sources/http-source.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import type { Scope } from '../../src/pipelines/vocabulary.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MigrationOptions } from '../../src/storage/setup/migrate.ts';
import { interceptors } from '../../src/workflows/host-routing.ts';
import * as workflows from '../../src/workflows/index.ts';
import { engineFallback, hostQueue } from '../../src/workers/engine-fallback.ts';
import { HostDisk, openSimulatedFallback } from './fallback-of-host.ts';
import type { Move } from './migrations.ts';
import { httpOf } from './publishers.ts';
import type { Publisher } from './publishers.ts';
import type { Activity, Workers } from './runtime/attempts.ts';
import { useServer } from './runtime/current-server.ts';
import type { Interceptors } from './runtime/interceptors.ts';
import { Server } from './runtime/server.ts';
import { Process } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import { watchObjects } from './watched-objects.ts';
import type { Watcher } from './watched-objects.ts';
import { storesOf } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';
import { Weather } from './weather.ts';

export const QUEUES = { fetch: 'fetch', compute: 'compute', report: 'report' } as const;

/**
 * What a change of the product's parts, made on purpose, puts in their place; see `mutations.ts`.
 */
export interface Mutation {
  /** The primary stores as every process sees them. */
  readonly stores?: (stores: Stores, process: Process) => Stores;
  readonly engine?: (engine: Engine) => Engine;
  readonly activities?: (
    activities: Record<string, Activity>,
    engine: Engine,
  ) => Record<string, Activity>;
  readonly migration?: (options: MigrationOptions) => MigrationOptions;
}

type StoreName = 'objects' | 'documents';

interface Worker {
  readonly process: Process;
  readonly engine: Engine;
  readonly activities: Readonly<Record<string, Activity>>;
}

export interface Host {
  readonly name: string;
  /** How far its clock is ahead of the others, in milliseconds. */
  clockMs: number;
  worker: Worker | undefined;
  processes: number;
  /** Virtual instants until which it cannot reach a store. */
  readonly awayUntil: Record<StoreName, number>;
  /** There where its stores are remote: what it goes on with while they are away. */
  readonly disk: HostDisk | undefined;
}

export interface InstallationOptions {
  readonly scheduler: Scheduler;
  readonly hosts: readonly string[];
  readonly publishers: Readonly<Record<string, Publisher>>;
  readonly dataset: Dataset;
  /** The stores are remote: each host has a cache, a journal and a mirror. */
  readonly remote: boolean;
  readonly holds: boolean;
  readonly mutation?: Mutation;
  readonly watcher: Watcher;
}

/** Hosts with a worker each, their shared stores, the server and the publishers. */
export class Installation implements Workers {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly server: Server;
  primary: Stores;
  /** The same for processes. */
  #reached: Stores;
  readonly hosts: readonly Host[];
  readonly publishers: Readonly<Record<string, Publisher>>;
  /**
   * Days of which an older version may come back, because somebody imported or damaged something.
   */
  readonly forgiven = new Set<Scope>();
  /**
   * The sort keys of rows that were made unreadable: an older version of them is not made again.
   */
  readonly setAside = new Set<string>();
  /** A move to other stores that was begun. */
  move: Move | undefined;
  readonly #options: InstallationOptions;

  constructor(options: InstallationOptions) {
    this.#options = options;
    this.scheduler = options.scheduler;
    this.publishers = options.publishers;
    this.primary = { objects: createMemoryObjectStore(), documents: createMemoryDocumentStore() };
    this.#reached = { ...this.primary, objects: watchObjects(this.primary, options.watcher) };
    this.weather = new Weather(options.scheduler);
    this.weather.onCrash = (process) => {
      this.kill(process);
    };
    this.server = new Server(
      options.scheduler,
      { workflows, interceptors: interceptors as unknown as () => Interceptors },
      this,
    );
    useServer(this.server);
    this.hosts = options.hosts.map((name) => ({
      name,
      clockMs: 0,
      worker: undefined,
      processes: 0,
      awayUntil: { objects: 0, documents: 0 },
      disk: options.remote ? new HostDisk(name) : undefined,
    }));
  }

  get dataset(): Dataset {
    return this.#options.dataset;
  }

  get mutation(): Mutation | undefined {
    return this.#options.mutation;
  }

  /** Odd data wait for a decision. */
  get holds(): boolean {
    return this.#options.holds;
  }

  get remote(): boolean {
    return this.#options.remote;
  }

  async open(): Promise<void> {
    for (const host of this.hosts) await this.#startWorker(host);
  }

  processFor(queue: string | undefined): Process | undefined {
    const own = this.hosts.find(({ name }) => queue === hostQueue(QUEUES.compute, name));
    const able = (own === undefined ? this.hosts : [own]).flatMap(({ worker }) =>
      worker === undefined ||
      worker.process.dead ||
      worker.process.stoppedUntil > this.scheduler.now
        ? []
        : [worker],
    );
    return able.length === 0 ? undefined : this.scheduler.random.pick(able).process;
  }

  activity(process: Process, name: string): Activity | undefined {
    const worker = this.hosts.find((host) => host.worker?.process === process)?.worker;
    return worker?.activities[name];
  }

  /** The process is gone with all that it remembers; its host starts another one after a while. */
  kill(process: Process): void {
    process.dead = true;
    for (const call of [...process.onSilence]) call();
    const host = this.hosts.find(({ worker }) => worker?.process === process);
    if (host === undefined) return;
    host.worker = undefined;
    this.scheduler.timer(this.scheduler.random.whole(1, 30) * 1_000, () => {
      void this.#startWorker(host);
    });
  }

  /** All workers end, and work on other stores from now on. */
  async moveTo(stores: Stores): Promise<void> {
    this.primary = stores;
    this.#reached = stores;
    for (const host of this.hosts) {
      if (host.worker !== undefined) host.worker.process.dead = true;
      host.worker = undefined;
      await this.#startWorker(host);
    }
  }

  /** A command's own process on a host, with an engine of its own. */
  async command(
    host: Host,
    name: string,
  ): Promise<{ readonly process: Process; readonly engine: Engine }> {
    const process = new Process(`${host.name} ${name}`);
    return { process, engine: await this.#engineOf(host, process) };
  }

  async #startWorker(host: Host): Promise<void> {
    if (host.worker !== undefined) return;
    host.processes += 1;
    const process = new Process(`${host.name}${host.processes}`);
    const engine = await this.#engineOf(host, process);
    const made = createActivities(engine) as unknown as Record<string, Activity>;
    const activities = this.#options.mutation?.activities?.(made, engine) ?? made;
    host.worker = { process, engine, activities };
    this.scheduler.tell(`${process.name} starts`);
  }

  async #engineOf(host: Host, process: Process): Promise<Engine> {
    const { dataset, mutation } = this.#options;
    const away = (store: StoreName) =>
      host.awayUntil[store] > this.scheduler.now
        ? `the ${store} are away from ${host.name}`
        : undefined;
    const reached = storesOf(process, this.weather, this.#reached, away);
    const primary = mutation?.stores?.(reached, process) ?? reached;
    const now = () => new Date(this.scheduler.now + host.clockMs);
    const { disk } = host;
    const fallback =
      disk === undefined
        ? undefined
        : await openSimulatedFallback(
            host.name,
            process,
            this.weather,
            disk,
            primary,
            now,
            mergeRules({ [dataset.definition.name]: dataset }),
          );
    const stores = fallback?.stores ?? primary;
    const engine: Engine = {
      ...(fallback === undefined ? {} : { fallback: engineFallback(fallback, QUEUES.compute) }),
      datasets: { [dataset.definition.name]: dataset },
      objects: stores.objects,
      documents: stores.documents,
      sql: { session: (work) => work({ finish: () => Promise.resolve() } as never) },
      openSource: (declaration) => {
        if (declaration.kind === 'folder') throw new Error('no folder is simulated');
        return openHttpSource(
          httpOf(process, this.weather, this.scheduler, this.publishers),
          declaration,
        );
      },
      writeFlatParquet: () => Promise.reject(new Error('no step writes Parquet')),
      now,
      withScratchFolder: () => Promise.reject(new Error('no import is simulated')),
      queues: QUEUES,
      retry: { initialMs: 1_000, maximumMs: 60_000, attempts: 6, heartbeatMs: 30_000 },
      host: host.name,
      codeVersion: 'simulated',
      rollupDebounceMs: 5_000,
    };
    return mutation?.engine?.(engine) ?? engine;
  }
}
