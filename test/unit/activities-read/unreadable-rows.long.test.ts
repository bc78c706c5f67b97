import path from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../../src/engine/upkeep/collect-garbage.ts';
import { planBackfill } from '../../../src/engine/plan/plan-backfill.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { resolveDay, resolveWindow } from '../../../src/engine/plan/resolve-plan.ts';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { stale } from '../../../src/cli/look/gaps.ts';
import { repair } from '../../../src/cli/stores/repair.ts';
import { verify } from '../../../src/cli/look/verify.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { manifestKey } from '../../../src/pipelines/manifest.ts';
import type { Manifest } from '../../../src/pipelines/manifest.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATES = datesBetween('2024-01-01', '2024-01-08');
const DAY = '2024-01-03';
const PIPELINE = 'tiny';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(DATES);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], {
    now: () => new Date('2024-01-09T06:00:00Z'),
  });
  await runDays(engine, PIPELINE, DATES);
  await rollUpDays(engine, PIPELINE, DATES);
});
afterEach(async () => {
  await engine.close();
  await publisher.close();
});

/** What a damaged disk or a careless hand does to one row, below the store. */
function overwrite(table: string, sortStart: string, body: string, { partition = '%' } = {}): void {
  const database = new Database(path.join(engine.home, 'documents.db'));
  try {
    const { changes } = database
      .prepare('UPDATE documents SET body = ? WHERE tbl = ? AND sort LIKE ? AND partition LIKE ?')
      .run(body, table, `${sortStart}%`, partition);
    if (changes !== 1) throw new Error(`${changes} rows of ${table} begin with ${sortStart}`);
  } finally {
    database.close();
  }
}

const DAMAGES: readonly (readonly [string, string, string])[] = [
  ['a ledger row that is no JSON', 'ledger', '{"pipeline":"tiny","sco'],
  ['a ledger row without its outputs', 'ledger', '{"pipeline":"tiny","scope":"2024-01-03"}'],
  ['a manifest row that is no JSON', 'manifests', '\u0000'],
  ['a manifest row of another form', 'manifests', '[]'],
];

describe.each(DAMAGES)('%s', (_, table, body) => {
  const sort = table === 'ledger' ? `${DAY}/metrics/day/` : `${DAY}/`;
  const command = `"quotidien repair tiny ${DAY}"`;
  beforeEach(() => {
    overwrite(table, sort, body);
  });

  it('costs the calendar its own day alone, which names the row and the command that repairs it', async () => {
    const days = await calendarOfDays(engine, PIPELINE, DATES, new Map());
    const standings = Object.fromEntries(days.map(({ date, standing }) => [date, standing]));
    expect(standings).toMatchObject({ [DAY]: 'failed', '2024-01-02': 'ok', '2024-01-05': 'ok' });
    const [remark] = days.find(({ date }) => date === DAY)?.remarks ?? [];
    expect(remark).toMatchObject({ kind: 'unreadable' });
    expect(remark?.text).toContain(`the row ${sort}`);
    expect(remark?.text).toContain(`of ${table} `);
    expect(remark?.text).toContain(command);
  });

  it('costs a window and a backfill its own day and those that read it, and these runs say why', async () => {
    const { definition } = engine.datasets[PIPELINE]!;
    const lost = table === 'ledger' ? [DAY] : [DAY, '2024-01-04'];
    const { plans, unreadable } = await planFromStores(engine, definition, DATES, {});
    expect([...unreadable.keys()].sort()).toEqual(lost);
    expect(plans.map(({ date }) => date)).toEqual(DATES.filter((date) => !lost.includes(date)));
    const window = await resolveWindow(engine, {
      pipeline: PIPELINE,
      dates: DATES,
      options: { offline: true },
    });
    expect(window.careful?.map(({ date }) => date)).toEqual(lost);
    const backfill = await planBackfill(engine, {
      pipeline: PIPELINE,
      from: DATES[0]!,
      to: DATES.at(-1)!,
    });
    expect(backfill.days.map(({ date }) => date)).toEqual(expect.arrayContaining(lost));
    await expect(
      resolveDay(engine, { pipeline: PIPELINE, dates: [DAY], options: {} }),
    ).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(command) as string,
    });
  });

  it('does not end stale and verify, which name it and are not content', async () => {
    const staleContext = testContext(engine);
    const range = { pipeline: PIPELINE, from: DATES[0]!, to: DATES.at(-1)! };
    expect(await stale(staleContext, range)).toBe(3);
    expect(staleContext.terminal.text()).toContain(command);
    const verifyContext = testContext(engine);
    expect(await verify(verifyContext, range)).toBe(1);
    expect(verifyContext.terminal.text()).toContain(command);
    expect(verifyContext.terminal.text()).toMatch(/7 identical|6 identical/);
  });

  it('is repaired by the command that it names, from what else is kept, without the publisher', async () => {
    const asked = publisher.requests.length;
    const context = testContext(engine);
    expect(await repair(context, { pipeline: PIPELINE, from: DAY })).toBe(0);
    expect(context.terminal.text()).toContain(`${DAY}  whole, version 1`);
    expect(publisher.requests).toHaveLength(asked);
    const days = await calendarOfDays(engine, PIPELINE, DATES, new Map());
    expect(days.filter(({ standing }) => standing !== 'ok')).toEqual([]);
    const { days: verified } = await verifyDays(engine, testControl(), {
      pipeline: PIPELINE,
      dates: DATES,
    });
    expect(verified.map(({ result }) => result)).toEqual(DATES.map(() => 'identical'));
    const range = { pipeline: PIPELINE, from: DATES[0]!, to: DATES.at(-1)! };
    // A version that was made again is announced to the rollup, which finds nothing changed.
    const after = testContext(engine);
    await stale(after, range);
    expect(after.terminal.values[0]).toMatchObject({ days: [], periods: [], unreadable: {} });
    expect(await repair(testContext(engine), range)).toBe(0);
  });

  it('ends a garbage collection, because it may name anything', async () => {
    await expect(collectGarbage(engine, { graceDays: 7, dryRun: true })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(command) as string,
    });
  });
});

