import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OCTOBER_DAYS,
  octoberArchives,
  wrongArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import type { FetchJob } from '../../src/api/earlier/enedis/fetch-jobs.ts';
import { createKey } from '../../src/api/security/keys.ts';
import { lastAudit } from '../../src/api/shared/audit.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { readArrivals } from '../../src/engine/sources/arrivals.ts';
import { testContext } from '../fixtures/cli-context.ts';
import {
  enedisSettings,
  fetchedFrom,
  putArchives,
  startDistributor,
} from '../fixtures/enedis-server.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';

/**
 * Fetches that a client of the earlier billing system orders, each after the one before, over one
 * folder and one home.
 */

let server: SftpServer;
let installation: Installation;
let api: RunningApi;
let key: string;
/** Activities that fail. */
const broken = new Set<string>();
const breaking: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input, next) {
      if (broken.has(info.activityType))
        throw ApplicationFailure.nonRetryable('it is broken', 'INTERNAL');
      return next(input);
    },
  },
});

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  installation = await openInstallation({
    datasets: { enedis },
    settings: enedisSettings(server),
    interceptors: { activity: [breaking] },
  });
  const { engine } = installation;
  const wanted = { owner: 'erp', scopes: ['ops:write:enedis'], days: 1, by: 'test' };
  key = (await createKey(engine.documents, wanted, engine.now())).key;
  api = await openApi();
});

afterAll(async () => {
  await api.close();
  await installation.close();
  await server.close();
});

function openApi(): Promise<RunningApi> {
  const { engine, home, address } = installation;
  const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
  return startApi(context, { host: '127.0.0.1', port: 0 });
}

async function ask(
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = {
    'x-api-key': key,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const answer = await fetch(`${api.url}/ingestion${path}`, { ...sent, headers });
  return { status: answer.status, body: await answer.json() };
}

async function ended(id: string): Promise<FetchJob> {
  let job: FetchJob | undefined;
  const status = async () => {
    job = (await ask(`/jobs/${id}`)).body as FetchJob;
    return job.status;
  };
  await expect.poll(status, { timeout: 100_000, interval: 200 }).not.toBe('running');
  return job!;
}

async function run(mode: string): Promise<FetchJob> {
  const started = await ask('/run', { mode });
  expect(started).toMatchObject({ status: 202 });
  return ended((started.body as FetchJob).id);
}

async function verdicts(): Promise<string[]> {
  const newest = await newestManifests(installation.engine.documents, 'enedis', OCTOBER_DAYS);
  return [...newest.values()].map(({ verdict }) => verdict);
}

describe('a fetch that a client of the earlier system orders', () => {
  it('is tried with two files of each part, of which nothing is kept', async () => {
    const job = await run('test');
    expect(job).toMatchObject({ mode: 'test', status: 'completed', error: null });
    expect(job.output).toContain('c15: 2 files, 2 read, 0 failed, 0 did not come');
    expect(job.output).toContain('nothing of them is kept');
    expect(await readArrivals(installation.engine, 'enedis', 'c15')).toEqual(new Map());
  });

  it('goes on alone, is the only one meanwhile, and is told of at its end', async () => {
    const [one, two] = await Promise.all([
      ask('/run', { mode: 'ALL' }),
      ask('/run', { mode: 'r151  c15' }),
    ]);
    const [started, refused] = one.status === 202 ? [one, two] : [two, one];
    expect(started).toMatchObject({
      status: 202,
      body: { status: 'running', finished_at: null, output: null },
    });
    expect(refused).toEqual({
      status: 409,
      body: { detail: expect.stringContaining('runs already') as string },
    });
    // The work is not of the API.
    await api.close();
    api = await openApi();
    const job = await ended((started.body as FetchJob).id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    const rest = await run('all');
    expect([rest.status, rest.mode]).toEqual(['completed', 'all']);
    const output = `${job.output}\n${rest.output}`;
    for (const date of OCTOBER_DAYS) expect(output).toContain(`${date}  made`);
    expect(await verdicts()).toEqual(OCTOBER_DAYS.map(() => 'ok'));
    expect((await run('r151 affaires')).output).toBe('the folder has nothing new');
  });

  it('makes days of what is kept, and fetches all files once more, without a question', async () => {
    const asked = server.requests.length;
    const rebuilt = await run('rebuild');
    expect(rebuilt).toMatchObject({ status: 'completed', output: '3 days made of what is kept' });
    expect(server.requests.length).toBe(asked);
    const before = fetchedFrom(server).length;
    expect(await run('resync')).toMatchObject({ status: 'completed', mode: 'resync' });
    expect(fetchedFrom(server).length - before).toBe(octoberArchives().length);
    expect(await verdicts()).toEqual(OCTOBER_DAYS.map(() => 'ok'));
  });

  it('fails where a part has only files that cannot be read, and says which', async () => {
    const wrong = wrongArchives()['no_key']!;
    putArchives(server, [wrong]);
    const job = await run('all');
    expect(job.status).toBe('failed');
    expect(job.error).toContain('c15: 1 file, 0 read, 1 failed');
    expect(job.output).toContain(wrong.name);
  });

  it('makes days by runs of their own where a window cannot, and tells of those that fail', async () => {
    broken.add('resolveWindow');
    const made = await run('rebuild');
    expect(made).toMatchObject({ status: 'completed', output: '4 days made of what is kept' });
    for (const date of OCTOBER_DAYS) {
      const { startTime } = await installation.client.workflow
        .getHandle(`day/enedis/${date}`)
        .describe();
      expect(startTime.toISOString() > made.started_at).toBe(true);
    }
    broken.add('resolveDay');
    const job = await run('rebuild');
    broken.clear();
    const [date = ''] = OCTOBER_DAYS;
    expect(job).toMatchObject({ status: 'failed', error: `${date}  INTERNAL: it is broken` });
    expect(job.output?.split('\n')).toHaveLength(5);
    expect(job.output).toContain('0 days made of what is kept');
  });

  it('tells of kept files that cannot be taken in, without their names', async () => {
    const options = { mediaType: 'application/octet-stream', mode: 'replace' } as const;
    await installation.engine.objects.put(
      'raw/enedis/about-somebody.bin',
      Buffer.from('nothing'),
      options,
    );
    const job = await run('rebuild');
    expect(job).toMatchObject({ status: 'failed' });
    expect(job.error).toBe(
      '1 file could not be taken in; "quotidien fetch enedis --mode rebuild" says which',
    );
    expect(job.output).toBe(`${job.error}\n4 days made of what is kept`);
  });

  it('is listed with the others, the newest first, and written down with who ordered it', async () => {
    const { body } = await ask('/jobs?limit=3');
    const jobs = body as FetchJob[];
    expect(jobs.map(({ mode, status }) => [mode, status])).toEqual([
      ['rebuild', 'failed'],
      ['rebuild', 'failed'],
      ['rebuild', 'completed'],
    ]);
    expect(((await ask('/jobs')).body as FetchJob[]).length).toBe(10);
    const { engine } = installation;
    const [noted] = await lastAudit(engine.documents, engine.now(), 1);
    expect(noted).toMatchObject({
      action: 'fetch',
      target: 'enedis',
      reason: 'POST /ingestion/run, mode rebuild',
    });
    expect(noted?.by).toMatch(/^key:/);
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const id of [unknown, 'none']) expect((await ask(`/jobs/${id}`)).status).toBe(404);
  });
});
