import { PipelineError } from '../errors.ts';
import type { Dataset, FlatTable } from '../pipelines/dataset.ts';
import type { SourceDeclaration } from '../pipelines/source-declaration.ts';
import type { Execution } from '../pipelines/ledger.ts';
import type { ObjectNotice } from '../pipelines/object-notice.ts';
import type { DocumentStore } from '../ports/documents.ts';
import type { ObjectStore, StorePlace } from '../ports/objects.ts';
import type { Source } from '../ports/source.ts';
import type { SqlEngine } from '../ports/sql.ts';
import type { ReplayResult, RetrySettings } from './contract.ts';
import { classifiedDataset } from './classified-dataset.ts';

/**
 * Everything the activities work with, injected by the composition root; nothing here reads the
 * environment or the clock.
 */
export interface Engine {
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  /** Absent in the light report worker. */
  readonly sql?: SqlEngine;
  /** Opens what a dataset declares for a part; absent in workers that do not talk to publishers. */
  readonly openSource?: (declaration: SourceDeclaration) => Source;
  /**
   * Keys that protect the keys of sealed raw files, by their ids; the first one protects new ones.
   * Secrets.
   */
  readonly rawKeys?: ReadonlyMap<string, Uint8Array>;
  /**
   * The secret of the installation, by which names of people become keys, and persons are known
   * after they were forgotten.
   */
  readonly secret?: () => Promise<string>;
  readonly writeFlatParquet: (table: FlatTable) => Promise<Uint8Array>;
  now(): Date;
  /** When files of other programs are taken in; `before` unless it is set. */
  readonly deposits?: DepositMode;
  /** What an object of a bucket is called here; undefined for one that is none of the store. */
  readonly objectNamed?: (object: ObjectNotice) => string | undefined;
  /** Lends a folder of this host's disk, with room for raw files; it is removed afterwards. */
  withScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
  /**
   * Lends stores that read what is there and keep what is written to themselves, for work that is
   * to be tried and not done. They are gone afterwards. Absent in workers that try nothing.
   */
  readonly withOverlay?: <T>(
    use: (stores: Pick<Engine, 'objects' | 'documents'>) => Promise<T>,
  ) => Promise<T>;
  /** Task queue of each kind of step; `fetch` queues exist per host, `<fetch>-<host>`. */
  readonly queues: { readonly fetch: string; readonly compute: string; readonly report: string };
  readonly retry: RetrySettings;
  readonly host: string;
  readonly codeVersion: string;
  /** How long the rollup waits for further changed days before it rebuilds periods. */
  readonly rollupDebounceMs: number;
  /** Where a store is remote, and may be away for a while. */
  readonly fallback?: EngineFallback;
  /** Values that no failure may name, such as the keys of publishers. */
  readonly secrets?: readonly string[];
  /** Whether the schedule of retention removes content; `dry-run` unless it is set. */
  readonly retention?: RetentionMode;
  /** Work that gives no sign of life for this long is given up and tried again. */
  readonly stallMs?: number;
}

/**
 * - before: they count as the publisher's answer; he is asked when it is no longer fresh.
 * - after: once he has answered, or where he cannot be asked.
 * - instead: he is not asked for the parts that other programs bring (the configuration closes
 *   them).
 * - off: not by runs and watches; `import` takes them in.
 */
export type DepositMode = 'before' | 'after' | 'instead' | 'off';

/**
 * - dry-run: the schedule tells what is past its time.
 * - apply: it destroys that.
 */
export type RetentionMode = 'dry-run' | 'apply';

