import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { median } from './figures.ts';

export interface EmptyWorkflows {
  /** p50 of one workflow without any activity, from start to result. */
  readonly aloneMs: number;
  /** p50 of one workflow of four activities that do nothing, one after the other. */
  readonly fourActivitiesMs: number;
  /** As many of these as of the empty ones, all at once. */
  readonly fourActivitiesPerSecond: number;
  readonly perSecond: number;
}

/** The floor of every orchestration figure: workflows that return at once, on the same server. */
export async function emptyWorkflows(address: string, count: number): Promise<EmptyWorkflows> {
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./empty-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath });
  const activities = { nothing: (): Promise<void> => Promise.resolve() };
  const worker = await Worker.create({ connection, taskQueue: 'empty', workflowBundle, activities });
  const client = new Client({ connection: await Connection.connect({ address }) });
  return worker.runUntil(async () => {
    const one = async (id: string, type = 'empty'): Promise<number> => {
      const start = performance.now();
      await client.workflow.execute(type, { workflowId: `empty/${id}`, taskQueue: 'empty' });
      return performance.now() - start;
    };
    for (let index = 0; index < 10; index += 1) await one(`warm-${index}`);
    const alone: number[] = [];
    for (let index = 0; index < 40; index += 1) alone.push(await one(`alone-${index}`));
    const four: number[] = [];
    for (let index = 0; index < 30; index += 1) four.push(await one(`four-${index}`, 'fourActivities'));
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, (_, index) => one(`many-${index}`)));
    const perSecond = count / ((performance.now() - start) / 1000);
    const startFour = performance.now();
    await Promise.all(Array.from({ length: count }, (_, index) => one(`four-many-${index}`, 'fourActivities')));
    const fourActivitiesPerSecond = count / ((performance.now() - startFour) / 1000);
    await client.connection.close();
    return { aloneMs: median(alone), fourActivitiesMs: median(four), fourActivitiesPerSecond, perSecond };
  });
}
