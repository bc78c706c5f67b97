import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await openInstallation({ datasets: { noop: noopDataset } });
});

afterAll(async () => {
  await installation.close();
});

async function runDay(date: string, input: object = {}) {
  return dayResult(await startDay(installation.target, { pipeline: 'noop', date, ...input }));
}

describe('the day workflow', () => {
  it('runs every step once, and a second run reuses all of them', async () => {
    const first = await runDay('2024-01-15');
    expect(first).toMatchObject({ verdict: 'ok', version: 1, revision: 'definitive' });
    expect(first.ran).toEqual(['transform/one', 'metrics/two', 'metrics/three', 'report/four']);
    const second = await runDay('2024-01-15');
    expect(second).toMatchObject({ verdict: 'ok', version: 1, ran: [], reused: 4 });
  });

  it('joins a run of the same day instead of doubling it', async () => {
    const [a, b] = await Promise.all([
      startDay(installation.target, { pipeline: 'noop', date: '2024-01-16' }),
      startDay(installation.target, { pipeline: 'noop', date: '2024-01-16' }),
    ]);
    expect(await dayResult(a)).toEqual(await dayResult(b));
    let runs = 0;
    for await (const run of installation.client.workflow.list({ query: 'DataDate = "2024-01-16"' }))
      runs += Number(run.type === 'day');
    expect(runs).toBe(1);
  });

  it('executes from a given step again and gets the same bytes', async () => {
    await runDay('2024-01-17');
    const again = await runDay('2024-01-17', { fromStep: 'metrics/three' });
    expect(again.ran).toEqual(['metrics/three', 'report/four']);
    expect(again.version).toBe(1);
  });

  it('fails with the code and the names that there are for an unknown pipeline', async () => {
    const handle = await startDay(installation.target, { pipeline: 'nope', date: '2024-01-15' });
    await expect(dayResult(handle)).rejects.toThrow(
      expect.objectContaining({
        code: 'PIPELINE_UNKNOWN',
        message: expect.stringContaining('noop') as string,
      }),
    );
  });

  it('can be found by its search attributes', async () => {
    await runDay('2024-01-18');
    const { status, typedSearchAttributes } = await installation.client.workflow
      .getHandle('day/noop/2024-01-18')
      .describe();
    expect(status.name).toBe('COMPLETED');
    const values = Object.fromEntries(
      typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
    );
    expect(values).toMatchObject({
      Pipeline: 'noop',
      DataDate: '2024-01-18',
      RunReason: 'manual',
      Verdict: 'ok',
      Revision: 'definitive',
    });
  });
});
