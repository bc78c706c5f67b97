import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifests } from '../../src/engine/records/ledger-reader.ts';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { window, WindowInput } from '../../src/workflows/window.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import type { TinyMetrics } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** Runs of the same day at the same time: whoever commits second plans again. */

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url }) },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function startWindow(input: WindowInput) {
  const { client, taskQueue } = installation.target;
  const workflowId = `window/tiny/${input.dates[0] ?? ''}`;
  return client.workflow.start<typeof window>('window', { workflowId, taskQueue, args: [input] });
}

/** What the hours of each version of the day add up to. */
async function sums(date: string): Promise<number[]> {
  const versions =
    (await readManifests(installation.engine.documents, 'tiny', [date])).get(date) ?? [];
  return Promise.all(
    versions.map(async ({ steps }) => {
      const state = steps['metrics/day'];
      const ref = state?.state === 'done' ? state.outputs['metrics'] : undefined;
      const path = ref === undefined ? undefined : await installation.engine.objects.openLocal(ref);
      return (JSON.parse(await readFile(path ?? '', 'utf8')) as TinyMetrics).sum;
    }),
  );
}

describe('a window', () => {
  it('leaves a day that an operator has run meanwhile to a run of its own, and commits the others', async () => {
    const held = publisher.holdNext('forecast');
    const handle = await startWindow({ pipeline: 'tiny', dates: ['2024-01-05', '2024-01-06'] });
    await held.arrived;
    publisher.publish('2024-01-05', { add: 1 });
    const operator = await dayResult(
      await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-05', recheck: true }),
    );
    expect(operator).toMatchObject({ verdict: 'ok', version: 1 });
    held.release();
    const result = await handle.result();
    expect(result).toMatchObject({
      committed: 1,
      careful: [
        {
          date: '2024-01-05',
          step: null,
          why: expect.stringContaining('another run has committed') as string,
        },
      ],
    });
    expect(await sums('2024-01-05')).toHaveLength(1);
  });
});

describe('a day', () => {
  it('that a window has committed meanwhile is planned again on that version, and keeps the newer data', async () => {
    const held = publisher.holdNext('forecast');
    const handle = await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-15' });
    await held.arrived;
    publisher.publish('2024-01-15', { add: 1 });
    await (
      await startWindow({ pipeline: 'tiny', dates: ['2024-01-15', '2024-01-16'], recheck: true })
    ).result();
    const [newest] = await sums('2024-01-15');
    held.release();
    await dayResult(handle);
    expect((await sums('2024-01-15')).at(-1)).toBe(newest);
  });
});
