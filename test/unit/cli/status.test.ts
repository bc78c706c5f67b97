import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { status } from '../../../src/cli/look/status.ts';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { SEARCH_ATTRIBUTES } from '../../../src/cli/temporal/search-attributes.ts';
import type { CalendarDay } from '../../../src/pipelines/calendar-of-days.ts';
import { SEARCH_KEYS } from '../../../src/workflows/search-keys.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { testCli } from '../../fixtures/temporal-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(['2024-02-29', '2024-03-01']);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], {
    // The first of March in UTC, the second already in Paris.
    now: () => new Date('2024-03-01T23:30:00Z'),
  });
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** A server without workers: what is started on it stays open. */
async function temporalServer(): Promise<{ readonly address: string; readonly client: Client }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-status-'));
  const server = await startEphemeralServer({
    cli: await testCli(),
    logFile: path.join(folder, 'server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
  });
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(async () => {
    await connection.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { address: server.address, client: new Client({ connection }) };
}

describe('status', () => {
  it('shows this month and the one before, in the pipeline’s zone, and exits 0', async () => {
    await runDay(engine, 'tiny', '2024-02-29');
    const context = testContext(engine);
    expect(await status(context, { pipeline: 'tiny' })).toBe(0);
    expect(context.terminal.lines[0]).toBe('February 2024');
    expect(context.terminal.lines).toContain('March 2024');
    const days = context.terminal.values[0] as CalendarDay[];
    expect(days).toHaveLength(29 + 31);
    expect(days[28]).toMatchObject({
      date: '2024-02-29',
      standing: 'ok',
      version: 1,
      revision: 'provisional',
      coverage: 1,
    });
    expect(days[29]).toMatchObject({ date: '2024-03-01', standing: 'not_due' });
  });

  it('shows the month or year that is asked for', async () => {
    const context = testContext(engine);
    await status(context, { pipeline: 'tiny', period: '2023-02' });
    expect(context.terminal.text()).toContain('28 days: 28 missing');
    await status(context, { pipeline: 'tiny', period: '2021' });
    expect(context.terminal.text()).toContain(
      '365 days: 365 missing\nmissing: 2021-01-01 … 2021-12-31',
    );
  });

  it('says in a remark that runs under way are not known without a server', async () => {
    const context = testContext(engine);
    await status(context, { pipeline: 'tiny', period: '2024-02' });
    expect(context.terminal.notes).toEqual([
      expect.stringContaining('no Temporal server is known here'),
    ]);
  });

  it('says so as well when the configured server is away, and still shows the days', async () => {
    const context = testContext(engine, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(await status(context, { pipeline: 'tiny', period: '2024-02' })).toBe(0);
    expect(context.terminal.notes).toEqual([
      expect.stringContaining('the Temporal server cannot be asked'),
    ]);
    expect(context.terminal.lines[0]).toBe('February 2024');
  });

  it('shows days that run, alone or in a window, those that wait for a decision, and those that are paused', async () => {
    await runDay(engine, 'tiny', '2024-02-29');
    const { address, client } = await temporalServer();
    const start = (workflowId: string, verdict?: string) =>
      client.workflow.start('day', {
        workflowId,
        taskQueue: 'nobody',
        ...(verdict === undefined
          ? {}
          : { typedSearchAttributes: [{ key: SEARCH_KEYS.Verdict, value: verdict }] }),
      });
    await start('window/tiny/2024-02-10_2024-02-12');
    await start('day/tiny/2024-02-12', 'quarantined');
    await start('day/tiny/2024-02-29');
    await start('day/tiny-too/2024-02-01');
    await start('day/tiny/2024-02-20');
    await client.workflowService.pauseWorkflowExecution({
      namespace: 'default',
      workflowId: 'day/tiny/2024-02-20',
      identity: 'ada',
      reason: 'look first',
      requestId: 'one',
    });
    const ended = await start('day/tiny/2024-02-05');
    await ended.terminate();
    const standings = async (): Promise<Record<string, string>> => {
      const context = testContext(engine, { TEMPORAL_ADDRESS: address });
      await status(context, { pipeline: 'tiny', period: '2024-02' });
      expect(context.terminal.notes).toEqual([]);
      const days = context.terminal.values[0] as CalendarDay[];
      return Object.fromEntries(
        days
          .filter(({ standing }) => standing !== 'not_asked')
          .map(({ date, standing }) => [date, standing]),
      );
    };
    // Temporal's index of runs follows a moment later.
    await expect.poll(standings, { timeout: 10_000 }).toEqual({
      '2024-02-10': 'running',
      '2024-02-11': 'running',
      '2024-02-12': 'quarantined',
      '2024-02-20': 'running',
      '2024-02-29': 'running',
    });
    const shown = testContext(engine, { TEMPORAL_ADDRESS: address });
    await status(shown, { pipeline: 'tiny', period: '2024-02' });
    expect(shown.terminal.text()).toContain('day/tiny/2024-02-20 is paused');
  });

  it('refuses what it cannot show', async () => {
    const context = testContext(engine);
    await expect(status(context, { pipeline: 'tyni' })).rejects.toMatchObject({
      code: 'PIPELINE_UNKNOWN',
    });
    await expect(status(context, { pipeline: 'tiny', period: '2024-3' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    await expect(status(context, { pipeline: 'tiny', period: '2019' })).rejects.toMatchObject({
      code: 'PLAN_INVALID',
    });
  });
});
