import { once } from 'node:events';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { contentsOf, stopWorker } from './day-worker.ts';
import type { Contents } from './day-worker.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const DATE = '2026-03-29';
const QUEUE = 'day';

/** A server for each test alone: the same day runs in all of them, under the same workflow id. */
async function onStage<T>(use: (stage: Stage, home: string) => Promise<T>): Promise<T> {
  const stage = await openStage();
  try {
    return await use(stage, path.join(stage.folder, 'home'));
  } finally {
    await stage.close();
  }
}

function startRun({ client }: Stage) {
  return startDay({ client, taskQueue: QUEUE }, { pipeline: 'eco2mix', date: DATE });
}

function undisturbed(): Promise<Contents> {
  return onStage(async (stage, home) => {
    const worker = await stage.startWorker(home, QUEUE);
    expect(await dayResult(await startRun(stage))).toMatchObject({ verdict: 'ok', version: 1 });
    await stopWorker(worker);
    return contentsOf(home, [DATE]);
  });
}

let expected: Contents;

// Each waits most of its time for the server to miss the dead worker: together they take a third of
// the time.
describe.concurrent('a day whose worker is killed', () => {
  beforeAll(async () => {
    expected = await undisturbed();
    expect(expected.days[0]?.steps.length).toBeGreaterThan(6);
    expect(expected.published).not.toEqual([]);
  });

  const deaths = [
    ['after', 'resolveDay'],
    ['before', 'download/tr'],
    ['after', 'download/tr'],
    ['inside', 'download/tr'],
    ['after', 'transform/national'],
    ['inside', 'transform/national'],
    ['after', 'metrics/national'],
    ['after', 'metrics/comparison'],
    ['after', 'report/national'],
    ['after', 'report/page'],
    ['before', 'commitManifest'],
    ['after', 'commitManifest'],
  ] as const;

  it.each(deaths)(
    '%s %s ends with the same bytes, one manifest and no orphan visible',
    (moment, place) =>
      onStage(async (stage, home) => {
        const doomed = await stage.startWorker(home, QUEUE, [moment, place]);
        const [handle] = await Promise.all([startRun(stage), once(doomed, 'exit')]);
        expect(doomed.signalCode).toBe('SIGKILL');
        const heir = await stage.startWorker(home, QUEUE);
        expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
        await stopWorker(heir);
        expect(await contentsOf(home, [DATE])).toEqual(expected);
      }),
  );

  it('in the middle of a download ends with the same bytes', () =>
    onStage(async (stage, home) => {
      const { portal } = stage;
      const release = portal.behave({
        kind: 'stall',
        afterBytes: 2_000,
        match: { endpoint: 'export' },
        times: 1,
      });
      const doomed = await stage.startWorker(home, QUEUE);
      const asked = portal.nextRequest({ endpoint: 'export' });
      const handle = await startRun(stage);
      await asked;
      doomed.kill('SIGKILL');
      await once(doomed, 'exit');
      release();
      const heir = await stage.startWorker(home, QUEUE);
      expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
      await stopWorker(heir);
      expect(await contentsOf(home, [DATE])).toEqual(expected);
    }));

  it('is finished after the Temporal server was killed, too', () =>
    onStage(async (stage, home) => {
      const hold = stage.portal.hold({ endpoint: 'export' });
      const worker = await stage.startWorker(home, QUEUE);
      const handle = await startRun(stage);
      await hold.arrived;
      await stage.restartServer();
      hold.release();
      expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
      await stopWorker(worker);
      expect(await contentsOf(home, [DATE])).toEqual(expected);
    }));
});
