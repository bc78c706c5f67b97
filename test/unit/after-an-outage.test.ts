import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitDays } from '../../src/engine/commit/commit-manifest.ts';
import { markDegraded } from '../../src/engine/records/degraded.ts';
import type { HeardChanges } from '../../src/engine/contract.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { rollUpPeriods } from '../../src/engine/upkeep/roll-up-periods.ts';
import { executeStep } from '../../src/engine/execute/execute-step.ts';
import {
  closeAnnouncements,
  hearAnnouncements,
} from '../../src/engine/derive/hear-announcements.ts';
import {
  newestManifests,
  readDeliveries,
  readLedger,
  readManifests,
} from '../../src/engine/records/ledger-reader.ts';
import { keepByName } from '../../src/engine/download/raw-names.ts';
import { SILENT } from '../../src/engine/in-pages.ts';
import { resolveDay, resolveWindow } from '../../src/engine/plan/resolve-plan.ts';
import { stalePeriods } from '../../src/engine/derive/stale-periods.ts';
import type { StepId } from '../../src/pipelines/vocabulary.ts';
import { PipelineError } from '../../src/errors.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../src/storage/memory/memory.ts';
import type { DocumentStore } from '../../src/ports/documents.ts';
import { collectText, toArray } from '../conformance/byte-streams.ts';
import { runDay } from '../fixtures/run-day.ts';
import { openOutageHost } from '../fixtures/outage-host.ts';
import type { Host } from '../fixtures/outage-host.ts';
import { testControl } from '../fixtures/test-engine.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const DATE = '2026-03-02';

let objects: MemoryObjectStore;
let documents: DocumentStore;
let publisher: TinyPublisher;
let clock: Date;
const closings: (() => Promise<void>)[] = [];

beforeEach(async () => {
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  publisher = await startTinyPublisher([DATE]);
  clock = new Date('2026-03-04T10:00:00Z');
});
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await publisher.close();
  await objects.dispose();
});

async function openHost(name = 'alone'): Promise<Host> {
  const host = await openOutageHost(
    { objects, documents, publisherUrl: publisher.url, now: () => clock },
    name,
  );
  closings.push(() => host.close());
  return host;
}

async function runAway(host: Host, store: 'all' | 'objects'): Promise<void> {
  await host.cutOff(store);
  await runDay(host.engine, 'tiny', DATE);
  await markDegraded(host.engine, testControl(), 'tiny', [DATE], 'a store was away');
  await host.cutOff('none');
}

/** What the published report of the day says. */
async function report(): Promise<string | undefined> {
  const [name] = (await toArray(objects.list('reports/tiny/daily_report')))
    .map(({ key }) => key)
    .filter((key) => key.includes(DATE));
  return name === undefined ? undefined : collectText(await objects.get(name));
}

describe('a day that two hosts made because one of them was cut off', () => {
  it.each([
    ['the other host', true],
    ['the host that was cut off', false],
  ])('needs no decision, and is what %s was given last', async (_, otherIsLater) => {
    const [alone, other] = [await openHost(), await openHost('other')];
    const runs = [() => runAway(alone, 'all'), () => runDay(other.engine, 'tiny', DATE)];
    for (const run of otherIsLater ? runs : runs.toReversed()) {
      await run();
      clock = new Date(clock.getTime() + 3_600_000);
      publisher.publish(DATE, { add: 1_000 });
    }
    const { again, converged, conflicts } = await alone.reconcile();
    expect({ again, converged, conflicts }).toEqual({
      again: { tiny: [DATE] },
      converged: true,
      conflicts: 0,
    });
    const manifest = (await newestManifests(documents, 'tiny', [DATE])).get(DATE)!;
    const calm = await openHost('third');
    const plan = await runDay(calm.engine, 'tiny', DATE, { offline: true });
    expect(plan.plan.upToDate).toBe(true);
    expect(manifest.version).toBe(otherIsLater ? 1 : 2);
    expect(await report()).toContain('max;1332\n');
  });
});

