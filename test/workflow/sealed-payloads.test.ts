import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import type { EphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { SEARCH_ATTRIBUTES } from '../../src/cli/temporal/search-attributes.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { quietRuntime } from '../../src/workers/logging.ts';
import { dataConverterOf } from '../../src/workers/payload-codec.ts';
import type { day } from '../../src/workflows/day.ts';
import { QUEUE_KINDS, runWorkers } from '../../src/workers/run-workers.ts';
import type { RunningWorkers } from '../../src/workers/run-workers.ts';
import { connectClient, developmentTarget } from '../../src/workers/temporal-target.ts';
import { protocolText } from '../fixtures/history-text.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';
import { sealedBundle } from '../fixtures/workflow-bundle.ts';

const [OLD, NEW] = ['old', 'new'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [
  string,
  string,
];
const REASON = 'the meter reader confirmed it';

let publisher: TinyPublisher;
let engine: TestEngine;
let server: EphemeralServer;
let bundle: { code: string };
const clients: Client[] = [];

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-10'));
  const opened = await openTestEngine([
    tinyDataset({ name: 'sealed', baseUrl: publisher.url, holdAbove: 330 }),
  ]);
  const env = { QUOTIDIEN_LOG_LEVEL: 'warn' };
  quietRuntime(loadConfig({ env, cwd: opened.home, home: opened.home, hosts: [] }));
  engine = {
    ...opened,
    queues: { fetch: 'sealed-fetch', compute: 'sealed', report: 'sealed-report' },
  };
  bundle = await sealedBundle();
  const logFile = path.join(opened.home, 'server.log');
  server = await startEphemeralServer({
    cli: await testCli(),
    logFile,
    searchAttributes: SEARCH_ATTRIBUTES,
  });
});

afterAll(async () => {
  for (const { connection } of clients) await connection.close();
  await server.stop();
  await engine.close();
  await publisher.close();
});

const targetWith = (keys: string) =>
  developmentTarget(server.address, { QUOTIDIEN_PAYLOAD_KEYS: keys });

function workersWith(keys: string): Promise<RunningWorkers> {
  return runWorkers({
    engine,
    target: targetWith(keys),
    kinds: QUEUE_KINDS,
    workflowBundle: bundle,
  });
}

async function runsWith(keys: string) {
  const client = await connectClient(targetWith(keys));
  clients.push(client);
  return { client, taskQueue: 'sealed' };
}

type Handle = Awaited<ReturnType<typeof startDay>>;

async function untilHeld(handle: Handle): Promise<void> {
  await vi.waitFor(
    async () => {
      const { typedSearchAttributes } = await handle.describe();
      const verdict = typedSearchAttributes.getAll().find(({ key }) => key.name === 'Verdict');
      expect(verdict?.value).toBe('quarantined');
    },
    { timeout: 50_000 },
  );
}

/**
 * A history as Temporal keeps it: names and values, with all bytes as text. Search attributes
 * apart: Temporal finds runs by them.
 */
async function historyOf(handle: Handle): Promise<{ text: string; attributes: string }> {
  const { events } = await handle.fetchHistory();
  const attributes: string[] = [];
  return { text: protocolText(events, attributes), attributes: attributes.join('') };
}

