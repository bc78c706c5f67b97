import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKey } from '../../src/api/security/keys.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { readDegraded } from '../../src/engine/records/degraded.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { addDays, datesBetween } from '../../src/pipelines/civil-date.ts';
import { civilDateAt } from '../../src/pipelines/zoned-day.ts';
import { listenToQueue } from '../../src/workers/object-queue.ts';
import type { HeardObjects } from '../../src/workers/hear-objects.ts';
import type { DayResult } from '../../src/workflows/day-contract.ts';
import type { TinyMetrics } from '../fixtures/tiny-dataset.ts';
import { collectText } from '../conformance/byte-streams.ts';
import { BATCH_FILE, broughtDataset, dayFile, readingsCsv } from '../fixtures/brought-dataset.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { ELASTICMQ, startElasticMq } from '../fixtures/servers/elasticmq.ts';
import type { QueueTestServer } from '../fixtures/servers/elasticmq.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** Files that another program brings, made to days as soon as somebody tells of them. */

const TODAY = civilDateAt(new Date(), 'Europe/Paris');
const day = (before: number): string => addDays(TODAY, -before);

let publisher: TinyPublisher;
let home: Installation;
let api: RunningApi;
const keys = { operator: '', reader: '', other: '' };

beforeAll(async () => {
  publisher = await startTinyPublisher([day(60)]);
  home = await openInstallation({
    datasets: { tiny: broughtDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
  });
  const { engine, address } = home;
  const context = testContext({ ...engine, home: home.home }, { TEMPORAL_ADDRESS: address });
  api = await startApi(context, { host: '127.0.0.1', port: 0 });
  const make = async (scopes: string[]) =>
    (
      await createKey(
        engine.documents,
        { owner: 'test', scopes, days: 1, by: 'test' },
        engine.now(),
      )
    ).key;
  keys.operator = await make(['ops:write:tiny']);
  keys.other = await make(['ops:write:eco2mix']);
  keys.reader = await make(['ops:read']);
});
afterAll(async () => {
  await api.close();
  await home.close();
  await publisher.close();
});

async function bring(key: string, content: string): Promise<string> {
  const file = path.join(home.home, 'store', key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return key;
}

const bringDay = (date: string, value: number, valued?: number): Promise<string> =>
  bring(dayFile(date), readingsCsv([date], value, valued));

async function tell(
  objects: readonly string[],
  authorization = `Bearer ${keys.operator}`,
  type = 'application/json',
) {
  const answer = await fetch(`${api.url}/api/v1/deposits`, {
    method: 'POST',
    headers: { 'content-type': type, ...(authorization === '' ? {} : { authorization }) },
    body: JSON.stringify({ objects }),
  });
  return { status: answer.status, ...((await answer.json()) as HeardObjects & { code?: string }) };
}

const handleOf = (date: string) => home.client.workflow.getHandle(`day/tiny/${date}`);

/** The greatest value of the day as it was made last. */
async function greatest(
  date: string,
  { objects, documents }: Pick<Engine, 'objects' | 'documents'> = home.engine,
): Promise<number> {
  const manifest = (await newestManifests(documents, 'tiny', [date])).get(date);
  const state = manifest?.steps['metrics/day'];
  const key = state?.state === 'done' ? state.outputs['metrics']?.key : undefined;
  return (JSON.parse(await collectText(await objects.get(key ?? ''))) as TinyMetrics).max;
}

describe('a notification over HTTP', () => {
  it('makes the day of the file at once, and says of one that comes again that it is known', async () => {
    const key = await bringDay(day(40), 20);
    expect(await tell([key, key])).toEqual({
      status: 202,
      runs: [`day/tiny/${day(40)}`],
      ignored: [],
      remarks: [],
    });
    const first = (await handleOf(day(40)).result()) as DayResult;
    expect([first.version, await greatest(day(40))]).toEqual([1, 20]);
    const { runId } = await handleOf(day(40)).describe();
    const known = { object: key, why: 'it is known already' };
    expect(await tell([key])).toEqual({ status: 202, runs: [], ignored: [known], remarks: [] });
    expect((await handleOf(day(40)).describe()).runId).toBe(runId);
  });

  it('makes the day again when its file is another', async () => {
    await tell([await bringDay(day(40), 30)]);
    expect(await handleOf(day(40)).result()).toMatchObject({ version: 2 });
    expect(await greatest(day(40))).toBe(30);
  });

  it('starts nothing for objects that are for no day, each said by name', async () => {
    const [early, late] = [await bringDay('1999-01-01', 1), await bringDay(TODAY, 1)];
    expect(await tell(['processed/x.json', dayFile(day(3)), early, late])).toEqual({
      status: 202,
      runs: [],
      ignored: [
        { object: 'processed/x.json', why: 'no pipeline reads files of this name' },
        { object: dayFile(day(3)), why: 'there is no such object any more' },
        { object: early, why: expect.stringMatching(/^tiny has no data before/) as string },
        { object: late, why: `${TODAY} is not over: its run takes the file in` },
      ],
      remarks: [],
    });
  });

  it('needs a key that may act on the pipeline, also as the password of an address', async () => {
    const key = await bringDay(day(41), 1);
    expect(await tell([key], '')).toMatchObject({ status: 401, code: 'AUTH_REQUIRED' });
    for (const wrong of [keys.reader, keys.other])
      expect(await tell([key], `Bearer ${wrong}`)).toMatchObject({
        status: 403,
        code: 'AUTH_DENIED',
      });
    const basic = `Basic ${Buffer.from(`quotidien:${keys.operator}`).toString('base64')}`;
    const answer = await tell([key], basic, 'text/plain; charset=UTF-8');
    expect(answer).toMatchObject({ status: 202, runs: [`day/tiny/${day(41)}`] });
    await handleOf(day(41)).result();
  });
});

describe('a day that runs', () => {
  it('is woken by the file while it waits for its publisher, and ends with it', async () => {
    const date = day(1);
    const handle = await startDay(home.target, { pipeline: 'tiny', date });
    await vi.waitFor(
      async () => {
        expect(await handle.query('waits')).not.toBeNull();
      },
      { timeout: 50_000 },
    );
    await tell([await bringDay(date, 6)]);
    await handle.result();
    expect(await greatest(date)).toBe(6);
  });

  it('takes in a file that comes while it is made, without asking the publisher once more', async () => {
    const date = day(42);
    publisher.publish(date);
    const before = publisher.requests.length;
    const forecast = publisher.holdNext('forecast');
    const handle = await startDay(home.target, { pipeline: 'tiny', date });
    await forecast.arrived;
    await tell([await bringDay(date, 500)]);
    forecast.release();
    await handle.result();
    expect(await greatest(date)).toBe(500);
    const asked = publisher.requests
      .slice(before)
      .filter((path) => path.startsWith('/readings.csv'));
    expect(asked).toHaveLength(1);
  });
});

describe('a window', () => {
  it('takes in the files of its days as single days do, and asks the publisher for none of them', async () => {
    const [from, to] = [day(75), day(70)];
    const dates = datesBetween(from, to);
    for (const [index, date] of dates.entries()) await bringDay(date, 200 + index);
    await bringDay(day(69), 1);
    const before = publisher.requests.length;
    const made = await (await startBackfill(home.target, { pipeline: 'tiny', from, to })).result();
    expect(made).toMatchObject({ done: 6, failed: [] });
    expect(await Promise.all(dates.map((date) => greatest(date)))).toEqual([
      200, 201, 202, 203, 204, 205,
    ]);
    const asked = publisher.requests.slice(before);
    expect(asked.filter((path) => path.startsWith('/readings.csv'))).toEqual([]);
    expect(asked.some((path) => path.startsWith('/forecast.csv'))).toBe(true);
    expect((await newestManifests(home.engine.documents, 'tiny', [day(69)])).size).toBe(0);
    const manifest = (await newestManifests(home.engine.documents, 'tiny', [from])).get(from);
    expect(manifest?.run.workflowId).toMatch(/^window\//);
  });
});

describe('without the credentials of its bucket', () => {
  it('a day goes on from the raw folder of this machine, and says that it is degraded', async () => {
    const data = await mkdtemp(path.join(os.tmpdir(), 'quotidien-data-'));
    // Nothing that the SDK could find on the machine of whoever runs this.
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
      vi.stubEnv(name, undefined);
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])
      vi.stubEnv(name, path.join(data, 'none'));
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    const settings = { USE_S3: 'true', QUOTIDIEN_S3_BUCKET: 'days', DATA_DIR: data };
    const other = await openInstallation({
      datasets: { tiny: broughtDataset({ baseUrl: publisher.url }) },
      settings,
    });
    try {
      const date = day(30);
      const file = path.join(data, dayFile(date).slice('raw/'.length));
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, readingsCsv([date], 44));
      const result = await (await startDay(other.target, { pipeline: 'tiny', date })).result();
      expect(result.verdict).toBe('degraded');
      const { objects, documents } = other.engine.fallback?.forWork() ?? other.engine;
      expect(await greatest(date, { objects, documents })).toBe(44);
      expect((await readDegraded(other.engine, 'tiny', [date])).get(date)?.why).toMatch(
        /no credentials/,
      );
    } finally {
      vi.unstubAllEnvs();
      await other.close();
      await rm(data, { recursive: true, force: true });
    }
  });
});

