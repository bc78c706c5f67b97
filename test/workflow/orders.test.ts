import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lastAudit } from '../../src/api/shared/audit.ts';
import { overview } from '../../src/cli/look/overview.ts';
import { backfill } from '../../src/cli/make/backfill.ts';
import { decide } from '../../src/cli/make/decide.ts';
import { pause, resume, retry, skip } from '../../src/cli/make/orders.ts';
import { plan } from '../../src/cli/look/plan.ts';
import { callerName } from '../../src/cli/shared/caller-name.ts';
import { startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { readActions } from '../../src/engine/records/operator-actions.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { testContext } from '../fixtures/cli-context.ts';
import type { TestContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-03-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function context(): TestContext {
  const { engine, home, address } = installation;
  return testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
}

function newest(date: string) {
  return newestManifests(installation.engine.documents, 'tiny', [date]).then((found) =>
    found.get(date),
  );
}

const why = { reason: 'seen by a person', by: 'ada' };

describe('orders to a running day', () => {
  it('decide on a held day, with the reason and who gave it', async () => {
    const date = '2024-01-05';
    publisher.publish(date, { add: 10_000 });
    const handle = await startDay(installation.target, { pipeline: 'tiny', date });
    await vi.waitFor(
      async () => {
        expect(await handle.query('waits')).toMatchObject({ held: true });
      },
      { timeout: 50_000 },
    );
    await expect(decide(context(), { pipeline: 'tiny', date, accept: true })).rejects.toThrow(
      '--reason',
    );
    const told = context();
    expect(await decide(told, { pipeline: 'tiny', date, accept: true, ...why })).toBe(0);
    expect(told.terminal.lines[0]).toMatch(/2024-01-05, transform\/readings: accept$/);
    expect(told.terminal.lines.at(-1)).toMatch(/^2024-01-05 {2}ok/);
    expect((await newest(date))?.decisions).toMatchObject([{ decision: 'accept', ...why }]);
  });

  it('are refused with the code of the run, and where nothing runs', async () => {
    const order = { pipeline: 'tiny', date: '2024-01-06', ...why };
    await expect(skip(context(), { ...order, part: 'readings' })).rejects.toMatchObject({
      code: 'PLAN_INVALID',
      message: expect.stringContaining('day/tiny/2024-01-06 is not under way') as string,
    });
    await expect(decide(context(), { ...order, accept: true, reject: true })).rejects.toMatchObject(
      {
        code: 'INPUT_INVALID',
      },
    );
  });

  it('skip a part while its publisher is down, and follow the day to its end', async () => {
    const date = '2024-01-08';
    publisher.refuse('forecast', 500);
    await startDay(installation.target, { pipeline: 'tiny', date });
    const asked = { pipeline: 'tiny', date, step: 'download/nothing', ...why };
    await vi.waitFor(
      () => expect(retry(context(), asked)).rejects.toThrow('there is no step download/nothing'),
      {
        timeout: 50_000,
      },
    );
    const told = context();
    expect(await skip(told, { pipeline: 'tiny', date, part: 'forecast', ...why })).toBe(3);
    publisher.refuse('forecast', undefined);
    expect(told.terminal.lines[0]).toBe('download/forecast is skipped');
    expect(told.terminal.lines.at(-1)).toMatch(/^2024-01-08 {2}degraded/);
    expect(await readActions(installation.engine.documents, 'tiny', date)).toMatchObject([
      { action: 'skipPart', step: 'download/forecast', ...why },
    ]);
  });
});

describe('orders to a backfill', () => {
  it('pause and resume the one that runs, by its pipeline', async () => {
    await expect(pause(context(), { target: 'tiny', ...why })).rejects.toThrow('none runs');
    const [from, to] = ['2024-02-01', '2024-02-29'];
    const first = await startBackfill(installation.target, {
      pipeline: 'tiny',
      from,
      to,
      canary: 1,
      parallel: 1,
    });
    await pause(context(), { target: 'tiny', ...why });
    expect(await first.query('progress')).toMatchObject({ paused: 'seen by a person (ada)' });
    const asked = context();
    expect(await overview(asked)).toBe(3);
    expect(asked.terminal.text()).toContain(
      `${first.workflowId} is paused: seen by a person (ada)`,
    );
    const told = context();
    expect(await resume(told, { target: first.workflowId, ...why })).toBe(0);
    expect(told.terminal.text()).toContain('resumed');
    expect(await first.result()).toMatchObject({ failedDays: 0 });
  });
});

describe('a range with its pages', () => {
  const range = { pipeline: 'tiny', from: '2024-03-04', to: '2024-03-06' };

  it('makes what single days have, as plan and dry run say, and nothing the second time', async () => {
    const planned = context();
    await plan(planned, { ...range, pages: true });
    expect(planned.terminal.values).toMatchObject([{ days: [{}, {}, {}] }]);
    expect(planned.terminal.text()).toContain('report/page');
    const without = context();
    await plan(without, range);
    expect(without.terminal.text()).not.toContain('report/page');
    const dry = context();
    await backfill(dry, { ...range, pages: true, dryRun: true });
    expect(dry.terminal.values).toMatchObject([{ plan: { steps: { 'report/page': { run: 3 } } } }]);
    expect(await backfill(context(), { ...range, pages: true })).toBe(0);
    for (const date of datesBetween(range.from, range.to)) {
      expect((await newest(date))?.steps['report/page']).toMatchObject({ state: 'done' });
    }
    const again = context();
    await plan(again, { ...range, pages: true });
    expect(again.terminal.lines.at(-1)).toMatch(/^0 of \d+ steps will run/);
  });

  it('differs in nothing from its canary, which runs single days', async () => {
    const told = context();
    const asked = { pipeline: 'tiny', from: '2024-03-11', to: '2024-03-14' };
    await backfill(context(), { ...asked, pages: true });
    expect(await backfill(told, { ...asked, all: true, pages: true, canary: '2' })).toBe(0);
    expect(told.terminal.values).toMatchObject([{ result: { failedDays: 0, stopped: null } }]);
  });

  it('is refused together with a stage before the reports', async () => {
    await expect(
      backfill(context(), { ...range, pages: true, until: 'metrics' }),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('what was ordered by commands', () => {
  it('is in the audit, also what was refused, with who asked and why', async () => {
    const { engine } = installation;
    const given = `ada (${callerName()})`;
    const records = await lastAudit(engine.documents, engine.now(), 100);
    expect(records.map(({ action, target }) => `${action} ${target}`)).toEqual(
      expect.arrayContaining([
        'decide day/tiny/2024-01-05',
        'skipPart day/tiny/2024-01-06',
        'retryStep day/tiny/2024-01-08',
        expect.stringMatching(/^backfill\/pause backfill\/tiny\/2024-02-01_2024-02-29\//),
        expect.stringMatching(/^backfill\/resume backfill\/tiny\/2024-02-01_2024-02-29\//),
        expect.stringMatching(/^backfill backfill\/tiny\/2024-03-04_2024-03-06\//),
      ]),
    );
    const orders = records.filter(({ action }) => action !== 'backfill');
    expect(orders.every(({ by, reason }) => by === given && reason === why.reason)).toBe(true);
    // Dry runs start nothing.
    expect(records.filter(({ action }) => action === 'backfill')).toHaveLength(3);
  });
});
