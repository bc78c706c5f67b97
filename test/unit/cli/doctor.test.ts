import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { doctor } from '../../../src/cli/doctor/doctor.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { diskFinding, examineHome, examineNode } from '../../../src/cli/doctor/machine.ts';
import { examineDocuments, examineObjects } from '../../../src/cli/doctor/stores.ts';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { SEARCH_ATTRIBUTES } from '../../../src/cli/temporal/search-attributes.ts';
import type { SearchAttributeTypes } from '@quotidien/temporal-program/search-attributes';
import { PipelineError } from '../../../src/errors.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import { toArray } from '../../conformance/byte-streams.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import type { TestContext } from '../../fixtures/cli-context.ts';
import { testCli } from '../../fixtures/temporal-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([]);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function findingsOf(context: TestContext, area: Finding['area']): Finding[] {
  const { findings } = context.terminal.values[0] as { findings: Finding[] };
  return findings.filter((finding) => finding.area === area);
}

async function temporalServer(searchAttributes: SearchAttributeTypes): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-doctor-'));
  const server = await startEphemeralServer({
    cli: await testCli(),
    logFile: path.join(folder, 'server.log'),
    searchAttributes,
  });
  onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return server.address;
}

describe('doctor', () => {
  it('tries every store for real, leaves nothing behind and says how long it took', async () => {
    const context = testContext(engine);
    expect(await doctor(context)).toBe(0);
    const stores = findingsOf(context, 'stores');
    expect(stores.map(({ subject, status }) => [subject, status])).toEqual([
      ['objects: local-files', 'ok'],
      ['documents: sqlite', 'ok'],
      ['objects (local-files)', 'ok'],
      ['objects (local-files), permissions', 'ok'],
      ['objects (local-files), create-only', 'ok'],
      ['documents (sqlite)', 'ok'],
      ['documents (sqlite), create-only', 'ok'],
    ]);
    expect(stores[1]?.detail).toContain('chosen because neither MONGODB_URL');
    expect(
      stores.slice(2).every(({ durationMs }) => typeof durationMs === 'number' && durationMs >= 0),
    ).toBe(true);
    expect(findingsOf(context, 'sql')[0]?.detail).toMatch(
      /^DuckDB v1\.\d+\.\d+, memory limit 512\.0 MiB, 2 threads$/,
    );
    const left: string[] = [];
    for await (const { key } of engine.objects.list('')) left.push(key);
    expect(left).toEqual([]);
  });

  it('gives a next step with everything that is not ok', async () => {
    await publisher.close();
    const context = testContext(engine, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    await doctor(context);
    const { findings } = context.terminal.values[0] as { findings: Finding[] };
    const bad = findings.filter(({ status }) => status !== 'ok');
    expect(bad.map(({ area, status }) => [area, status])).toEqual([
      ['temporal', 'fail'],
      ['publishers', 'warn'],
      ['publishers', 'warn'],
    ]);
    expect(bad.every(({ next }) => next !== undefined)).toBe(true);
    expect(context.terminal.text()).toContain('→ Check the network');
    publisher = await startTinyPublisher([]);
  });

  it('exits 3 when a publisher cannot be reached, whatever the reason', async () => {
    publisher.refuse('forecast', 503);
    const context = testContext(engine);
    expect(await doctor(context)).toBe(3);
    const [readings, forecast] = findingsOf(context, 'publishers');
    expect(readings).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/last changed 1$/) as string,
    });
    expect(forecast).toMatchObject({
      status: 'warn',
      degrades: true,
      detail: expect.stringContaining('answered 503') as string,
    });
  });

  it('exits 1 when the stores cannot be opened, and examines the rest', async () => {
    const refusal = new PipelineError('STORE_DENIED', 'the disk is read-only');
    const context = { ...testContext(engine), engine: () => Promise.reject(refusal) };
    expect(await doctor(context)).toBe(1);
    expect(findingsOf(context, 'stores')).toMatchObject([
      { subject: 'objects: local-files' },
      { subject: 'documents: sqlite' },
      { status: 'fail', detail: 'STORE_DENIED: the disk is read-only' },
    ]);
    expect(findingsOf(context, 'machine')).toHaveLength(3);
  });

  it('names settings with where they come from, and never their values', async () => {
    const file = path.join(engine.home, 'settings.json');
    await writeFile(file, JSON.stringify({ QUOTIDIEN_SQL_THREADS: 1, QUOTIDIEN_SQL_SESSIONS: 1 }));
    const context = testContext(engine, {
      QUOTIDIEN_SQL_SESSIONS: '2',
      TEMPORAL_API_KEY: 'not-to-be-shown',
    });
    await doctor(context);
    const settings = Object.fromEntries(
      findingsOf(context, 'settings').map(({ subject, detail }) => [subject, detail]),
    );
    expect(settings).toMatchObject({
      QUOTIDIEN_SQL_THREADS: `set in ${file}`,
      QUOTIDIEN_SQL_SESSIONS: 'set in the environment',
      TEMPORAL_API_KEY: 'set in the environment',
    });
    expect(JSON.stringify(context.terminal.values) + context.terminal.text()).not.toContain(
      'not-to-be-shown',
    );
  });

  it('finds the configured Temporal server, its search attributes and that nobody works', async () => {
    const context = testContext(engine, {
      TEMPORAL_ADDRESS: await temporalServer(SEARCH_ATTRIBUTES),
    });
    expect(await doctor(context)).toBe(3);
    expect(findingsOf(context, 'temporal')).toMatchObject([
      {
        subject: 'server',
        status: 'ok',
        detail: expect.stringContaining('named by TEMPORAL_ADDRESS; version 1.') as string,
      },
      { subject: 'search attributes', status: 'ok' },
      {
        subject: 'workers',
        status: 'warn',
        next: expect.stringContaining('quotidien worker') as string,
      },
    ]);
  });

  it('fails on missing or mistyped search attributes, with the command that adds them', async () => {
    const address = await temporalServer({ Pipeline: 'Keyword', DataDate: 'Datetime' });
    const context = testContext(engine, { TEMPORAL_ADDRESS: address });
    expect(await doctor(context)).toBe(1);
    const finding = findingsOf(context, 'temporal').find(
      ({ subject }) => subject === 'search attributes',
    );
    expect(finding?.detail).toMatch(
      /^DataDate, RunReason, Verdict, Revision, FailedStep are not registered as Keyword/,
    );
    expect(finding?.next).toContain('--name RunReason --type Keyword');
  });

  it('tells which program would run a development server, without fetching one', async () => {
    const cli = await testCli();
    const byPath = testContext(engine, { TEMPORAL_CLI: cli.path });
    await doctor(byPath);
    expect(findingsOf(byPath, 'temporal')).toMatchObject([
      {
        status: 'ok',
        detail: expect.stringContaining(
          `by ${cli.path} (TEMPORAL_CLI), version ${cli.version}`,
        ) as string,
      },
    ]);
    const wrong = testContext(engine, { TEMPORAL_CLI: '/nowhere/temporal' });
    expect(await doctor(wrong)).toBe(1);
    const none = testContext(engine, {
      PATH: '',
      TMPDIR: engine.home,
      XDG_CACHE_HOME: engine.home,
    });
    expect(await doctor(none)).toBe(0);
    expect(findingsOf(none, 'temporal')).toMatchObject([
      { status: 'warn', detail: expect.stringContaining('would be fetched') as string },
    ]);
  });

  it('warns of lists that came with the code and have aged, of pipelines that have made a day', async () => {
    const list = {
      subject: 'rates',
      detail: 'the newest list is of 2024',
      next: 'Install a newer one.',
    };
    const seen: string[] = [];
    const aged = (today: string) => (seen.push(today), [list]);
    const other = engine.withDatasets([
      { ...tinyDataset({ baseUrl: publisher.url }), agedLists: aged },
    ]);
    const examine = async (): Promise<Finding[]> => {
      const context = testContext(other);
      await doctor(context);
      return findingsOf(context, 'datasets');
    };
    expect(await examine()).toEqual([]);
    publisher.publish('2024-03-05');
    await runDay(other, 'tiny', '2024-03-05');
    const { subject, ...told } = list;
    expect(await examine()).toEqual([
      { area: 'datasets', subject: `tiny, ${subject}`, status: 'warn', ...told },
    ]);
    expect(seen).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d$/)]);
  });

  it('warns of a host whose clock is ahead, by the times that it wrote', async () => {
    const publisher = await startTinyPublisher([]);
    onTestFinished(() => publisher.close());
    const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    publisher.publish(day);
    const own = engine.withDatasets([tinyDataset({ baseUrl: publisher.url })]);
    const ahead = () => new Date(Date.now() + 2 * 86_400_000);
    await runDay({ ...own, now: ahead, host: 'ahead-host' }, 'tiny', day);
    const context = testContext(own);
    await doctor(context);
    expect(findingsOf(context, 'clock')).toContainEqual(
      expect.objectContaining({
        subject: 'workers',
        status: 'warn',
        detail: expect.stringMatching(
          /^ahead-host is at least 17\d\d\d\d s ahead of this machine$/,
        ) as string,
      }),
    );
  });

  it('warns of a clock that differs from the publishers’', async () => {
    const late = createServer((_request, response) => {
      response
        .writeHead(200, { date: new Date(Date.now() - 120_000).toUTCString() })
        .end('{"version":"1"}');
    });
    late.listen(0, '127.0.0.1');
    await once(late, 'listening');
    onTestFinished(() => void late.close());
    const url = `http://127.0.0.1:${(late.address() as AddressInfo).port}`;
    const context = testContext(engine.withDatasets([tinyDataset({ baseUrl: url })]));
    expect(await doctor(context)).toBe(0);
    expect(findingsOf(context, 'clock')).toMatchObject([
      { status: 'warn', detail: expect.stringMatching(/^1(19|2\d)\.\d s off/) as string },
    ]);
  });
});