describe('a day that went on without a part because a store did not answer', () => {
  it('is run again once the store is there, and has the part then', async () => {
    const host = await openHost();
    const put: Engine['objects']['put'] = (key, body, options) => {
      if (key.includes('/forecast/'))
        throw new PipelineError('STORE_UNAVAILABLE', 'it does as the test says');
      return host.engine.objects.put(key, body, options);
    };
    const broken = new Proxy(host.engine.objects, {
      get(target, name) {
        const member: unknown = name === 'put' ? put : Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    await host.cutOff('all');
    await runDay({ ...host.engine, objects: broken }, 'tiny', DATE);
    await markDegraded(host.engine, testControl(), 'tiny', [DATE], 'a store was away');
    await host.cutOff('none');
    const stateOf = async () => {
      const manifest = (await newestManifests(host.engine.documents, 'tiny', [DATE])).get(DATE);
      return manifest?.steps['download/forecast'];
    };
    expect(await stateOf()).toMatchObject({ state: 'failed', code: 'STORE_UNAVAILABLE' });
    expect(await host.reconcile()).toMatchObject({ again: { tiny: [DATE] }, converged: true });
    expect(await stateOf()).toMatchObject({ state: 'done' });
    expect(await host.reconcile()).toMatchObject({ again: {}, converged: true });
  });
});

describe('a host that knows of a version, and without its document store not of all that it was made from', () => {
  /** What the newest version has of the part. */
  const slicesOf = async () => {
    const { steps } = (await newestManifests(documents, 'tiny', [DATE])).get(DATE)!;
    return [steps['download/readings'], steps['download/forecast']];
  };
  const offline = { offline: true };

  it.each(['offline', 'asking the publisher, who refuses'])(
    'leaves out no part whose answers it has never seen, %s',
    async (how) => {
      const [knowsLess, other] = [await openHost(), await openHost('other')];
      await runDay(other.engine, 'tiny', DATE);
      await readManifests(knowsLess.engine.documents, 'tiny', [DATE]);
      await readLedger(knowsLess.engine.documents, 'tiny', [DATE]);
      for (const part of ['readings', 'forecast'] as const) publisher.refuse(part, 403);
      await knowsLess.cutOff('documents');
      const { outcome } = await runDay(
        knowsLess.engine,
        'tiny',
        DATE,
        how === 'offline' ? offline : { recheck: true },
      );
      expect(outcome.verdict).toBe(how === 'offline' ? 'ok' : 'degraded');
      await knowsLess.cutOff('none');
      const before = await slicesOf();
      await knowsLess.reconcile();
      expect(await slicesOf()).toMatchObject(before);
    },
  );

  it('does not go back to an answer before the one that the version is made of', async () => {
    const [knowsLess, other] = [await openHost(), await openHost('other')];
    const { name, parts } = tinyDataset({ baseUrl: publisher.url }).definition;
    await runDay(other.engine, 'tiny', DATE);
    await readDeliveries(knowsLess.engine.documents, { name, parts }, [DATE]);
    publisher.publish(DATE, { add: 1_000 });
    expect(await runDay(other.engine, 'tiny', DATE, { recheck: true })).toMatchObject({
      version: 2,
    });
    await readManifests(knowsLess.engine.documents, 'tiny', [DATE]);
    await readLedger(knowsLess.engine.documents, 'tiny', [DATE]);
    await knowsLess.cutOff('documents');
    expect(await runDay(knowsLess.engine, 'tiny', DATE, offline)).toMatchObject({
      plan: { upToDate: true },
      version: 2,
    });
  });

  it('leaves a step to another host whose inputs that host has recorded meanwhile, and the commit too', async () => {
    const [knowsLess, other] = [await openHost(), await openHost('other')];
    await knowsLess.cutOff('documents');
    const { state, outcome } = await runDay(other.engine, 'tiny', DATE);
    const readings = state['download/readings'];
    const key = readings?.state === 'done' ? readings.key : '';
    const days = [{ date: DATE, inputs: { readings: key } }];
    const step = {
      pipeline: 'tiny',
      step: 'transform/readings',
      days,
      siblings: {},
      force: false,
    } as const;
    const away = {
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('this host') as string,
    };
    await expect(executeStep(knowsLess.engine, step, testControl())).rejects.toMatchObject(away);
    const commit = {
      pipeline: 'tiny',
      reason: 'manual',
      days: [{ outcome, state, decisions: [] }],
    } as const;
    await expect(commitDays(knowsLess.engine, testControl(), commit)).rejects.toMatchObject(away);
  });

  it('plans nothing while it does not even know what was delivered, and all of it when the store is back', async () => {
    const [knowsLess, other] = [await openHost(), await openHost('other')];
    await runDay(other.engine, 'tiny', DATE);
    await readManifests(knowsLess.engine.documents, 'tiny', [DATE]);
    await knowsLess.cutOff('documents');
    const request = { pipeline: 'tiny', dates: [DATE], options: {} };
    await expect(resolveDay(knowsLess.engine, request)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await resolveWindow(knowsLess.engine, request)).toMatchObject({
      days: [],
      careful: [
        { date: DATE, why: expect.stringMatching(/^STORE_UNAVAILABLE: version 1 of/) as string },
      ],
    });
    await knowsLess.cutOff('none');
    expect(await resolveDay(knowsLess.engine, request)).toMatchObject({ plan: { upToDate: true } });
  });
});

describe('a period that a host made while its writes were waiting', () => {
  const MONTH: StepId = 'rollup/month';
  const HISTORY: StepId = 'rollup/history';

  const make = (host: Host, step: StepId) =>
    rollUpPeriods(
      host.engine,
      { pipeline: 'tiny', step, periods: [step === MONTH ? '2026-03' : 'all'] },
      testControl(),
    );
  const hear = ({ engine }: Host) => hearAnnouncements(engine, SILENT, 'tiny', []);
  const close = ({ engine }: Host, { heard }: Pick<HeardChanges, 'heard'>) =>
    closeAnnouncements(engine, testControl(), 'tiny', heard, []);

  /** What the rollup does when it is woken, all of it on one host. */
  async function settle(host: Host): Promise<void> {
    const { engine } = host;
    const work = await hear(host);
    for (const { step, periods } of work.rollups)
      await rollUpPeriods(engine, { pipeline: 'tiny', step, periods }, testControl());
    await close(host, work);
  }

  /**
   * A host whose writes wait, although it sees the stores; and another one, on which a new version
   * of the day has been announced.
   */
  async function waitingHost(): Promise<[Host, Host]> {
    const [waiting, other] = [await openHost(), await openHost('other')];
    await runDay(other.engine, 'tiny', DATE);
    await settle(other);
    await waiting.cutOff('documents');
    await waiting.engine.documents.put({ table: 'plans', partition: 'tiny', sort: 'any' }, {});
    await waiting.cutOff('none');
    publisher.publish(DATE, { add: 1_000 });
    expect(await runDay(other.engine, 'tiny', DATE, { recheck: true })).toMatchObject({
      version: 2,
    });
    return [waiting, other];
  }

  const stale = ({ engine }: Host) => stalePeriods(engine, 'tiny', [DATE]);

  it('has what others made without it made again after the replay', async () => {
    const [waiting, other] = await waitingHost();
    const work = await hear(other);
    await make(waiting, MONTH);
    await make(other, HISTORY);
    await close(other, work);
    expect(await waiting.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    expect(await stale(other)).toMatchObject([{ period: 'all' }]);
    await settle(other);
    expect(await stale(other)).toEqual([]);
    expect((await hear(other)).heard).toEqual([]);
  });

  it('is told of also when a rebuild that heard of its days before ends after the replay', async () => {
    const [waiting, other] = await waitingHost();
    const work = await hear(other);
    await make(waiting, MONTH);
    await make(other, HISTORY);
    expect(await waiting.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    await close(other, work);
    await settle(other);
    expect(await stale(other)).toEqual([]);
  });

  it('is made after all when that host did not know of its days', async () => {
    const [knowsNothing, other] = [await openHost(), await openHost('other')];
    await runDay(other.engine, 'tiny', DATE);
    const work = await hear(other);
    await knowsNothing.cutOff('documents');
    for (const step of [MONTH, HISTORY])
      expect((await make(knowsNothing, step)).periods).toMatchObject([{ how: 'empty' }]);
    await close(other, work);
    await knowsNothing.cutOff('none');
    await knowsNothing.reconcile();
    await settle(other);
    expect([...(await newestManifests(documents, 'tiny', ['2026-03', 'all'])).keys()]).toEqual([
      '2026-03',
      'all',
    ]);
  });
});

describe('raw files with names that other programs know', () => {
  it('are kept beside the name while nobody can tell what has it, and replace nothing', async () => {
    const host = await openHost();
    const name = 'raw/api/bikes/bikes_data.json';
    const bytes = { bytes: Buffer.from('ours'), rows: 1 };
    await objects.put(name, Buffer.from('theirs'), {
      mode: 'create',
      mediaType: 'application/json',
    });
    await host.cutOff('objects');
    await keepByName(host.engine.objects, name, bytes, 'application/json');
    await host.cutOff('none');
    expect(await host.reconcile()).toMatchObject({ converged: true, conflicts: 0 });
    const kept = await toArray(objects.list('raw/'));
    expect(
      await Promise.all(kept.map(async ({ key }) => collectText(await objects.get(key)))),
    ).toEqual(['ours', 'theirs']);
  });
});
