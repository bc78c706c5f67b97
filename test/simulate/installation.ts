import { createActivities } from '../../src/activities/create-activities.ts';
import type { Engine, StepControl } from '../../src/activities/engine.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import { createMemoryDocumentStore, createMemoryObjectStore } from '../../src/storage/memory.ts';
import * as workflows from '../../src/workflows/index.ts';
import { httpOf } from './publishers.ts';
import type { Publisher } from './publishers.ts';
import type { Activity, Workers } from './runtime/attempts.ts';
import { useServer } from './runtime/current-server.ts';
import { Server } from './runtime/server.ts';
import { Process } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import { storesOf } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';
import { Weather } from './weather.ts';

const QUEUES = { fetch: 'fetch', compute: 'compute', report: 'report' } as const;

/** What a change of the product's parts, made on purpose, puts in their place; see `mutations.ts`. */
export interface Mutation {
  /** The primary stores as every process sees them. */
  readonly stores?: (stores: Stores, process: Process) => Stores;
  readonly engine?: (engine: Engine) => Engine;
  readonly activities?: (activities: Record<string, Activity>, engine: Engine) => Record<string, Activity>;
}

interface Worker {
  readonly process: Process;
  readonly engine: Engine;
  readonly activities: Readonly<Record<string, Activity>>;
}

interface Host {
  readonly name: string;
  /** How far its clock is ahead of the others, in milliseconds. */
  clockMs: number;
  worker: Worker | undefined;
  processes: number;
}

export interface InstallationOptions {
  readonly scheduler: Scheduler;
  readonly hosts: readonly string[];
  readonly publishers: Readonly<Record<string, Publisher>>;
  readonly dataset: Dataset;
  readonly mutation?: Mutation;
}

/** Hosts with a worker each, their shared stores, the server and the publishers. */
export class Installation implements Workers {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly server: Server;
  readonly primary: Stores = { objects: createMemoryObjectStore(), documents: createMemoryDocumentStore() };
  readonly hosts: readonly Host[];
  readonly publishers: Readonly<Record<string, Publisher>>;
  readonly #options: InstallationOptions;

  constructor(options: InstallationOptions) {
    this.#options = options;
    this.scheduler = options.scheduler;
    this.publishers = options.publishers;
    this.weather = new Weather(options.scheduler);
    this.weather.onCrash = (process) => {
      this.kill(process);
    };
    this.server = new Server(options.scheduler, workflows, this);
    useServer(this.server);
    this.hosts = options.hosts.map((name) => ({ name, clockMs: 0, worker: undefined, processes: 0 }));
    for (const host of this.hosts) this.#startWorker(host);
  }

  processFor(queue: string | undefined): Process | undefined {
    const own = this.hosts.find(({ name }) => queue === hostQueue(name));
    const able = (own === undefined ? this.hosts : [own]).flatMap(({ worker }) =>
      worker === undefined || worker.process.dead || worker.process.stoppedUntil > this.scheduler.now ? [] : [worker],
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
      this.#startWorker(host);
    });
  }

  /** A command's own process on a host, with an engine of its own. */
  command(
    host: Host,
    name: string,
  ): { readonly process: Process; readonly engine: Engine; readonly control: StepControl } {
    const process = new Process(`${host.name} ${name}`);
    const control: StepControl = {
      execution: { workflowId: name, runId: name, attempt: 1 },
      signal: new AbortController().signal,
      progress: () => undefined,
    };
    return { process, engine: this.#engineOf(host, process), control };
  }

  #startWorker(host: Host): void {
    if (host.worker !== undefined) return;
    host.processes += 1;
    const process = new Process(`${host.name}${host.processes}`);
    const engine = this.#engineOf(host, process);
    const made = createActivities(engine) as unknown as Record<string, Activity>;
    const activities = this.#options.mutation?.activities?.(made, engine) ?? made;
    host.worker = { process, engine, activities };
    this.scheduler.tell(`${process.name} starts`);
  }

  #engineOf(host: Host, process: Process): Engine {
    const { dataset, mutation } = this.#options;
    const primary = storesOf(process, this.weather, this.primary);
    const stores = mutation?.stores?.(primary, process) ?? primary;
    const engine: Engine = {
      datasets: { [dataset.definition.name]: dataset },
      objects: stores.objects,
      documents: stores.documents,
      sql: { session: (work) => work(undefined as never) },
      http: httpOf(process, this.weather, this.scheduler, this.publishers),
      writeFlatParquet: () => Promise.reject(new Error('no step writes Parquet')),
      now: () => new Date(this.scheduler.now + host.clockMs),
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

export function hostQueue(host: string): string {
  return `${QUEUES.compute}-host-${host}`;
}
