import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackfill } from '../../src/cli/temporal/runs.ts';
import type { BackfillInput } from '../../src/workflows/backfill.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await openInstallation({ datasets: { noop: noopDataset } });
});

afterAll(() => installation.close());

function start(input: Partial<BackfillInput> & { from: string; to: string }) {
  return startBackfill(installation.target, { pipeline: 'noop', ...input });
}

describe('a backfill of years', () => {
  it('counts canary days once: as selected and done, and not as complete or made again', async () => {
    const made = await (await start({ from: '2010-01-01', to: '2012-12-31', canary: 3 })).result();
    expect(made).toMatchObject({ selected: 1096, done: 1096, complete: 0, days: 3 });
    expect(made.canary).toHaveLength(3);
  }, 180_000);

  it('goes on as new with a bounded history, newest days first', async () => {
    const handle = await start({ from: '2020-01-01', to: '2022-12-31', newestFirst: true });
    expect(await handle.result()).toMatchObject({ selected: 1096, done: 1096, windows: 36 });
    const last = installation.client.workflow.getHandle(handle.workflowId);
    const [{ historyLength }, { events }] = [await last.describe(), await last.fetchHistory()];
    expect(
      events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId,
    ).toBeTruthy();
    expect(historyLength).toBeLessThan(500);
  }, 180_000);
});
