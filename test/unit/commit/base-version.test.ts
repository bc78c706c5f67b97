import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitDays } from '../../../src/engine/commit/commit-manifest.ts';
import type { CommitRequest } from '../../../src/engine/contract.ts';
import type { StepControl } from '../../../src/engine/engine.ts';
import { executeRollup } from '../../../src/engine/derive/execute-rollup.ts';
import { readManifests } from '../../../src/engine/records/ledger-reader.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { resolveWindow } from '../../../src/engine/plan/resolve-plan.ts';
import type { Manifest } from '../../../src/pipelines/manifest.ts';
import type { Scope } from '../../../src/pipelines/vocabulary.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/** A manifest version is created on the version that its plan was made from, and on no other. */

const DATE = '2024-03-05';
const NEXT = '2024-03-06';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher([DATE, NEXT]);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function control(runId: string): StepControl {
  return { ...testControl(), execution: { workflowId: 'test', runId, attempt: 1 } };
}

async function versions(scope: Scope = DATE): Promise<Manifest[]> {
  return (await readManifests(engine.documents, 'tiny', [scope])).get(scope) ?? [];
}

/** What a window of this one day would commit if it had been planned now. */
async function plannedCommit(): Promise<CommitRequest> {
  const { days } = await resolveWindow(engine, {
    pipeline: 'tiny',
    dates: [DATE],
    options: { offline: true },
  });
  const [newest] = (await versions()).slice(-1);
  const state = Object.fromEntries(
    Object.entries(newest?.steps ?? {}).map(([step, one]) => [
      step,
      one.state === 'done' ? { state: 'done', key: one.key, how: 'ran', empty: false } : one,
    ]),
  );
  const base = days[0]?.base ?? newest?.version ?? 0;
  const outcome = { date: DATE, verdict: 'ok' as const };
  return {
    pipeline: 'tiny',
    reason: 'backfill',
    days: [{ outcome, state, decisions: [], base }],
  } as CommitRequest;
}

/** The documents of the engine, but `between` happens before the first manifest is created. */
function interrupted(documents: DocumentStore, between: () => Promise<void>): DocumentStore {
  let pending: (() => Promise<void>) | undefined = between;
  return new Proxy(documents, {
    get(target, name: keyof DocumentStore) {
      if (name !== 'createMany')
        return (target[name] as (...args: unknown[]) => unknown).bind(target);
      return async (many: Parameters<DocumentStore['createMany']>[0]) => {
        const run = many.some(({ key }) => key.table === 'manifests') ? pending : undefined;
        if (run !== undefined) pending = undefined;
        await run?.();
        return target.createMany(many);
      };
    },
  });
}

