import { PipelineError } from '../errors.ts';
import type { Dataset, FlatTable } from '../pipelines/dataset.ts';
import type { Execution } from '../pipelines/ledger.ts';
import type { DocumentStore, ObjectStore, SqlEngine } from '../storage/ports.ts';
import type { RetrySettings } from './contract.ts';
import type { HttpClient } from './http-client.ts';

/** Everything the activities work with, injected by the composition root; nothing here reads the environment or the clock. */
export interface Engine {
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  /** Absent in the light report worker. */
  readonly sql?: SqlEngine;
  readonly http?: HttpClient;
  readonly writeFlatParquet: (table: FlatTable) => Promise<Uint8Array>;
  now(): Date;
  /** Task queue of each kind of step; `fetch` queues exist per host, `<fetch>-<host>`. */
  readonly queues: { readonly fetch: string; readonly compute: string; readonly report: string };
  readonly retry: RetrySettings;
  readonly host: string;
  readonly codeVersion: string;
  /** How long the rollup waits for further changed days before it rebuilds periods. */
  readonly rollupDebounceMs: number;
}

/** What the surroundings of one execution give: who runs, how to tell progress, and when to stop. */
export interface StepControl {
  readonly execution: Pick<Execution, 'workflowId' | 'runId' | 'attempt'>;
  readonly signal: AbortSignal;
  readonly progress: (note: string) => void;
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
  return dataset;
}

export function sqlOf(engine: Engine): SqlEngine {
  if (engine.sql === undefined) {
    throw new PipelineError('INTERNAL', 'this worker has no SQL engine; the step belongs on the compute task queue');
  }
  return engine.sql;
}
