import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { PipelineError } from '../../../src/errors.ts';
import { parseArchiveName } from '../../../src/datasets/enedis/decode/archive-name.ts';
import { executeDownload } from '../../../src/engine/download/execute-download.ts';
import { readReceipts } from '../../../src/engine/records/ledger-reader.ts';
import { ARRIVAL_TABLE } from '../../../src/engine/sources/arrivals.ts';
import type { Arrival } from '../../../src/engine/sources/arrivals.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import type { SqlEngine } from '../../../src/ports/sql.ts';
import { enedisAt, startDistributor } from '../../fixtures/enedis-server.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

const DATES = daysOf('R151');
const [FIRST = '', SECOND = ''] = DATES;
const STEP = { pipeline: 'enedis', step: 'download/r151', siblings: {}, force: false } as const;

let server: SftpServer;
let engine: TestEngine;

beforeEach(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
});

afterEach(async () => {
  await engine.close();
  await server.close();
});

function daysOf(flux: string): string[] {
  const names = octoberArchives().map(({ name }) => parseArchiveName(name));
  const days = names.flatMap((name) => ('other' in name || name.flux !== flux ? [] : [name.date]));
  return [...new Set(days)].sort();
}

async function download(on: TestEngine, dates: readonly string[]) {
  const days = dates.map((date) => ({ date, inputs: {} }));
  return (await executeDownload(on, { ...STEP, days }, testControl())).days;
}

/** The engine with a count of its SQL sessions. */
function counting(on: TestEngine): { readonly engine: TestEngine; sessions: number } {
  const counted = { engine: on, sessions: 0 };
  const session: SqlEngine['session'] = (work, options) => {
    counted.sessions += 1;
    return on.sql!.session(work, options);
  };
  counted.engine = { ...on, sql: { session } };
  return counted;
}

/** The pipeline whose slices are cut by another function. */
function cutBy(slice: (own: Dataset['slice']) => Dataset['slice']): TestEngine {
  const datasets = enedisAt(server).map((dataset) => ({
    ...dataset,
    slice: slice((task, sql) => dataset.slice(task, sql)),
  }));
  return engine.withDatasets(datasets);
}

function keysOf(days: Awaited<ReturnType<typeof download>>): Record<string, string | undefined> {
  return Object.fromEntries(
    days.map((day) => [day.date, 'key' in day ? day.key : day.failure.code]),
  );
}

async function receipts() {
  const part = { id: 'r151', bulkWindow: 'month' } as const;
  const found = await readReceipts(engine.documents, 'enedis', part, {
    first: FIRST,
    last: DATES.at(-1)!,
  });
  // Keys of raw files are random, so are their hashes.
  return found.map(({ window, days, rows, origin: { url, raw } }) => ({
    window,
    days,
    rows,
    url,
    bytes: raw.bytes,
  }));
}

async function journal(): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  for await (const { body } of engine.documents.query<Arrival>({
    table: ARRIVAL_TABLE,
    partition: 'enedis/r151',
  }))
    arrivals.push(body);
  return arrivals;
}

describe('days that nothing is known of', () => {
  it('are cut together, with the keys, receipts and journal that each alone gives', async () => {
    const alone = await openTestEngine(enedisAt(server));
    const ofEach = [];
    for (const date of DATES) ofEach.push(...(await download(alone, [date])));
    const counted = counting(engine);
    const together = await download(counted.engine, DATES);
    expect(counted.sessions).toBe(1);
    expect(keysOf(together)).toEqual(keysOf(ofEach));
    const own = await receipts();
    expect((await journal()).filter(({ state }) => state === 'landed')).toHaveLength(DATES.length);
    const other = engine;
    engine = alone;
    expect(own).toEqual(await receipts());
    expect(own.map(({ days }) => Object.keys(days))).toEqual(DATES.map((date) => [date]));
    await other.close();
  });

  it('fail alone where one of them cannot be cut', async () => {
    const poor = cutBy((own) => (task, sql) => {
      if (task.days.some(({ date }) => date === SECOND))
        throw new PipelineError('SRC_SHAPE_CHANGED', 'it is strange');
      return own(task, sql);
    });
    await expect(download(poor, DATES)).rejects.toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
    expect((await receipts()).flatMap(({ days }) => Object.keys(days))).toEqual([FIRST]);
    // What was kept and is not in the journal is fetched and made again.
    expect(Object.keys(keysOf(await download(engine, DATES)))).toEqual(DATES);
    expect((await receipts()).flatMap(({ days }) => Object.keys(days))).toEqual(DATES);
  });

  it('are made once more from all that is kept where another run delivered one of them meanwhile', async () => {
    let overtaken = false;
    const slow = cutBy((own) => async (task, sql) => {
      if (!overtaken) {
        overtaken = true;
        await download(engine, [SECOND]);
      }
      return own(task, sql);
    });
    const counted = counting(slow);
    const days = await download(counted.engine, DATES);
    // That of the other run is not counted: the days together, and the one by itself.
    expect(counted.sessions).toBe(2);
    expect(days.map((day) => 'failure' in day)).toEqual(DATES.map(() => false));
    expect((await receipts()).flatMap(({ days: of }) => Object.keys(of))).toEqual(DATES);
  });
});
