import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probePublisher } from '../../../src/engine/watch/probe-publisher.ts';
import { readDeliveries } from '../../../src/engine/records/ledger-reader.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import type { DayPlan } from '../../../src/pipelines/planned-step.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay, runDays, settleDerived } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DATES = datesBetween('2026-05-04', '2026-05-14');
const CHANGED = '2026-05-06';
const DATASET = 'eco2mix-national-tr';

let portal: Portal;
let engine: TestEngine;

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-05-20T10:00:00Z') });
  const datasets: readonly Dataset[] = Object.values(
    configuredDatasets({ eco2mix }, { odre: { url: portal.url } }),
  );
  engine = await openTestEngine(datasets);
  await runDays(engine, 'eco2mix', DATES);
});

afterAll(async () => {
  await engine.close();
  await portal.close();
});

async function plan(): Promise<DayPlan[]> {
  return (await planFromStores(engine, eco2mix.definition, DATES, {})).plans;
}

/** What runs, as `date step`; the page is never there after a window, so it is left out. */
function running(plans: readonly DayPlan[]): string[] {
  return plans.flatMap(({ date, steps }) =>
    steps
      .filter(({ action, step }) => action === 'run' && step !== 'report/page')
      .map(({ step }) => `${date} ${step}`),
  );
}

describe('the plan of a range', () => {
  it('says that nothing runs when nothing changed', async () => {
    expect(running(await plan())).toEqual([]);
  });

  it('says exactly what one revised value changes, and exactly that runs', async () => {
    portal.revise({ dataset: DATASET, from: CHANGED, to: CHANGED, salt: 1 });
    await probePublisher(engine, 'eco2mix', [CHANGED], testControl());
    const foreseen = running(await plan());
    expect(foreseen).toEqual([
      `${CHANGED} transform/national`,
      `${CHANGED} metrics/national`,
      `${CHANGED} metrics/comparison`,
      `${CHANGED} report/national`,
      '2026-05-07 metrics/comparison',
      '2026-05-07 report/national',
      '2026-05-13 metrics/comparison',
      '2026-05-13 report/national',
    ]);
    const { state } = await runDay(engine, 'eco2mix', CHANGED);
    const ran = Object.entries(state).flatMap(([step, one]) =>
      one.state === 'done' && one.how === 'ran' ? [step] : [],
    );
    expect(ran).toEqual([
      'transform/national',
      'metrics/national',
      'metrics/comparison',
      'report/national',
      'report/page',
    ]);
    await settleDerived(engine, 'eco2mix', [CHANGED]);
    expect(running(await plan())).toEqual([]);
  });

  it('stops at the slice when a changed file holds the same rows of the day', async () => {
    // Other columns order and another ETag: other raw bytes, and the rows are the same.
    const undo = portal.behave({ kind: 'etag', mode: 'volatile' });
    portal.revise({ dataset: DATASET, from: '2026-05-15', to: '2026-05-15', salt: 2 });
    await probePublisher(engine, 'eco2mix', DATES, testControl());
    undo();
    expect(running(await plan())).toEqual([]);
  });

  it('says which raw file on the disk no longer matches, and runs only its download', async () => {
    const deliveries = await readDeliveries(engine.documents, eco2mix.definition, ['2026-05-05']);
    const raw = deliveries.get('tr')?.get('2026-05-05')?.raw.key ?? '';
    await appendFile(path.join(engine.home, 'store', raw), 'tampered\n');
    const plans = await plan();
    const damaged = plans.flatMap(({ steps }) =>
      steps.filter(({ reason }) => reason.includes('no longer matches')),
    );
    expect(new Set(damaged.map(({ step, action }) => `${action} ${step}`))).toEqual(
      new Set(['run download/tr']),
    );
    const { state } = await runDay(engine, 'eco2mix', '2026-05-05');
    expect(state['transform/national']).toMatchObject({ state: 'done', how: 'reused' });
  });
});
