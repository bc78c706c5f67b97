import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { openAnnouncements } from '../../../src/engine/publish/announcements.ts';
import { mendPeriods } from '../../../src/engine/derive/mend-periods.ts';
import { verify } from '../../../src/cli/look/verify.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Scope, StepId } from '../../../src/pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../../src/ports/objects.ts';
import { collect } from '../../conformance/byte-streams.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { createRemoteStores, openRemoteEngine } from '../../fixtures/remote-engine.ts';
import type { RemoteEngine, RemoteStores } from '../../fixtures/remote-engine.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { testControl } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * Bytes that were flipped below a remote store, which goes on to tell the size and the hash that
 * they were written with: only a reader finds them.
 */

const DATES = datesBetween('2024-01-01', '2024-01-03');
const DAY = '2024-01-02';
const MONTH = '2024-01';
const RECORD = { table: 'tiny-records', partition: 'metrics', sort: DAY };

let publisher: TinyPublisher;
let remote: RemoteStores;
let engine: RemoteEngine;

/** The tiny pipeline, whose metrics are records, too. */
function recorded(): Dataset {
  const dataset = tinyDataset({ baseUrl: publisher.url });
  const { definition } = dataset;
  const steps = definition.steps.map((step) => {
    if (step.id !== 'metrics/day') return step;
    const [[name, output] = ['', undefined]] = Object.entries(step.outputs);
    if (output === undefined) throw new Error('metrics/day has no output');
    const recordAs = { table: RECORD.table, partition: RECORD.partition, under: 'metrics' };
    return { ...step, outputs: { ...step.outputs, [name]: { ...output, recordAs } } };
  });
  return { ...dataset, definition: { ...definition, steps } };
}

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  remote = createRemoteStores();
  // It believes what the objects were written with, as S3 does.
  const told = storeWith(remote.objects, {
    inspect: async ({ key }) => ({
      state: (await remote.objects.head(key)) === undefined ? 'missing' : 'intact',
    }),
  });
  engine = await openRemoteEngine({ ...remote, objects: told }, [recorded()], {
    now: () => new Date('2024-03-01T00:00:00Z'),
  });
  await runDays(engine, 'tiny', DATES);
  await rollUpDays(engine, 'tiny', DATES);
});
afterEach(async () => {
  await engine.close();
  await remote.dispose();
  await publisher.close();
});

async function outputOf(scope: Scope, step: StepId): Promise<ArtefactRef> {
  const state = (await newestManifests(engine.documents, 'tiny', [scope])).get(scope)?.steps[step];
  const [ref] = state?.state === 'done' ? Object.values(state.outputs) : [];
  if (ref === undefined) throw new Error(`${step} of ${scope} has no output`);
  return ref;
}

async function flipByte(key: string): Promise<void> {
  const bytes = await collect(await remote.objects.get(key));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await remote.objects.put(key, bytes, { mediaType: 'application/octet-stream', mode: 'replace' });
}

async function told(from: string, repair?: boolean) {
  const context = testContext(engine);
  const exit = await verify(context, {
    pipeline: 'tiny',
    from,
    ...(repair === undefined ? {} : { repair }),
  });
  return { exit, notes: context.terminal.notes.join('\n'), text: context.terminal.text() };
}

/** Nothing else sees it, verify does, and what verify names mends it. */
async function isMended(scope: Scope): Promise<void> {
  expect(
    (await runDay(engine, 'tiny', DAY, { offline: true })).plan.upToDate || scope === MONTH,
  ).toBe(true);
  const found = await told(scope);
  expect(found).toMatchObject({
    exit: 1,
    notes: expect.stringContaining(`verify tiny ${scope} --repair`) as string,
  });
  expect(await told(scope, true)).toMatchObject({
    exit: 0,
    text: expect.stringContaining('made again') as string,
  });
  expect((await told(scope)).exit).toBe(0);
}

describe('verify --repair', () => {
  it.each<StepId>(['download/readings', 'transform/readings', 'metrics/day', 'report/day'])(
    'makes the output of %s again, without asking anybody',
    async (step) => {
      await runDay(engine, 'tiny', DAY, { offline: true });
      await flipByte((await outputOf(DAY, step)).key);
      const asked = publisher.requests.length;
      await isMended(DAY);
      expect(publisher.requests.length).toBe(asked);
    },
  );

  it('puts a published name right', async () => {
    await runDay(engine, 'tiny', DAY, { offline: true });
    await flipByte(`reports/tiny/daily_report_${DAY}.csv`);
    await isMended(DAY);
  });

  it('puts a record right, with a member changed or gone as a whole', async () => {
    await runDay(engine, 'tiny', DAY, { offline: true });
    const { body } = (await remote.documents.get(RECORD))!;
    await remote.documents.put(RECORD, { ...body, sum: -1 });
    await isMended(DAY);
    expect((await remote.documents.get(RECORD))?.body).toEqual(body);
    await remote.documents.delete(RECORD);
    await isMended(DAY);
    expect((await remote.documents.get(RECORD))?.body).toEqual(body);
  });

  it('makes the table of a month again', async () => {
    await flipByte((await outputOf(MONTH, 'rollup/month')).key);
    await isMended(MONTH);
  });

  it('says who can help where the raw file is damaged, and that run does', async () => {
    const [origin] = (await newestManifests(engine.documents, 'tiny', [DAY])).get(DAY)!.origins;
    await flipByte(origin!.raw.key);
    await flipByte((await outputOf(DAY, 'download/readings')).key);
    const { exit, text } = await told(DAY, true);
    expect([exit, text]).toEqual([
      3,
      expect.stringContaining(`quotidien run tiny ${DAY} --from-step download/readings`),
    ]);
    await runDay(engine, 'tiny', DAY, { fromStep: 'download/readings' });
    expect((await told(DAY)).exit).toBe(0);
  });
});

describe('verify while the document store is away', () => {
  it('says nothing, whatever this host remembers of the records', async () => {
    engine.outages.documents.code = 'STORE_UNAVAILABLE';
    const refused = { code: 'STORE_UNAVAILABLE' };
    await expect(
      verifyDays(engine, testControl(), { pipeline: 'tiny', dates: DATES }),
    ).rejects.toMatchObject(refused);
    await expect(verifyPeriod(engine, testControl(), 'tiny', MONTH)).rejects.toMatchObject(refused);
  });
});

describe('a backfill with nothing to make', () => {
  it('has a period made again whose own table is damaged', async () => {
    const before = await outputOf(MONTH, 'rollup/month');
    await remote.objects.delete(before.key);
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
    await mendPeriods(engine, 'tiny', { from: '2024-01-01', to: '2024-12-31' });
    const dates = (await openAnnouncements(engine.documents, 'tiny')).map(({ scope }) => scope);
    expect(dates).toEqual(['2024-01-01']);
    await rollUpDays(engine, 'tiny', dates);
    expect(await remote.objects.head(before.key)).toBeDefined();
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
  });
});
