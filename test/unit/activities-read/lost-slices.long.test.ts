import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { readLedger, readReceipts } from '../../../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { ledgerKey } from '../../../src/pipelines/ledger.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../../src/ports/objects.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';
const NOW = new Date('2024-06-01T12:00:00Z');
const PARTS = ['forecast', 'readings'] as const;

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-02-25', '2024-03-31'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => NOW });
});
afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function newest() {
  return (await readVersions(engine, 'tiny', DATE)).at(-1)!;
}

async function sliceOf(part: string): Promise<ArtefactRef> {
  const state = (await newest()).steps[`download/${part}`];
  if (state?.state !== 'done') throw new Error(`${part} is not done`);
  return state.outputs['slice']!;
}

async function rawOf(part: string): Promise<ArtefactRef> {
  const range = { first: DATE, last: DATE };
  const [receipt] = await readReceipts(
    engine.documents,
    'tiny',
    { id: part, bulkWindow: 'month' },
    range,
  );
  return receipt!.origin.raw;
}

async function isIntact(ref: ArtefactRef): Promise<boolean> {
  return (await engine.objects.inspect(ref)).state === 'intact';
}

describe('a slice that is gone while its raw file is there', () => {
  it.each(PARTS)('is cut again when the publisher of its %s refuses to be asked', async (part) => {
    await runDay(engine, 'tiny', DATE);
    const slice = await sliceOf(part);
    await engine.objects.delete(slice.key);
    publisher.refuse(part, 403);
    const { outcome } = await runDay(engine, 'tiny', DATE);
    expect(outcome.verdict).toBe('degraded');
    expect(await sliceOf(part)).toEqual(slice);
    expect((await newest()).steps[`download/${part}`]).toMatchObject({
      kept: { code: 'SRC_AUTH' },
    });
    expect(await isIntact(slice)).toBe(true);
  });

  it.each(PARTS)('is cut again for each day of a window: %s', async (part) => {
    const dates = datesBetween('2024-03-01', '2024-03-10');
    await runDays(engine, 'tiny', dates);
    const slice = await sliceOf(part);
    await engine.objects.put(slice.key, Buffer.from('other bytes'), {
      mode: 'replace',
      mediaType: slice.mediaType,
    });
    publisher.refuse(part, 403);
    expect((await runDays(engine, 'tiny', dates)).get(DATE)?.verdict).toBe('degraded');
    expect(await isIntact(slice)).toBe(true);
  });

  it.each(PARTS)('is cut again by a run that asks nobody: %s', async (part) => {
    await runDay(engine, 'tiny', DATE);
    const slice = await sliceOf(part);
    await engine.objects.delete(slice.key);
    const asked = publisher.requests.length;
    expect((await runDay(engine, 'tiny', DATE, { offline: true })).outcome.verdict).toBe('ok');
    expect(publisher.requests.slice(asked)).toEqual([]);
    expect(await isIntact(slice)).toBe(true);
    expect((await newest()).version).toBe(1);
  });

  it('is asked for again when its raw file is gone, too, and is lost when the publisher refuses', async () => {
    await runDay(engine, 'tiny', DATE);
    await engine.objects.delete((await sliceOf('readings')).key);
    await engine.objects.delete((await rawOf('readings')).key);
    publisher.refuse('readings', 403);
    expect((await runDay(engine, 'tiny', DATE)).outcome.verdict).toBe('failed');
    publisher.refuse('readings', undefined);
    expect((await runDay(engine, 'tiny', DATE)).outcome.verdict).toBe('ok');
  });
});

describe('an answer whose ledger entry never reached the store', () => {
  async function lose(part: string): Promise<void> {
    await runDay(engine, 'tiny', DATE);
    const step: StepId = `download/${part}`;
    const entry = (await readLedger(engine.documents, 'tiny', [DATE]))
      .get(DATE)
      ?.find((one) => one.step === step);
    await engine.documents.delete(ledgerKey('tiny', DATE, step, entry!.key));
  }

  it.each(PARTS)('counts as no answer, and its day is made: %s', async (part) => {
    await lose(part);
    expect((await runDay(engine, 'tiny', DATE)).outcome.verdict).toBe('ok');
    expect((await runDay(engine, 'tiny', DATE)).plan.upToDate).toBe(true);
  });

  it.each(PARTS)('is cut again from its raw file by a run that asks nobody: %s', async (part) => {
    await lose(part);
    const slice = await sliceOf(part);
    const asked = publisher.requests.length;
    expect((await runDay(engine, 'tiny', DATE, { offline: true })).outcome.verdict).toBe('ok');
    expect(publisher.requests.slice(asked)).toEqual([]);
    expect(await sliceOf(part)).toEqual(slice);
    expect((await newest()).version).toBe(1);
    expect((await runDay(engine, 'tiny', DATE, { offline: true })).plan.upToDate).toBe(true);
  });

  it('is cut again in a window that asks nobody', async () => {
    await lose('readings');
    const slice = await sliceOf('readings');
    expect((await runDays(engine, 'tiny', [DATE], { offline: true })).get(DATE)?.verdict).toBe(
      'ok',
    );
    expect(await sliceOf('readings')).toEqual(slice);
    expect((await runDays(engine, 'tiny', [DATE], { offline: true })).size).toBe(0);
  });

  it('leaves the part out of a run that asks nobody when its raw file is gone, too', async () => {
    await lose('forecast');
    await engine.objects.delete((await rawOf('forecast')).key);
    const { plan } = await runDay(engine, 'tiny', DATE, { offline: true });
    expect(plan.steps.find(({ step }) => step === 'download/forecast')).toMatchObject({
      action: 'skip',
    });
  });

  it.each(PARTS)('has nothing that stays when it cannot be cut again: %s', async (part) => {
    await lose(part);
    await engine.objects.delete((await sliceOf(part)).key);
    const put: TestEngine['objects']['put'] = (key, ...rest) =>
      key.startsWith('slices/')
        ? Promise.reject(new PipelineError('STORE_UNAVAILABLE', 'it does as the test says'))
        : engine.objects.put(key, ...rest);
    const objects = new Proxy(engine.objects, {
      get(target, name) {
        const member: unknown = name === 'put' ? put : Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const { state } = await runDay({ ...engine, objects }, 'tiny', DATE, { offline: true });
    expect(state[`download/${part}`]).toMatchObject({ state: 'failed', code: 'STORE_UNAVAILABLE' });
  });

  it.each(PARTS)('keeps no window from being made: %s', async (part) => {
    await lose(part);
    const dates = datesBetween('2024-03-01', '2024-03-10');
    const outcomes = await runDays(engine, 'tiny', dates);
    expect([...outcomes.values()].map(({ verdict }) => verdict)).toEqual(dates.map(() => 'ok'));
    expect((await runDays(engine, 'tiny', dates)).size).toBe(0);
  });
});