describe('examineObjects', () => {
  it('fails a store in which two writers create one key', async () => {
    const memory = createMemoryObjectStore();
    onTestFinished(() => memory.dispose());
    const objects = {
      ...memory,
      put: (...[key, body, options]: Parameters<typeof memory.put>) =>
        memory.put(key, body, { ...options, mode: 'replace' }),
    };
    const [roundTrip, , race] = await examineObjects(objects);
    expect(roundTrip).toMatchObject({ status: 'ok' });
    expect(race).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/8 were told that they had won; exactly one may/) as string,
    });
  });

  it('says what was wrong first, not that its traces could not be removed', async () => {
    const memory = createMemoryObjectStore();
    onTestFinished(() => memory.dispose());
    const denied = (doing: string) => () =>
      Promise.reject(new PipelineError('STORE_DENIED', `cannot ${doing} the bucket`));
    const findings = await examineObjects({
      ...memory,
      put: denied('write to'),
      delete: denied('delete from'),
    });
    expect(findings.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('cannot write to the bucket'),
      'listing is allowed',
      expect.stringContaining('cannot write to the bucket'),
    ]);
  });

  it('does not wait for a store that takes everything and answers nothing, and asks it once', async () => {
    const memory = createMemoryObjectStore();
    const asked: string[] = [];
    const put = (key: string) => {
      asked.push(key);
      return new Promise<never>(() => undefined);
    };
    const findings = await examineObjects({ ...memory, put }, { withinMs: 20 });
    expect(findings).toMatchObject([
      { status: 'fail', detail: 'STORE_UNAVAILABLE: it gave no answer within 0.02 s' },
    ]);
    expect(asked).toHaveLength(1);
  });

  it('removes the probes that earlier doctors left behind, and no other’s of this hour', async () => {
    const memory = createMemoryObjectStore();
    const now = new Date().toISOString().replaceAll(':', '-');
    const others = [
      'doctor/5d0c/probe.bin',
      'doctor/2026-01-01T00-00-00.000Z-5d0c/probe.bin',
      `doctor/${now}-5d0c/race.bin`,
    ];
    for (const key of others)
      await memory.put(key, Buffer.from('probe'), { mode: 'create', mediaType: 'text/plain' });
    await examineObjects(memory);
    expect((await toArray(memory.list(''))).map(({ key }) => key)).toEqual(others.slice(2));
    await memory.dispose();
  });

  it('fails a store that gives back other bytes', async () => {
    const memory = createMemoryObjectStore();
    onTestFinished(() => memory.dispose());
    const objects = {
      ...memory,
      get: () =>
        memory.get('nothing').then(() =>
          (async function* () {
            yield await Promise.resolve(Buffer.from('x'));
          })(),
        ),
    };
    expect((await examineObjects(objects))[0]).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('STORE_CORRUPT') as string,
    });
  });
});

