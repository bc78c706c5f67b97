import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareVersions } from '../../../src/engine/look/compare-versions.ts';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import type { Manifest } from '../../../src/pipelines/manifest.ts';
import type { OutputDiff, VersionDiff } from '../../../src/pipelines/version-diff.ts';
import { rollUpDays, runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DATE, '2024-03-06']);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function versions(scope = DATE): Promise<[Manifest, Manifest]> {
  const [before, after] = await readVersions(engine, 'tiny', scope);
  return [before!, after!];
}

function output(diff: VersionDiff, step: string, name: string): OutputDiff | undefined {
  return diff.steps.find((one) => one.step === step)?.outputs.find((one) => one.output === name);
}

describe('compareVersions', () => {
  it('follows a revision from the slice to the report', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.publish(DATE, { hours: { 7: 80.25 }, status: 'consolidated' });
    await runDay(engine, 'tiny', DATE, { recheck: true, reason: 'revision' });
    const diff = await compareVersions(engine, ...(await versions()));
    expect(diff).toMatchObject({
      scope: DATE,
      from: { version: 1, verdict: 'ok' },
      to: { version: 2, verdict: 'ok' },
    });
    expect(diff.facts).toEqual([
      { path: 'revision', before: 'provisional', after: 'consolidated' },
    ]);
    expect(diff.steps.map(({ step }) => step)).toEqual([
      'download/readings',
      'transform/readings',
      'metrics/day',
      'metrics/comparison',
      'report/day',
      'report/page',
    ]);
    expect(diff.steps[1]?.why).toMatch(/^input readings changed \(\w{8} → \w{8}\)$/);
    const largest = {
      difference: -94.75,
      before: 175,
      after: 80.25,
      at: { instant_at: '2024-03-05T06:00:00Z' },
    };
    expect(output(diff, 'transform/readings', 'core')?.content).toMatchObject({
      kind: 'table',
      keyColumns: ['instant_at'],
      changed: 24,
      columns: [
        { column: 'value', changed: 1, largest },
        { column: 'status', changed: 24, largest: null },
      ],
    });
    expect(output(diff, 'metrics/day', 'metrics')?.content).toMatchObject({
      kind: 'document',
      changed: 1,
      changes: [{ path: 'sum', difference: -94.75 }],
    });
    expect(output(diff, 'report/page', 'page')?.content).toMatchObject({ kind: 'bytes' });
  });

  it('says that a step was made anew and gave the same bytes', async () => {
    await runDay(engine, 'tiny', DATE);
    const raised = engine.withDatasets([
      tinyDataset({ baseUrl: publisher.url, transformVersion: 2 }),
    ]);
    await runDay(raised, 'tiny', DATE, { offline: true });
    const diff = await compareVersions(raised, ...(await versions()));
    expect(diff.steps).toEqual([
      {
        step: 'transform/readings',
        before: 'done',
        after: 'done',
        why: 'step version 1 became 2',
        outputs: [],
      },
    ]);
    expect(diff.facts).toEqual([]);
  });

  it('tells a part that is gone', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.publish(DATE, { withoutForecast: true });
    publisher.refuse('readings', 500);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.refuse('readings', undefined);
    await runDay(engine, 'tiny', DATE, { fromStep: 'download' });
    const [first, , last] = await readVersions(engine, 'tiny', DATE);
    const withoutForecast = await compareVersions(engine, first!, last!);
    expect(withoutForecast.steps[0]).toMatchObject({
      step: 'download/forecast',
      why: 'input slice is gone',
    });
    expect(output(withoutForecast, 'download/forecast', 'slice')).toMatchObject({
      after: null,
      content: { why: 'is gone' },
    });
    expect(withoutForecast.steps[1]).toMatchObject({
      step: 'transform/readings',
      why: 'input forecast is gone',
    });
  });

  it('shows a step that failed in one version with its code', async () => {
    publisher.refuse('forecast', 404);
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('forecast', undefined);
    await runDay(engine, 'tiny', DATE);
    const [failed, whole] = await versions();
    const diff = await compareVersions(engine, whole, failed);
    expect(diff.to.verdict).toBe('degraded');
    expect(diff.steps[0]).toMatchObject({
      step: 'download/forecast',
      before: 'done',
      after: 'failed',
    });
    expect(diff.steps[0]?.why).toMatch(/^failed, SRC_SHAPE_CHANGED: .*404/);
  });

  it('shows a part that stays as it was because its new request failed, and that it was asked for again', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('forecast', 404);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.refuse('forecast', undefined);
    await runDay(engine, 'tiny', DATE);
    const [first, kept, whole] = await readVersions(engine, 'tiny', DATE);
    const stays = await compareVersions(engine, first!, kept!);
    expect(stays.steps).toMatchObject([
      { step: 'download/forecast', before: 'done', after: 'done', outputs: [] },
    ]);
    expect(stays.steps[0]?.why).toMatch(/^stays as delivered by .*; SRC_SHAPE_CHANGED: .*404/);
    const again = await compareVersions(engine, kept!, whole!);
    expect(again.steps).toMatchObject([
      { step: 'download/forecast', why: 'was asked for again and is the same' },
    ]);
  });

  it('says which file can no longer be compared', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    const [before, after] = await versions();
    const core = before.steps['transform/readings'];
    if (core?.state === 'done') await engine.objects.delete(core.outputs['core']?.key ?? '');
    const diff = await compareVersions(engine, before, after);
    expect(output(diff, 'transform/readings', 'core')?.content).toEqual({
      kind: 'bytes',
      why: 'the earlier file is no longer stored',
    });
  });

  it('compares periods as well, and can be kept as a document', async () => {
    await runDay(engine, 'tiny', DATE);
    await rollUpDays(engine, 'tiny', [DATE]);
    await runDay(engine, 'tiny', '2024-03-06');
    await rollUpDays(engine, 'tiny', ['2024-03-06']);
    const diff = await compareVersions(engine, ...(await versions('2024-03')));
    expect(output(diff, 'rollup/month', 'hours')?.content).toMatchObject({
      kind: 'table',
      added: 24,
      removed: 0,
      changed: 0,
    });
    const key = { table: 'revisions', partition: 'tiny', sort: '2024-03' };
    await engine.documents.put(key, diff);
    expect((await engine.documents.get(key))?.body).toEqual(diff);
  });
});
