import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAnnouncements } from '../../../src/engine/publish/announcements.ts';
import { commitDays } from '../../../src/engine/commit/commit-manifest.ts';
import type { CommitRequest, CommitResult } from '../../../src/engine/contract.ts';
import type { StepControl } from '../../../src/engine/engine.ts';
import { closeAnnouncements } from '../../../src/engine/derive/hear-announcements.ts';
import { announcementKey } from '../../../src/pipelines/announcement.ts';
import type { DayState } from '../../../src/pipelines/execution.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { PipelineError } from '../../../src/errors.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { MANIFEST_TABLE } from '../../../src/pipelines/manifest.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { storeWith } from '../../fixtures/store-with.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = ['2024-01-01', '2024-01-02', '2024-01-03'];

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** The same stores; `create` stands before each creation of manifests. */
function creating(
  create: (store: () => Promise<readonly boolean[]>) => Promise<readonly boolean[]>,
): TestEngine {
  const { documents } = engine;
  const changed = storeWith<DocumentStore>(documents, {
    createMany: (records) => {
      const store = () => documents.createMany(records);
      return records[0]?.key.table === MANIFEST_TABLE ? create(store) : store();
    },
  });
  return { ...engine, documents: changed };
}

/** What commits the days as their newest manifests have them. */
async function sameAgain(): Promise<CommitRequest> {
  const manifests = await newestManifests(engine.documents, 'tiny', DATES);
  const days = [...manifests.values()].map(({ scope, steps }) => {
    const state: DayState = {};
    for (const [step, one] of Object.entries(steps) as [StepId, (typeof steps)[StepId]][])
      state[step] =
        one.state === 'done' ? { state: 'done', key: one.key, how: 'reused', empty: false } : one;
    return { outcome: { date: scope, verdict: 'ok' as const }, state, decisions: [] };
  });
  return { pipeline: 'tiny', reason: 'backfill', days };
}

function otherRun(): StepControl {
  return { ...testControl(), execution: { workflowId: 'other', runId: 'other-run', attempt: 1 } };
}

function affecting({ affecting }: CommitResult): string[] {
  return [...affecting].sort();
}

describe('an announcement', () => {
  it('is told again by the try after the one whose answer was lost', async () => {
    const lossy = creating(async (store) => {
      await store();
      throw new PipelineError('STORE_UNAVAILABLE', 'the answer was lost');
    });
    await expect(runDays(lossy, 'tiny', DATES)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    const again = await commitDays(engine, testControl(), await sameAgain());
    expect(again.days.map(({ created }) => created)).toEqual([false, false, false]);
    expect(affecting(again)).toEqual(DATES);
  });

  it('is there before its version is, and counts once the version is there', async () => {
    const full = creating(() =>
      Promise.reject(new PipelineError('STORE_DENIED', 'the disk is full')),
    );
    await expect(runDays(full, 'tiny', DATES)).rejects.toMatchObject({ code: 'STORE_DENIED' });
    const key = announcementKey({ pipeline: 'tiny', scope: '2024-01-02', version: 1 });
    expect((await engine.documents.get(key))?.body).toEqual({
      pipeline: 'tiny',
      scope: '2024-01-02',
      version: 1,
    });
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
    await runDays(engine, 'tiny', DATES);
    expect((await openAnnouncements(engine.documents, 'tiny')).map(({ scope }) => scope)).toEqual(
      DATES,
    );
  });

  it('is not made of a change that nothing else reads', async () => {
    await runDays(engine, 'tiny', ['2024-01-01']);
    await engine.documents.delete(
      announcementKey({ pipeline: 'tiny', scope: '2024-01-01', version: 1 }),
    );
    // The page is of single days only, and read by nobody.
    expect(await runDay(engine, 'tiny', '2024-01-01')).toMatchObject({ version: 2 });
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
  });

  it('of many days are ended together: a commit for each would hold up the whole process', async () => {
    await runDays(engine, 'tiny', DATES);
    const alone: string[] = [];
    const documents = storeWith<DocumentStore>(engine.documents, {
      delete: (key) => {
        alone.push(key.sort);
        return engine.documents.delete(key);
      },
    });
    const [from = '', , to = ''] = DATES;
    await closeAnnouncements(
      { ...engine, documents },
      testControl(),
      'tiny',
      [{ from, to, version: 1 }],
      [],
    );
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
    expect(alone).toEqual([]);
  });

  it('of a version that takes names back says which', async () => {
    await runDays(engine, 'tiny', ['2024-01-01']);
    const request = await sameAgain();
    const days = request.days.map(({ state, ...day }) => ({
      ...day,
      state: { ...state, 'report/day': { state: 'skipped' as const, reason: 'a test' } },
    }));
    await commitDays(engine, testControl(), { ...request, days });
    const announced = await openAnnouncements(engine.documents, 'tiny');
    expect(announced.find(({ version }) => version === 2)?.withdrawn).toEqual([
      'reports/tiny/daily_report_2024-01-01.csv',
    ]);
  });

  it('of a run that lost the race does not hide which names the winner takes back', async () => {
    const [date] = DATES as [string];
    await runDays(engine, 'tiny', [date]);
    const name = `reports/tiny/daily_report_${date}.csv`;
    const without = async (step: StepId): Promise<CommitRequest> => {
      const { days, ...request } = await sameAgain();
      const skipped = { [step]: { state: 'skipped' as const, reason: 'a test' } };
      return {
        ...request,
        days: days.map(({ state, ...day }) => ({
          ...day,
          base: 1,
          state: { ...state, ...skipped },
        })),
      };
    };
    // The winner is killed before it has taken the name back.
    const killed = {
      delete: () => Promise.reject(new PipelineError('STORE_UNAVAILABLE', 'killed')),
    };
    const winner = { ...engine, objects: storeWith(engine.objects, killed) };
    const winning = await without('report/day');
    const loser = creating(async (store) => {
      await expect(commitDays(winner, testControl(), winning)).rejects.toThrow('killed');
      return store();
    });
    expect(await commitDays(loser, otherRun(), await without('metrics/day'))).toMatchObject({
      conflicting: [date],
    });
    expect(
      (await newestManifests(engine.documents, 'tiny', [date])).get(date)?.steps['report/day']
        ?.state,
    ).toBe('skipped');
    expect(await engine.objects.head(name)).toBeDefined();
    await closeAnnouncements(
      engine,
      testControl(),
      'tiny',
      [{ from: date, to: date, version: 2 }],
      [],
    );
    expect(await engine.objects.head(name)).toBeUndefined();
    expect(await openAnnouncements(engine.documents, 'tiny')).toEqual([]);
  });
});