describe('examineDocuments', () => {
  it('fails a store that ignores expected versions', async () => {
    const memory = createMemoryDocumentStore();
    const documents = {
      ...memory,
      put: (...[key, body]: Parameters<typeof memory.put>) => memory.put(key, body),
    };
    const [roundTrip, race] = await examineDocuments(documents);
    expect(roundTrip).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('its version had moved on') as string,
    });
    expect(race).toMatchObject({ status: 'fail' });
  });
});

describe('examineNode', () => {
  it.each([
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
    ['18.20.0', 'fail'],
  ])('judges Node.js %s as %s', (version, status) => {
    expect(examineNode(version).status).toBe(status);
  });
});

describe('diskFinding', () => {
  it.each([
    [80e9, 'ok'],
    [5e9, 'ok'],
    [4.9e9, 'warn'],
    [4e8, 'fail'],
  ])('judges %d free bytes as %s', (bytes, status) => {
    expect(diskFinding(bytes).status).toBe(status);
  });
});

describe('examineHome', () => {
  it('looks at the nearest folder that there is', async () => {
    const folder = path.join(engine.home, 'some');
    await mkdir(folder);
    const [home, disk] = await examineHome(path.join(folder, 'new', 'home'));
    expect(home).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('made with the first run') as string,
    });
    expect(disk?.detail).toMatch(/free$/);
  });
});
