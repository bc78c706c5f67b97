import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';

let installation: Installation;
let tries = 0;
let release: () => void;
const released = new Promise<void>((resolve) => (release = resolve));

/** Its report stands still at the first try, and cannot be interrupted. */
function wedgedDataset(): Dataset {
  const report = noopDataset.steps['report/four'];
  if (report?.kind !== 'plain') throw new Error('the report is a plain step');
  const run: typeof report.run = async (task, tools) => {
    tries += 1;
    if (tries === 1) await released;
    return report.run(task, tools);
  };
  return { ...noopDataset, steps: { ...noopDataset.steps, 'report/four': { kind: 'plain', run } } };
}

beforeAll(async () => {
  installation = await openInstallation({
    datasets: { noop: wedgedDataset() },
    settings: { QUOTIDIEN_HEARTBEAT_MS: '1000', QUOTIDIEN_STALL_MS: '1000' },
  });
});

afterAll(async () => {
  release();
  await installation.close();
});

describe('a step that stands still', () => {
  it('is timed out by the server, and another try makes the day', async () => {
    const handle = await startDay(installation.target, { pipeline: 'noop', date: '2024-01-15' });
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    expect(tries).toBe(2);
    const { events } = await handle.fetchHistory();
    const again = events?.find(({ activityTaskStartedEventAttributes }) => {
      return activityTaskStartedEventAttributes?.attempt === 2;
    });
    const failure = again?.activityTaskStartedEventAttributes?.lastFailure;
    expect(failure?.timeoutFailureInfo?.timeoutType).toBe(4);
  });
});
