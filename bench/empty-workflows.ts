import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { bundleElsewhere } from './bundle.ts';

/**
 * The floor of every orchestration figure: workflows of nothing on the same server; each call
 * answers the milliseconds from start to result.
 */
export interface EmptyWorkflows {
  /** A workflow that returns at once. */
  empty(): Promise<number>;
  /** One of four activities that do nothing, one after the other. */
  fourActivities(): Promise<number>;
}

/** Calls `work` while a worker of its own runs such workflows. */
export async function withEmptyWorkflows(
  address: string,
  work: (bare: EmptyWorkflows) => Promise<void>,
) {
  const workflowBundle = await bundleElsewhere(
    fileURLToPath(new URL('./empty-workflow.ts', import.meta.url)),
  );
  const connection = await NativeConnection.connect({ address });
  const activities = { nothing: (): Promise<void> => Promise.resolve() };
  const worker = await Worker.create({
    connection,
    taskQueue: 'empty',
    workflowBundle,
    activities,
  });
  const client = new Client({ connection: await Connection.connect({ address }) });
  let started = 0;
  const one = async (type: string): Promise<number> => {
    started += 1;
    const start = performance.now();
    await client.workflow.execute(type, { workflowId: `${type}/${started}`, taskQueue: 'empty' });
    return performance.now() - start;
  };
  try {
    await worker.runUntil(
      work({ empty: () => one('empty'), fourActivities: () => one('fourActivities') }),
    );
  } finally {
    await client.connection.close();
    await connection.close();
  }
}
