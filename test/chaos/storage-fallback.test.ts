import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from '../../src/storage/local/local-files.ts';
import { openSqliteDocumentStore } from '../../src/storage/sqlite/sqlite-documents.ts';
import type { ReconcileReport } from '../../src/storage/outage/reconcile.ts';
import { collectText, toArray } from '../conformance/byte-streams.ts';
import { startChild } from '../unit/storage/children/start.ts';
import type { Child } from '../unit/storage/children/start.ts';
import { temporaryFolder } from '../unit/storage/fallback-host.ts';

const ROUNDS = 12;
/** An object, a document and the counter. */
const WRITES_PER_ROUND = 3;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const children: Child[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await folder.remove();
});

function start(...args: readonly (string | number)[]): Child {
  const child = startChild('fallback-process.ts', [folder.path, ...args.map(String)]);
  children.push(child);
  return child;
}

/** The last line of a process that is killed by its own hand. */
async function untilDead(child: Child): Promise<string | undefined> {
  let last: string | undefined;
  const never = (line: string): boolean => {
    last = line;
    return false;
  };
  await child.until(never).catch(() => undefined);
  await expect(child.end()).rejects.toThrow('SIGKILL');
  return last;
}

async function finish(): Promise<ReconcileReport> {
  const lines = await start('reconcile', 'never', 0).end();
  return JSON.parse(lines.at(-1) ?? '') as ReconcileReport;
}

/** What an undisturbed run leaves on the primary stores. */
async function expectAll(rounds: number): Promise<void> {
  const objects = createLocalObjectStore({ root: path.join(folder.path, 'primary') });
  const documents = await openSqliteDocumentStore({ file: path.join(folder.path, 'primary.db') });
  const numbers = Array.from({ length: rounds }, (_, n) => n);
  expect(await toArray(objects.list('days/'))).toHaveLength(rounds);
  for (const n of numbers) {
    expect(await collectText(await objects.get(`days/${n}.txt`))).toBe(`day ${n}`);
    const entry = await documents.get({ table: 'ledger', partition: 'p', sort: `${n}` });
    expect(entry).toMatchObject({ version: 1, body: { key: `days/${n}.txt` } });
  }
  const counter = await documents.get({ table: 'ledger', partition: 'counter', sort: 'one' });
  expect(counter).toMatchObject({ version: rounds, body: { rounds: numbers } });
  await documents.close();
}

describe('a host whose process is killed', () => {
  it.each(['written', 'torn'])(
    'when a journal entry is %s and nobody was told loses and doubles nothing',
    async (moment) => {
      let next = 0;
      // The first append of each process, then a later one each time, so that every kind of write
      // dies once.
      for (let nth = 1; nth <= 6; nth += 1) {
        const last = await untilDead(start('write', next, ROUNDS, moment, nth));
        if (last !== undefined) next = Number(last.split(' ')[1]) + 1;
      }
      await start('write', next, ROUNDS - next, moment, 0).end();
      expect(await finish()).toMatchObject({ conflicts: [], pending: 0, converged: true });
      await expectAll(ROUNDS);
    },
  );

  it.each(['applied', 'settled'])(
    'in the middle of a replay, when an entry is %s, converges',
    async (moment) => {
      await start('write', 0, ROUNDS, 'never', 0).end();
      for (const nth of [1, 2, 5]) await untilDead(start('reconcile', moment, nth));
      const report = await finish();
      expect(report).toMatchObject({ conflicts: [], pending: 0, converged: true });
      // Those that were applied and not settled are found, not done again.
      expect(report.applied + report.same).toBeLessThanOrEqual(ROUNDS * WRITES_PER_ROUND);
      expect(report.same > 0).toBe(moment === 'applied');
      await expectAll(ROUNDS);
      expect(await finish()).toMatchObject({ applied: 0, same: 0, converged: true });
    },
  );

  it('at any moment keeps what it acknowledged', async () => {
    let next = 0;
    for (const after of [0, 3, 7]) {
      const child = start('write', next, 1_000, 'never', 0);
      const lines = await child.until((line) => line === `acknowledged ${next + after}`);
      await child.kill();
      next += lines.length;
      await untilReplayed();
    }
    await start('write', next, 1, 'never', 0).end();
    expect(await finish()).toMatchObject({ converged: true });
    const documents = await openSqliteDocumentStore({ file: path.join(folder.path, 'primary.db') });
    const counter = await documents.get<{ rounds: number[] }>({
      table: 'ledger',
      partition: 'counter',
      sort: 'one',
    });
    await documents.close();
    // Rounds behind the last line that was seen may have been acknowledged as well.
    const rounds = counter!.body.rounds;
    expect(rounds).toEqual([...new Set(rounds)]);
    expect(rounds).toEqual(expect.arrayContaining(Array.from({ length: next + 1 }, (_, n) => n)));
    await expectAll(rounds.length);
  });
});

async function untilReplayed(): Promise<void> {
  await untilDead(start('reconcile', 'applied', 2));
}