describe('the row of a download', () => {
  it.each([
    ['ledger', `${DAY}/download/readings/`],
    ['receipts', '2024-01-01/'],
  ])('in %s is repaired from the raw file, without the publisher', async (table, sort) => {
    overwrite(table, sort, 'lost', {
      partition: table === 'receipts' ? 'tiny/readings' : 'tiny/2024-01',
    });
    const asked = publisher.requests.length;
    const range = { pipeline: PIPELINE, from: DATES[0]!, to: DATES.at(-1)! };
    expect(await stale(testContext(engine), range)).toBe(3);
    expect(await repair(testContext(engine), range)).toBe(0);
    expect(publisher.requests).toHaveLength(asked);
    expect(await stale(testContext(engine), range)).toBe(0);
    expect(await verify(testContext(engine), range)).toBe(0);
  });
});

describe('the rows of a period', () => {
  it.each(['ledger', 'manifests'])('in %s are repaired from its days', async (table) => {
    overwrite(table, '2024-01/', 'lost');
    expect(await repair(testContext(engine), { pipeline: PIPELINE, from: '2024-01' })).toBe(0);
    expect(await verify(testContext(engine), { pipeline: PIPELINE, from: '2024-01' })).toBe(0);
  });
});

describe('an older version of a period', () => {
  it('is found and set aside by a repair of the period, and keeps no collection from ending any more', async () => {
    const key = (version: number) => manifestKey(PIPELINE, '2024-01', version);
    const first = await engine.documents.get<Manifest>(key(1));
    await engine.documents.put(key(2), { ...first!.body, version: 2 });
    overwrite('manifests', '2024-01/000001', 'lost');
    await expect(collectGarbage(engine, { graceDays: 7, dryRun: true })).rejects.toThrow(
      'quotidien repair tiny 2024-01',
    );
    expect(await repair(testContext(engine), { pipeline: PIPELINE, from: '2024-01' })).toBe(0);
    await expect(collectGarbage(engine, { graceDays: 7, dryRun: true })).resolves.toMatchObject({
      removed: 0,
    });
    expect(await verify(testContext(engine), { pipeline: PIPELINE, from: '2024-01' })).toBe(0);
  });
});

describe('a record of a newer Quotidien', () => {
  it('is left as it is, with the word to upgrade', async () => {
    overwrite('manifests', `${DAY}/`, '{"schema":2}');
    const [day] = await calendarOfDays(engine, PIPELINE, [DAY], new Map());
    expect(day?.remarks[0]?.text).toMatch(
      /schema 2, and this version of Quotidien knows 1: upgrade it$/,
    );
    expect(await repair(testContext(engine), { pipeline: PIPELINE, from: DAY })).toBe(1);
    expect((await calendarOfDays(engine, PIPELINE, [DAY], new Map()))[0]?.standing).toBe('failed');
  });
});