describe('a batch file', () => {
  it('is taken in by the watch, which looks again when another comes meanwhile', async () => {
    const batch = (value: number) => bring(BATCH_FILE, readingsCsv([day(41), day(40)], value));
    const freshness = publisher.holdNext('freshness');
    expect((await tell([await batch(70)])).runs).toEqual(['watch/tiny']);
    await freshness.arrived;
    await tell([await batch(90)]);
    freshness.release();
    await home.client.workflow.getHandle('watch/tiny').result();
    expect([await greatest(day(40)), await greatest(day(41))]).toEqual([90, 90]);
  });
});

await describeWithServer(ELASTICMQ, startElasticMq, (shared) => {
  describe('a queue', () => {
    let server: QueueTestServer;
    let sqs: SQSClient;
    let queueUrl: string;
    beforeAll(async () => {
      server = await shared();
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
      sqs = new SQSClient({ region: 'eu-west-3', endpoint: server.endpoint, credentials });
      // A message that was not removed comes again after a second.
      const queue = { QueueName: 'deposits', Attributes: { VisibilityTimeout: '1' } };
      queueUrl = (await sqs.send(new CreateQueueCommand(queue))).QueueUrl ?? '';
    });
    afterAll(() => {
      sqs.destroy();
    });

    const left = async (): Promise<number> => {
      const names = [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
      ] as const;
      const asked = new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: [...names],
      });
      const { Attributes = {} } = await sqs.send(asked);
      return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
    };

    const send = (body: string) =>
      sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));

    function listen(client: Installation['client'], heard: (result: HeardObjects) => void) {
      const env = {
        QUOTIDIEN_DEPOSIT_QUEUE: queueUrl,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      };
      const { config } = testContext({ ...home.engine, home: home.home }, env);
      return listenToQueue({ config, engine: home.engine, client, heard });
    }

    it('starts the day of each message, and loses none whose day could not be started', async () => {
      const date = day(50);
      const sns = {
        Type: 'Notification',
        Message: JSON.stringify({ objects: [await bringDay(date, 3)] }),
      };
      await send(JSON.stringify(sns));
      await send('no JSON');
      let refused = 0;
      const away = {
        workflow: {
          signalWithStart: () => {
            refused += 1;
            return Promise.reject(new Error('Temporal is away'));
          },
        },
      } as unknown as Installation['client'];
      const first = await listen(away, () => undefined);
      await vi.waitFor(
        () => {
          expect(refused).toBe(1);
        },
        { timeout: 50_000 },
      );
      await first?.close();
      expect(await left()).toBeGreaterThan(0);
      const results: HeardObjects[] = [];
      const second = await listen(home.client, (result) => void results.push(result));
      await vi.waitFor(
        () => {
          expect(results.some(({ runs }) => runs.length > 0)).toBe(true);
        },
        { timeout: 50_000 },
      );
      await vi.waitFor(
        async () => {
          expect(await left()).toBe(0);
        },
        { timeout: 50_000 },
      );
      // One request waits at the server by now.
      const started = Date.now();
      await second?.close();
      expect(Date.now() - started).toBeLessThan(5_000);
      expect(results.flatMap(({ runs }) => runs)).toEqual([`day/tiny/${date}`]);
      await handleOf(date).result();
      expect(await greatest(date)).toBe(3);
    });
  });
});
