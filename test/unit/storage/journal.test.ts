import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJournalDisk } from '../../../src/storage/outage/journal-disk.ts';
import { decodeRecord, encodeRecord } from '../../../src/storage/outage/journal-records.ts';
import type { JournalRecord } from '../../../src/storage/outage/journal-records.ts';
import { JournalState } from '../../../src/storage/outage/journal-state.ts';
import { openJournal } from '../../../src/storage/outage/journal.ts';
import type { Journal, NewEntry } from '../../../src/storage/outage/journal.ts';
import { inParallel } from '../../conformance/byte-streams.ts';
import { startChild } from './children/start.ts';

let folder: string;
const opened: Journal[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-journal-'));
});
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(host = 'alpha'): Promise<Journal> {
  const journal = await openJournal({ disk: createJournalDisk(folder), host });
  opened.push(journal);
  return journal;
}

function create(sort: string, body: object = { of: sort }): NewEntry {
  const key = { table: 'ledger', partition: 'p', sort };
  return {
    kind: 'document-put',
    key,
    before: { version: 0, sha256: null },
    expected: 0,
    sha256: `hash of ${JSON.stringify(body)}`,
    body: body as never,
  };
}

const segment = (number: number): string => path.join(folder, `journal-0000000${number}.log`);

describe('the journal', () => {
  it('keeps entries in order, with their bodies, for another process and for the next one', async () => {
    const journal = await open();
    const peer = await open();
    await journal.append([create('a'), create('b')]);
    await peer.append([create('c', { large: 'x'.repeat(3 << 20) })]);
    await journal.append([create('d')]);
    for (const reader of [journal, peer, await open()]) {
      const { pending } = await reader.refresh();
      const entries = [...pending.values()];
      expect(entries.map(({ key }) => (key as { sort: string }).sort)).toEqual([
        'a',
        'b',
        'c',
        'd',
      ]);
      expect(await reader.bodyOf(entries[1] as never)).toEqual({ of: 'b' });
      expect(await reader.bodyOf(entries[2] as never)).toEqual({ large: 'x'.repeat(3 << 20) });
    }
  });

  it('lets exactly one of several writers create a document', async () => {
    const [journal, peer] = [await open(), await open()];
    const outcomes = await inParallel(40, 8, (n) =>
      (n % 2 === 0 ? journal : peer).append([create(`${n % 4}`, { n })]),
    );
    const kinds = outcomes.map(([outcome]) => outcome!.kind);
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(4);
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(36);
    const [left, right] = [await journal.refresh(), await peer.refresh()];
    expect([...left.pending.keys()]).toEqual([...right.pending.keys()]);
  });

  it('ignores what a crash tore, wherever it broke off, and goes on behind it', async () => {
    const whole = encodeRecord({ kind: 'seal', id: 'never acknowledged' });
    for (let cut = 1; cut < whole.byteLength - 1; cut += 1) {
      await writeFile(segment(1), Buffer.concat([Buffer.from('\n'), whole.subarray(0, cut)]));
      const journal = await openJournal({ disk: createJournalDisk(folder), host: 'alpha' });
      expect((await journal.append([create('a')]))[0]).toMatchObject({ kind: 'accepted' });
      expect((await journal.refresh()).pending.size).toBe(1);
      await journal.close();
      await rm(segment(1));
    }
  });

  it('ignores bytes that the file system never filled', async () => {
    await writeFile(segment(1), Buffer.alloc(4_096));
    const journal = await open();
    await journal.append([create('a')]);
    expect((await (await open()).refresh()).pending.size).toBe(1);
  });

  it('does not take a record that is still being written for torn', async () => {
    const journal = await open();
    await journal.append([create('a')]);
    const record = encodeRecord({ ...create('b'), id: 'b', at: '' });
    await appendFile(segment(1), record.subarray(0, 20));
    expect((await journal.refresh()).pending.size).toBe(1);
    await appendFile(segment(1), record.subarray(20));
    expect((await journal.refresh()).pending.size).toBe(2);
  });

  it('stops at a damaged record, and says so each time', async () => {
    const journal = await open();
    await journal.append([create('a'), create('b')]);
    const bytes = await readFile(segment(1));
    bytes[bytes.indexOf('"a"') + 1] = 'A'.charCodeAt(0);
    await writeFile(segment(1), bytes);
    const disk = createJournalDisk(folder);
    await expect(openJournal({ disk, host: 'alpha' })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    expect(decodeRecord(Buffer.from('not a record at all'))).toBe('damaged');
  });

  it('knows what was settled, and keeps conflicts until they are dismissed', async () => {
    const journal = await open();
    await journal.append([create('a'), create('b'), create('c')]);
    const [a, b] = [...(await journal.refresh()).pending.keys()];
    await journal.settle([
      { entry: a!, outcome: 'applied' },
      { entry: b!, outcome: 'conflict', found: 'another body' },
    ]);
    const state = await (await open()).refresh();
    expect(state.pending.size).toBe(1);
    expect([...state.conflicts.values()]).toMatchObject([
      { entry: { key: { sort: 'b' } }, found: 'another body' },
    ]);
    expect(await journal.bodyOf(state.conflicts.get(b!)!.entry as never)).toEqual({ of: 'b' });
    // A pending entry cannot be dismissed.
    const c = [...state.pending.keys()][0]!;
    await journal.settle([
      { entry: b!, outcome: 'dismissed' },
      { entry: c, outcome: 'dismissed' },
    ]);
    expect((await journal.refresh()).conflicts.size).toBe(0);
    expect((await journal.refresh()).pending.size).toBe(1);
  });

  it('begins a new segment only when nothing is left to do, and loses nothing of those who write meanwhile', async () => {
    const [journal, peer] = [await open(), await open()];
    await journal.append([create('a')]);
    expect(await journal.rotate()).toBe(false);
    const [id] = [...(await journal.refresh()).pending.keys()];
    await journal.settle([{ entry: id!, outcome: 'applied' }]);
    const rotated = await Promise.all([journal.rotate(), journal.rotate()]);
    expect(rotated).toContain(true);
    expect((await peer.append([create('b')]))[0]).toMatchObject({ kind: 'void' });
    expect((await peer.append([create('b')]))[0]).toMatchObject({ kind: 'accepted' });
    expect((await journal.refresh()).pending.size).toBe(1);
    expect((await (await open()).refresh()).pending.size).toBe(1);
    const left = await readdir(folder);
    expect(left).toHaveLength(1);
  });

  it('finds the newest segment after others went on through several', async () => {
    const [journal, idle] = [await open(), await open()];
    for (const sort of ['a', 'b', 'c']) {
      await journal.append([create(sort)]);
      const [id] = [...(await journal.refresh()).pending.keys()];
      await journal.settle([{ entry: id!, outcome: 'applied' }]);
      expect(await journal.rotate()).toBe(true);
    }
    expect((await idle.append([create('d')]))[0]).toMatchObject({ kind: 'void' });
    expect((await idle.append([create('d')]))[0]).toMatchObject({ kind: 'accepted' });
    expect((await journal.refresh()).pending.size).toBe(1);
    expect(await readdir(folder)).toEqual(['journal-00000004.log']);
  });

  it('refuses what no longer fits on the disk, and keeps what it acknowledged', async () => {
    const child = startChild('fill-journal.ts', [folder], { fileLimitKib: 64 });
    const [acknowledged, code] = await child.end();
    expect(code).toBe('STORE_DENIED');
    expect(Number(acknowledged)).toBeGreaterThan(20);
    const journal = await open();
    expect((await journal.refresh()).pending.size).toBe(Number(acknowledged));
    expect((await journal.append([create('room again')]))[0]).toMatchObject({ kind: 'accepted' });
  });

  it('gives the right to replay to one living process', async () => {
    const [journal, peer] = [await open(), await open()];
    const release = await journal.claim();
    expect(release).toBeDefined();
    expect(await journal.claim()).toBeUndefined();
    await release!();
    const again = await peer.claim();
    expect(again).toBeDefined();
    await again!();
    const dead = startChild('claim-journal.ts', [folder]);
    await dead.until((line) => line === 'claimed');
    expect(await journal.claim()).toBeUndefined();
    await dead.kill();
    const heir = await journal.claim();
    expect(heir).toBeDefined();
    await heir!();
  });

  it('takes appends of several processes at once', async () => {
    const journal = await open();
    const children = ['x', 'y', 'z'].map((name) =>
      startChild('append-journal.ts', [folder, name, '200']),
    );
    const own = await inParallel(200, 4, (n) => journal.append([create(`own ${n}`)]));
    const printed = await Promise.all(children.map((child) => child.end()));
    expect(own.every(([outcome]) => outcome!.kind === 'accepted')).toBe(true);
    expect(printed.map((lines) => lines.at(-1))).toEqual(['200', '200', '200']);
    const { pending } = await journal.refresh();
    expect(pending.size).toBe(800);
  });
});

describe('the state of a journal', () => {
  const span = { start: 0, end: 1 };
  const seal: JournalRecord = { kind: 'seal', id: 'seal' };
  const entry = (id: string, sort: string): JournalRecord => ({ ...create(sort), id, at: '' });

  it('does not count a seal while anything is pending, nor anything behind one that counts', () => {
    const state = new JournalState();
    expect(state.apply(entry('1', 'a'), span)).toMatchObject({
      kind: 'accepted',
      after: { version: 1 },
    });
    expect(state.apply(seal, span)).toMatchObject({ kind: 'refused' });
    const settled = { kind: 'settled', entry: '1', found: '', version: null, at: '' } as const;
    state.apply({ ...settled, outcome: 'conflict' }, span);
    expect(state.apply(seal, span)).toMatchObject({ kind: 'refused' });
    state.apply({ ...settled, outcome: 'dismissed' }, span);
    expect(state.apply(seal, span)).toMatchObject({ kind: 'accepted' });
    expect(state.apply(entry('2', 'b'), span)).toMatchObject({ kind: 'void' });
  });

  it('goes by the pending entries of a key before what its writer believed', () => {
    const state = new JournalState();
    state.apply(entry('1', 'a'), span);
    expect(state.apply(entry('2', 'a'), span)).toEqual({ kind: 'refused', found: 1 });
    const next = {
      ...create('a', { next: true }),
      expected: 1,
      before: { version: 7, sha256: 'older' },
      id: '3',
      at: '',
    };
    expect(state.apply(next as JournalRecord, span)).toMatchObject({
      kind: 'accepted',
      after: { version: 2 },
    });
    expect(state.pending.get('3')).toMatchObject({ before: { version: 1 } });
  });

  it('lets one claim replace exactly the present one', () => {
    const state = new JournalState();
    const claim = (id: string, replaces: string | null): JournalRecord => ({
      kind: 'claim',
      id,
      replaces,
      host: 'alpha',
      pid: 1,
      at: '',
    });
    expect(state.apply(claim('1', null), span).kind).toBe('accepted');
    expect(state.apply(claim('2', null), span).kind).toBe('refused');
    expect(state.apply(claim('3', '1'), span).kind).toBe('accepted');
    state.apply({ kind: 'release', claim: '1' }, span);
    expect(state.claim?.id).toBe('3');
  });
});