describe('a commit', () => {
  it('refuses a day whose manifest has moved, and leaves what the other run has committed', async () => {
    await runDay(engine, 'tiny', DATE);
    const late = await plannedCommit();
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true, control: control('operator') });
    const result = await commitDays(engine, control('window'), late);
    expect(result).toMatchObject({ days: [], affecting: [], conflicting: [DATE] });
    expect((await versions()).map(({ version, run }) => [version, run.runId])).toEqual([
      [1, 'test-run'],
      [2, 'operator'],
    ]);
  });

  it('refuses it also when the other run creates the version between its look and its write', async () => {
    await runDay(engine, 'tiny', DATE);
    const [old] = (await plannedCommit()).days;
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.publish(DATE, { add: 2 });
    const documents = interrupted(engine.documents, async () => {
      await runDay(engine, 'tiny', DATE, { recheck: true, control: control('operator') });
    });
    const late = { pipeline: 'tiny', reason: 'backfill', days: [{ ...old!, base: 2 }] } as const;
    expect(await commitDays({ ...engine, documents }, control('window'), late)).toMatchObject({
      conflicting: [DATE],
    });
    expect((await versions()).map(({ run }) => run.runId)).toEqual([
      'test-run',
      'test-run',
      'operator',
    ]);
  });

  it('of a run without a base takes the newest version, but never one that came after its look', async () => {
    await runDay(engine, 'tiny', DATE);
    const { days, ...rest } = await plannedCommit();
    publisher.publish(DATE, { add: 1 });
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.publish(DATE, { add: 2 });
    const documents = interrupted(engine.documents, async () => {
      await runDay(engine, 'tiny', DATE, { recheck: true, control: control('operator') });
    });
    const old = {
      ...rest,
      days: days.map(({ outcome, state, decisions }) => ({ outcome, state, decisions })),
    };
    expect(await commitDays({ ...engine, documents }, control('old'), old)).toMatchObject({
      conflicting: [DATE],
    });
    expect(await versions()).toHaveLength(3);
  });

  it('tells of its own version again when its first answer was lost', async () => {
    await runDay(engine, 'tiny', DATE, { control: control('mine') });
    const [made] = await versions();
    const request = await plannedCommit();
    const again = { ...request, days: [{ ...request.days[0]!, base: 0 }] };
    expect(await commitDays(engine, control('mine'), again)).toMatchObject({
      days: [{ version: 1, created: true }],
      affecting: [DATE],
      conflicting: [],
    });
    expect(await versions()).toEqual([made]);
  });

  it('finds what another run has committed to be there already when it says the same', async () => {
    await runDay(engine, 'tiny', DATE, { control: control('other') });
    const request = await plannedCommit();
    const late = { ...request, days: [{ ...request.days[0]!, base: 0 }] };
    expect(await commitDays(engine, control('mine'), late)).toMatchObject({
      days: [{ version: 1, created: false }],
      conflicting: [],
    });
    expect(await versions()).toHaveLength(1);
  });
});

describe('a plan', () => {
  it('is based on a manifest that it knew before it read anything else', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.publish(DATE, { add: 1 });
    let others: Promise<unknown> | undefined;
    const query: DocumentStore['query'] = async function* (wanted) {
      yield* engine.documents.query(wanted);
      if (wanted.table !== 'receipts') return;
      others ??= runDay(engine, 'tiny', DATE, { recheck: true });
      await others;
    };
    const documents = Object.assign(Object.create(engine.documents) as DocumentStore, { query });
    for (const name of ['get', 'put', 'createMany', 'delete'] as const) {
      Object.assign(documents, { [name]: engine.documents[name].bind(engine.documents) });
    }
    const request = { pipeline: 'tiny', dates: [DATE], options: { recheck: true } };
    const { days } = await resolveWindow({ ...engine, documents }, request);
    expect(await versions()).toHaveLength(2);
    expect(days[0]?.base).toBe(1);
  });
});

describe('runs that overlap', () => {
  it('end with one version per content, the newest from the newest data', async () => {
    publisher.publish(DATE, { add: 1 });
    let revised = false;
    const documents = interrupted(engine.documents, async () => {
      publisher.publish(DATE, { add: 2 });
      revised = true;
      await runDay(engine, 'tiny', DATE, { control: control('operator'), recheck: true });
    });
    await runDays({ ...engine, documents }, 'tiny', [DATE, NEXT], { control: control('window') });
    expect(revised).toBe(true);
    const all = await versions();
    expect(all.map(({ run }) => run.runId)).toEqual(['operator']);
    expect(
      (await planFromStores(engine, tinyDataset().definition, [DATE], {})).plans[0]?.upToDate,
    ).toBe(true);
    expect(await versions(NEXT)).toHaveLength(1);
  });
});

describe('a period', () => {
  it('is made again when another run has committed it meanwhile', async () => {
    const request = { pipeline: 'tiny', step: 'rollup/month', periods: ['2024-03'] } as const;
    await runDay(engine, 'tiny', DATE);
    const documents = interrupted(engine.documents, async () => {
      await runDay(engine, 'tiny', NEXT);
      await executeRollup(engine, request, control('other'));
    });
    await executeRollup({ ...engine, documents }, request, control('late'));
    const all = await versions('2024-03');
    expect(all.map(({ run }) => run.runId)).toEqual(['other']);
    expect(all.at(-1)?.facts['rows']).toBe(48);
  });
});
