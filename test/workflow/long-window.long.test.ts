import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackfill } from '../../src/cli/temporal/runs.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import type { Portal } from '@quotidien/sample-portal/portal';
import { PAYLOAD_BYTES } from '../../src/pipelines/work-window.ts';
import type { BackfillInput } from '../../src/workflows/backfill.ts';
import type { Installation } from '../fixtures/installation.ts';
import { openPortalInstallation } from '../fixtures/portal-installation.ts';

/** Half a year of grid days in one window. */

let portal: Portal;
let installation: Installation;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ portal, installation, close } = await openPortalInstallation({ datasets: DATASETS }));
});

afterAll(() => close());

async function backfill(input: Pick<BackfillInput, 'from' | 'to' | 'until'>) {
  return (await startBackfill(installation.target, { pipeline: 'eco2mix', ...input })).result();
}

/** The largest argument, answer or note of a run, in bytes, and its number of events. */
async function sizeOf(workflowId: string): Promise<{ largest: number; events: number }> {
  const { events } = await installation.client.workflow.getHandle(workflowId).fetchHistory();
  const sizes: number[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof Uint8Array) sizes.push(value.byteLength);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(events);
  return { largest: Math.max(...sizes), events: events?.length ?? 0 };
}

describe('a window of half a year', () => {
  const range = { from: '2024-01-01', to: '2024-06-30' };
  const windowId = 'window/eco2mix/2024-01-01_2024-06-30';

  it('keeps what it says in small pieces, whether nothing is known of its days or nearly everything', async () => {
    expect(await backfill({ ...range, until: 'transform' })).toMatchObject({
      done: 182,
      windows: 1,
      days: 0,
    });
    const fresh = await sizeOf(windowId);
    expect(await backfill(range)).toMatchObject({
      done: 182,
      windows: 1,
      ran: { 'metrics/national': 182, 'metrics/comparison': 182, 'report/national': 182 },
    });
    const known = await sizeOf(windowId);
    for (const { largest, events } of [fresh, known]) {
      expect(largest).toBeLessThan(PAYLOAD_BYTES);
      expect(events).toBeLessThan(60);
    }
    const asked = portal.requests.filter(({ endpoint }) => endpoint === 'export');
    expect(asked).toHaveLength(2 * 6);
  });

  it('is made but for the month whose file is of no use', async () => {
    const march = {
      endpoint: 'export',
      dataset: 'eco2mix-national-cons-def',
      where: /2023-03/,
    } as const;
    const undo = portal.behave({
      kind: 'header',
      change: { remove: 'consommation' },
      match: march,
    });
    const before = portal.requests.length;
    const result = await backfill({ from: '2023-02-01', to: '2023-04-30', until: 'transform' });
    undo();
    // The real-time rows of these years are gone from the portal: without the consolidated ones
    // March has no day.
    expect(result).toMatchObject({ selected: 89, done: 58, failedDays: 31, windows: 1, days: 31 });
    for (const { date, code, message } of result.failed) {
      expect([date.slice(0, 7), code]).toEqual(['2023-03', 'SRC_SHAPE_CHANGED']);
      expect(message).toMatch(/has no column consommation/);
    }
    const april = portal.requests
      .slice(before)
      .filter(({ query }) => query['where']?.includes('2023-04'));
    expect(april.filter(({ endpoint }) => endpoint === 'export')).toHaveLength(2);
  });
});