/** What this host goes on with while a store is away. */
export interface EngineFallback {
  readonly host: string;
  /** The task queue that only workers of this host listen to. */
  readonly queue: string;
  /** Stores for one piece of work. */
  forWork(): WorkStores;
  /**
   * Which stores are away and why, in words; undefined when all of them answer, or the one that is
   * asked about.
   */
  away(half?: 'objects' | 'documents'): string | undefined;
  /**
   * The stores themselves, past cache, mirror and journal: for what must not be decided on copies.
   */
  readonly primary: { readonly objects: ObjectStore; readonly documents: DocumentStore };
  /** Writes of this host that wait to be replayed. */
  pending(): Promise<number>;
  /** What the cache of objects did so far, by name, and whether each remote store is away now. */
  figures(): {
    readonly cache: Readonly<Record<string, number>>;
    readonly away: Readonly<Record<string, boolean>>;
  };
  /**
   * How the stores look from this host, and what waits here; read from its own disk, so also while
   * they are away.
   */
  standing(): Promise<HostStanding>;
  /** Brings what only this host has to the primary stores, as far as they take it. */
  replay(options: Pick<StepControl, 'signal' | 'progress'>): Promise<ReplayResult>;
}

/**
 * What a process of this host knows of a store; `since` is an ISO instant, and null with `reason`
 * while it answers.
 */
export interface StoreBreaker {
  /** Such as `the object store (s3)`. */
  readonly store: string;
  /** Its id on this host. */
  readonly process: number;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly since: string | null;
  readonly reason: string | null;
}

/**
 * A write of this host that a store contradicts and that a person decides, by `quotidien reconcile
 * --conflict <id>`.
 */
export interface StoreConflict {
  readonly id: string;
  /** What was written and what was found, in one line. */
  readonly text: string;
  readonly remedy: string;
}

/**
 * Both stores as this process finds them, those that other processes of the host find away, and
 * what waits.
 */
export interface HostStanding {
  readonly breakers: readonly StoreBreaker[];
  /** Writes that wait to be replayed, and the ISO instant of the oldest. */
  readonly pending: number;
  readonly pendingSince: string | null;
  /** In the order in which replays found them. */
  readonly conflicts: readonly StoreConflict[];
}

/** Stores that can say afterwards whether the primary ones did the work. */
export interface WorkStores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  /** `fallback`: something was written to, or read from, what only this host has. */
  place(): StorePlace;
  /** Whether anything did not come from the primary stores as they are now, or go to them. */
  degraded(): boolean;
  /** Whether a read was answered by what this host had seen before, because its store was away. */
  remembered(): boolean;
}

/**
 * What the surroundings of one execution give: who runs, how to tell progress, and when to stop.
 */
export interface StepControl {
  readonly execution: Pick<Execution, 'workflowId' | 'runId' | 'attempt'>;
  readonly signal: AbortSignal;
  readonly progress: (note: string) => void;
  /**
   * Where long work keeps how far it is, for the try after this one; absent where there is none.
   */
  readonly checkpoint?: Checkpoint;
}

/** Travels with heartbeats: small, and lost with the execution. */
export interface Checkpoint {
  /** What an earlier try of the same work saved last. */
  readonly before: unknown;
  /** Small plain data. */
  save(value: object): void;
}

/** The dataset of this name; `PIPELINE_UNKNOWN` lists the names there are. */
export function datasetOf(engine: Pick<Engine, 'datasets'>, pipeline: string): Dataset {
  const dataset = Object.hasOwn(engine.datasets, pipeline) ? engine.datasets[pipeline] : undefined;
  if (dataset === undefined) {
    const names = Object.keys(engine.datasets).join(', ');
    throw new PipelineError(
      'PIPELINE_UNKNOWN',
      `there is no pipeline ${JSON.stringify(pipeline)}; known are: ${names}`,
    );
  }
  return classifiedDataset(dataset);
}

/** `INTERNAL` in a worker of another kind: its queue should not have the step. */
export function sqlOf(engine: Engine): SqlEngine {
  if (engine.sql === undefined) {
    throw new PipelineError(
      'INTERNAL',
      'this worker has no SQL engine; the step belongs on the compute task queue',
    );
  }
  return engine.sql;
}