describe('a run with encrypted payloads', () => {
  it('leaves nothing readable of inputs, results, decisions, details and failures in Temporal’s history', async () => {
    const workers = await workersWith(OLD);
    const runs = await runsWith(OLD);
    const held = await startDay(runs, { pipeline: 'sealed', date: '2024-01-08' });
    await untilHeld(held);
    await held.executeUpdate('decide', { args: [{ decision: 'accept', reason: REASON }] });
    expect(await dayResult(held)).toMatchObject({ verdict: 'ok' });
    publisher.refuse('readings', 403);
    const failed = await startDay(runs, { pipeline: 'sealed', date: '2024-01-02' });
    await expect(failed.result()).rejects.toThrow();
    publisher.refuse('readings', undefined);
    await workers.shutdown();

    const [good, bad] = [await historyOf(held), await historyOf(failed)];
    for (const plain of [
      REASON,
      'slices/',
      'value_plausible',
      'sha256',
      publisher.url,
      'One data day',
    ])
      expect(good.text.includes(plain), plain).toBe(false);
    for (const plain of [
      'answered 403',
      'refused our credentials',
      'download/readings',
      'http-client',
      publisher.url,
    ])
      expect(bad.text.includes(plain), plain).toBe(false);
    expect(bad.text).toContain('Encoded failure');
    expect(good.text).toContain('binary/encrypted');
    // What stays readable, as docs/security.md says.
    expect(good.text).toContain('day/sealed/2024-01-08');
    expect(bad.attributes).toContain('download/readings');
  });

  it('goes on when the keys were rotated: the new one encrypts, the old one still decrypts', async () => {
    const first = await workersWith(OLD);
    const held = await startDay(await runsWith(OLD), { pipeline: 'sealed', date: '2024-01-09' });
    await untilHeld(held);
    await first.shutdown();
    const second = await workersWith(`${NEW},${OLD}`);
    const { client } = await runsWith(`${NEW},${OLD}`);
    const later = client.workflow.getHandle<typeof day>(held.workflowId);
    await later.executeUpdate('decide', { args: [{ decision: 'accept', reason: REASON }] });
    expect(await dayResult(later)).toMatchObject({ verdict: 'ok' });
    await second.shutdown();
    const keys = [...(await historyOf(later)).text.matchAll(/^encryption-key-id=(\w+)$/gm)].map(
      ([, id]) => id,
    );
    expect(new Set(keys)).toEqual(new Set(['old', 'new']));
    expect(keys.at(-1)).toBe('new');
    expect(keys[0]).toBe('old');
  });

  it('says which key is missing, and goes on once it is there', async () => {
    const first = await workersWith(OLD);
    const held = await startDay(await runsWith(OLD), { pipeline: 'sealed', date: '2024-01-10' });
    await untilHeld(held);
    await first.shutdown();

    const { client } = await runsWith(NEW);
    const blind = client.workflow.getHandle<typeof day>(held.workflowId);
    const finished = client.workflow.getHandle('day/sealed/2024-01-08');
    await expect(finished.result()).rejects.toThrow(
      /encrypted with the key "old", and the known ones are new/,
    );

    const second = await workersWith(NEW);
    const decided = blind.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: REASON }],
    });
    const codec = dataConverterOf({ QUOTIDIEN_PAYLOAD_KEYS: NEW }).payloadCodecs[0]!;
    await vi.waitFor(
      async () => {
        const { events } = await blind.fetchHistory();
        const task = events?.findLast((event) => event.workflowTaskFailedEventAttributes);
        const said = task?.workflowTaskFailedEventAttributes?.failure?.encodedAttributes;
        const [words] = await codec.decode([said as temporal.api.common.v1.IPayload]);
        expect(Buffer.from(words?.data ?? []).toString()).toContain(
          'encrypted with the key \\"old\\"',
        );
      },
      { timeout: 50_000 },
    );
    await second.shutdown();
    const log = await readFile(path.join(engine.home, 'logs', 'worker.log'), 'utf8');
    expect(log).toContain('encrypted with the key \\"old\\", and the known ones are new');

    const third = await workersWith(`${NEW},${OLD}`);
    await decided;
    const { client: whole } = await runsWith(`${NEW},${OLD}`);
    expect(await dayResult(whole.workflow.getHandle<typeof day>(held.workflowId))).toMatchObject({
      verdict: 'ok',
    });
    await third.shutdown();
  });

  it('is not begun by a worker whose keys cannot be read', async () => {
    const target = developmentTarget(server.address, { QUOTIDIEN_PAYLOAD_KEYS_COMMAND: 'exit 1' });
    const started = runWorkers({ engine, target, kinds: QUEUE_KINDS, workflowBundle: bundle });
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
