import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { executeDownload } from '../../../src/engine/download/execute-download.ts';
import { readLedger } from '../../../src/engine/records/ledger-reader.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { navitiaAnswer } from './city-exports.ts';
import { disruption } from './made-data.ts';

/** Disruptions are read to the last page, over real HTTP. */

const DAY = '2025-11-04';
const SIZE = 4;
const ALL = Array.from({ length: 11 }, (_, index) =>
  disruption({
    id: `d${String(index).padStart(2, '0')}`,
    periods: [['20251104T050000', '20251104T230000']],
  }),
);

let server: Server;
let engine: TestEngine;
/** The page numbers that were asked for. */
let asked: number[];
let misbehave: ((page: number) => { page?: number; items?: readonly object[] }) | undefined;

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  const query = new URL(url ?? '', 'http://portal').searchParams;
  const page = Number(query.get('start_page') ?? 0);
  asked.push(page);
  const wrong = misbehave?.(page) ?? {};
  const items = wrong.items ?? ALL.slice(page * SIZE, (page + 1) * SIZE);
  response
    .writeHead(200, { etag: `"page-${page}"` })
    .end(
      JSON.stringify(
        navitiaAnswer(items, { total: ALL.length, page: wrong.page ?? page, size: SIZE }),
      ),
    );
}

beforeEach(async () => {
  [asked, misbehave] = [[], undefined];
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hosts = { idfm: { url, requestsPerSecond: 1_000, key: 'k' } };
  engine = await openTestEngine(Object.values(configuredDatasets({ cityflow }, hosts)), {
    now: () => new Date('2025-11-05T00:30:00Z'),
  });
});
afterEach(async () => {
  await engine.close();
  server.closeAllConnections();
  server.close();
});

async function ask(force = false) {
  const days = [{ date: DAY, inputs: {} }];
  return executeDownload(
    engine,
    { pipeline: 'cityflow', step: 'download/traffic', days, siblings: {}, force },
    testControl(),
  );
}

async function rowsKept(): Promise<unknown> {
  const entries = (await readLedger(engine.documents, 'cityflow', [DAY])).get(DAY) ?? [];
  return entries.find(({ step }) => step === 'download/traffic')?.facts['rows'];
}

describe('disruptions in pages', () => {
  it('are read to the last one, and the day has all of them', async () => {
    await ask();
    expect(asked).toEqual([0, 1, 2]);
    expect(await rowsKept()).toBe(ALL.length);
    // The pages are gone; what was made of them is kept.
    expect(await readdir(path.join(engine.home, 'downloads'))).toEqual([]);
  });

  it('are asked for as a whole again: the first page says nothing of the others', async () => {
    await ask();
    await ask();
    expect(asked).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('that end too early are truncated, and nothing of them counts', async () => {
    misbehave = (page) => (page === 1 ? { items: [] } : {});
    await expect(ask()).rejects.toMatchObject({
      code: 'SRC_TRUNCATED',
      message: expect.stringContaining('is an empty page, and 7 of 11 items are missing') as string,
    });
    expect(await rowsKept()).toBeUndefined();
  });

  it('that go in circles are refused', async () => {
    misbehave = () => ({ page: 0 });
    await expect(ask()).rejects.toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
      message: expect.stringContaining('has no last page') as string,
    });
    expect(asked).toEqual([0, 1]);
    expect(await readdir(path.join(engine.home, 'downloads'))).toEqual([]);
  });
});
