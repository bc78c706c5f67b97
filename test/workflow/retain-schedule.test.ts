import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dayResult, finishRollup, startDay } from '../../src/cli/temporal/runs.ts';
import { schedulesList } from '../../src/cli/services/schedules.ts';
import { namesUnder } from '../../src/engine/download/raw-names.ts';
import type { ScheduledRetention } from '../../src/engine/contract.ts';
import { definePipeline } from '../../src/pipelines/define-pipeline.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { triggerSchedule } from '../../src/schedules/control-schedules.ts';
import { declaredSchedules } from '../../src/schedules/declared-schedules.ts';
import type { TickResult } from '../../src/workflows/tick.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** Content past its time, by its schedule on a real server. */

const [DATE, QUEUE] = ['2024-01-15', 'quotidien'] as const;
const TABLE = 'core/tiny/hours/';
const RETENTION = { months: 2, basis: 'as the law says' } as const;

let publisher: TinyPublisher;
let dataset: Dataset;
beforeAll(async () => {
  publisher = await startTinyPublisher([DATE]);
  const tiny = tinyDataset({ baseUrl: publisher.url });
  const steps = tiny.definition.steps.map((step) => {
    if (step.id !== 'transform/readings') return step;
    const ended = Object.entries(step.outputs).map(([name, output]) => [
      name,
      { ...output, retention: RETENTION },
    ]);
    return { ...step, outputs: Object.fromEntries(ended) as typeof step.outputs };
  });
  dataset = { ...tiny, definition: definePipeline({ ...tiny.definition, steps }) };
});
afterAll(() => publisher.close());

async function withInstallation(
  settings: Record<string, string>,
  use: (of: Installation) => Promise<void>,
) {
  const installation = await openInstallation({ datasets: { tiny: dataset }, settings });
  try {
    const day = await startDay(installation.target, { pipeline: 'tiny', date: DATE });
    expect(await dayResult(day)).toMatchObject({ version: 1 });
    await finishRollup(installation.target, 'tiny');
    await applySchedules(installation.client, installation.engine.datasets, QUEUE);
    await use(installation);
  } finally {
    await installation.close();
  }
}

/** The result of the run that one tick of the schedule starts. */
async function tick({ client, engine }: Installation): Promise<ScheduledRetention> {
  const declared = declaredSchedules(engine.datasets, QUEUE).find(({ id }) => id === 'tiny/retain');
  const handle = client.schedule.getHandle('tiny/retain');
  const before = (await handle.describe()).info.numActionsTaken;
  await triggerSchedule(client, declared!);
  const workflowId = await vi.waitFor(
    async () => {
      const { info } = await handle.describe();
      expect(info.numActionsTaken).toBeGreaterThan(before);
      return info.recentActions.at(-1)!.action.workflow.workflowId;
    },
    { timeout: 50_000 },
  );
  const ticked = (await client.workflow.getHandle(workflowId).result()) as TickResult;
  expect(ticked.workflowId).toBe('retain/tiny');
  return (await client.workflow.getHandle(ticked.workflowId).result()) as ScheduledRetention;
}

describe('the schedule of retention', () => {
  it('is there for pipelines with content that ends, and only tells unless it is allowed to destroy', async () => {
    await withInstallation({}, async (installation) => {
      const { engine, home, address } = installation;
      const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
      await schedulesList(context);
      expect(context.terminal.text()).toMatch(
        /tiny\/retain +40 1 \* \* \* UTC {2}Content that is past its time/,
      );
      const before = await namesUnder(engine.objects, ['']);
      expect(await tick(installation)).toMatchObject({
        pipeline: 'tiny',
        applied: false,
        tables: [
          { table: 'transform/readings:core', ...RETENTION, objects: 1, from: DATE, to: DATE },
        ],
      });
      expect(await namesUnder(engine.objects, [''])).toEqual(before);
    });
  }, 120_000);

  it('destroys what is past its time where it is allowed to, once', async () => {
    await withInstallation({ QUOTIDIEN_RETAIN: 'apply' }, async (installation) => {
      const { engine, target } = installation;
      expect(await namesUnder(engine.objects, [TABLE])).toHaveLength(1);
      expect(await tick(installation)).toMatchObject({ applied: true, tables: [{ objects: 1 }] });
      expect(await namesUnder(engine.objects, [TABLE])).toEqual([]);
      expect(await tick(installation)).toEqual({
        pipeline: 'tiny',
        applied: true,
        tables: [],
        keys: [],
      });
      // What was destroyed on purpose is not made again.
      const again = await startDay(target, { pipeline: 'tiny', date: DATE });
      expect(await dayResult(again)).toMatchObject({ version: 1, created: false, ran: [] });
    });
  }, 120_000);

  it('is not declared for pipelines that keep everything, nor twice', () => {
    expect(tinyDataset().definition.schedules.map(({ id }) => id)).not.toContain('retain');
    const again = definePipeline(dataset.definition);
    expect(again.schedules.filter(({ runs }) => runs?.workflow === 'retain')).toHaveLength(1);
  });
});
