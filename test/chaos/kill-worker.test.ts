import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/runs.ts';
import { contentsOf, openStage, stop } from './stage.ts';
import type { Contents, Stage } from './stage.ts';

const DATE = '2026-03-29';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(async () => {
  await stage.close();
});

function startRun(queue: string) {
  return startDay({ client: stage.client, taskQueue: queue }, { pipeline: 'eco2mix', date: DATE });
}

function contents(home: string): Promise<Contents> {
  return contentsOf(home, [DATE]);
}

async function undisturbed() {
  const home = path.join(stage.folder, 'undisturbed');
  const worker = await stage.startWorker(home, 'undisturbed');
  expect(await dayResult(await startRun('undisturbed'))).toMatchObject({ verdict: 'ok', version: 1 });
  await stop(worker);
  return contents(home);
}

let expected: Contents;

describe('a day whose worker is killed', () => {
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

  it.each(deaths)('%s %s ends with the same bytes, one manifest and no orphan visible', async (moment, place) => {
    const name = `${moment}-${place.replace('/', '-')}`;
    const home = path.join(stage.folder, name);
    const doomed = await stage.startWorker(home, name, [moment, place]);
    const [handle] = await Promise.all([startRun(name), once(doomed, 'exit')]);
    expect(doomed.signalCode).toBe('SIGKILL');
    const heir = await stage.startWorker(home, name);
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stop(heir);
    expect(await contents(home)).toEqual(expected);
  });

  it('in the middle of a download ends with the same bytes', async () => {
    const home = path.join(stage.folder, 'mid-body');
    const release = stage.portal.behave({ kind: 'stall', afterBytes: 2_000, match: { endpoint: 'export' }, times: 1 });
    const doomed = await stage.startWorker(home, 'mid-body');
    const asked = stage.portal.nextRequest({ endpoint: 'export' });
    const handle = await startRun('mid-body');
    await asked;
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    release();
    const heir = await stage.startWorker(home, 'mid-body');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stop(heir);
    expect(await contents(home)).toEqual(expected);
  });

  it('is finished after the Temporal server was killed, too', async () => {
    const home = path.join(stage.folder, 'server-killed');
    const hold = stage.portal.hold({ endpoint: 'export' });
    const worker = await stage.startWorker(home, 'server-killed');
    const handle = await startRun('server-killed');
    await hold.arrived;
    await stage.restartServer();
    hold.release();
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    await stop(worker);
    expect(await contents(home)).toEqual(expected);
  });
});
