import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayState } from '../../src/pipelines/execution.ts';
import { hostQueue } from '../../src/workers/engine-fallback.ts';
import { hostsApart, withHost } from '../fixtures/hosts-apart.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const QUEUE = 'quotidien';
const [APART, USUAL] = ['2024-01-05', '2024-01-06'] as const;
const apart = hostsApart(QUEUE, [APART]);

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2023-12-20', '2024-01-10'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
    interceptors: { activity: [apart] },
  });
  expect(installation.target.taskQueue).toBe(QUEUE);
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

/**
 * What the run had done where: `<activity or step> <task queue>`, in the order in which it was
 * asked for.
 */
async function scheduledBy(date: string): Promise<string[]> {
  const history = await installation.client.workflow.getHandle(`day/tiny/${date}`).fetchHistory();
  const { events } = JSON.parse(historyToJSON(history)) as {
    events: { activityTaskScheduledEventAttributes?: Scheduled }[];
  };
  return events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    if (scheduled === undefined) return [];
    const input = Buffer.from(scheduled.input.payloads[0]?.data ?? '', 'base64').toString();
    const { step = scheduled.activityType.name } = JSON.parse(input) as { step?: string };
    return `${step} ${scheduled.taskQueue.name}`;
  });
}

interface Scheduled {
  readonly activityType: { readonly name: string };
  readonly taskQueue: { readonly name: string };
  readonly input: { readonly payloads: readonly { readonly data: string }[] };
}

describe('a day whose parts came to two hosts while a store was away', () => {
  it('goes on at the first of them, makes there again what the other has, and leaves other runs where they are', async () => {
    const forecast = publisher.holdNext('forecast');
    const handle = await startDay(installation.target, { pipeline: 'tiny', date: APART });
    await forecast.arrived;
    const readingsAreThere = async () => {
      expect(await handle.query<DayState>('progress')).toHaveProperty(['download/readings']);
    };
    await vi.waitFor(readingsAreThere, { timeout: 50_000 });
    const usual = await startDay(installation.target, { pipeline: 'tiny', date: USUAL });
    expect((await dayResult(usual)).verdict).toBe('ok');
    forecast.release();
    const result = await withHost(installation, 'alpha', apart, () => dayResult(handle));

    expect(result.verdict).toBe('degraded');
    const alpha = hostQueue(QUEUE, 'alpha');
    const [asked, moved] = [await scheduledBy(APART), await scheduledBy(USUAL)];
    expect(asked.filter((one) => one.startsWith('download/forecast'))).toEqual([
      expect.not.stringContaining('-host-'),
      `download/forecast ${alpha}`,
    ]);
    expect(asked.slice(2).every((one) => one.endsWith(alpha))).toBe(true);
    expect(asked.slice(2).map((one) => one.split(' ')[0])).toContain('commitManifest');
    expect(moved.filter((one) => one.includes('-host-'))).toEqual([]);
  });
});
