import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readActions } from '../../src/engine/records/operator-actions.ts';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayState } from '../../src/pipelines/execution.ts';
import { FAILURE_TABLE } from '../../src/pipelines/ledger.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;
/** How far the worker's clock is behind. */
let behindMs = 0;
/** While it is set, failures are being recorded and do not end. */
let gate: { readonly open: Promise<void>; entered: boolean } | undefined;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url }) },
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: '10000' },
    change: ({ documents }) => ({
      now: () => new Date(Date.now() - behindMs),
      documents: new Proxy(documents, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          if (name !== 'put') return member.bind(target) as unknown;
          return async (...args: Parameters<typeof documents.put>) => {
            if (gate !== undefined && args[0].table === FAILURE_TABLE) {
              gate.entered = true;
              await gate.open;
            }
            return target.put(...args);
          };
        },
      }),
    }),
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

const start = (date: string) => startDay(installation.target, { pipeline: 'tiny', date });
const order = (handle: Awaited<ReturnType<typeof start>>, name: string, step: string) =>
  handle.executeUpdate(name, { args: [{ step, reason: 'a test', by: 'ada' }] as [unknown] });

describe('a running day', () => {
  it('asks for a part again when its skip is taken back', async () => {
    publisher.refuse('forecast', 500);
    publisher.refuse('readings', 500);
    const handle = await start('2024-01-05');
    await vi.waitFor(() => order(handle, 'skipPart', 'download/forecast'), { timeout: 50_000 });
    await vi.waitFor(
      async () => {
        expect((await handle.query<DayState>('progress'))['download/forecast']?.state).toBe(
          'skipped',
        );
      },
      { timeout: 50_000 },
    );
    await expect(order(handle, 'unskipPart', 'download/readings')).rejects.toThrow();
    await order(handle, 'unskipPart', 'download/forecast');
    publisher.refuse('forecast', undefined);
    publisher.refuse('readings', undefined);
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    expect(await readActions(installation.engine.documents, 'tiny', '2024-01-05')).toMatchObject([
      { action: 'skipPart', by: 'ada' },
      { action: 'unskipPart', by: 'ada' },
    ]);
  });

  it('hears an order that comes while its failure is being recorded', async () => {
    let release = (): void => undefined;
    gate = { open: new Promise((resolve) => (release = resolve)), entered: false };
    publisher.refuse('readings', 403);
    const handle = await start('2024-01-06');
    await vi.waitFor(
      () => {
        expect(gate?.entered).toBe(true);
      },
      { timeout: 50_000 },
    );
    publisher.refuse('readings', undefined);
    await order(handle, 'retryStep', 'download/readings');
    release();
    gate = undefined;
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
  });

  it('waits by the clock of the worker that planned it, without planning again and again', async () => {
    const date = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
    publisher.publish(date);
    const handleFor = await start('2024-01-07');
    await dayResult(handleFor);
    // For this worker the day is expected in two seconds; for the server it has long been.
    const expectedAt = Date.parse(`${date}T00:00:00Z`) + 25 * 3_600_000;
    const offsetOfParis =
      3_600_000 *
      (new Date(expectedAt).getMonth() > 2 && new Date(expectedAt).getMonth() < 9 ? 2 : 1);
    behindMs = Date.now() - (expectedAt - offsetOfParis) + 2_000;
    const handle = await start(date);
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
    behindMs = 0;
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toHaveLength(1);
    expect(events?.length).toBeLessThan(80);
  });
});
