import { once } from 'node:events';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { control, guardWith } from '../../src/activities/surroundings.ts';
import {
  livelyDocuments,
  livelyObjects,
  livelySql,
  waitForOthers,
} from '../../src/activities/signs-of-life.ts';
import { limitSessions } from '../../src/storage/sql/limit-sessions.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import type { SqlEngine, SqlSession } from '../../src/ports/sql.ts';

const BEAT_MS = 5;
const STALL_BEATS = 4;
/** So many heartbeats in a row have no standstill in them. */
const LONG = STALL_BEATS * 3;

const guarded = guardWith({ stallMs: BEAT_MS * STALL_BEATS });

let env: MockActivityEnvironment;
let beats: number;

beforeEach(() => {
  env = new MockActivityEnvironment({ heartbeatTimeoutMs: BEAT_MS * 4 });
  beats = 0;
  env.on('heartbeat', () => (beats += 1));
});

/** Never ends, but for being interrupted. */
function standStill(): Promise<never> {
  const { signal } = control();
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

/** Does something after each heartbeat, for much longer than a standstill may take. */
async function work(something: () => Promise<unknown>): Promise<void> {
  while (beats < LONG) {
    await once(env, 'heartbeat');
    await something();
  }
}

const NOTHING_SQL: SqlEngine = {
  session: (run) => run({ scratch: '', run: () => Promise.resolve() } as unknown as SqlSession),
};

describe('an activity', () => {
  it('that stands still is heard of no more, and interrupted with what happened', async () => {
    const call = env.run(guarded(standStill));
    await expect(call).rejects.toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    await expect(call).rejects.toThrow(/gave no sign of life/);
    expect(beats).toBe(STALL_BEATS);
  });

  it('that is cancelled ends as cancelled', async () => {
    const call = env.run(guarded(standStill));
    await once(env, 'heartbeat');
    env.cancel('CANCELLED');
    await expect(call).rejects.toMatchObject({ name: 'CancelledFailure' });
  });

  const documents = livelyDocuments(createMemoryDocumentStore());
  const objects = livelyObjects(createMemoryObjectStore());
  const sql = livelySql(NOTHING_SQL);
  const key = { table: 'tiny', partition: 'a', sort: 'b' };
  it.for<[string, () => Promise<unknown>]>([
    ['reads documents', () => documents.get(key)],
    [
      'puts objects',
      () => objects.put('a', new Uint8Array([1]), { mediaType: 'text/plain', mode: 'replace' }),
    ],
    ['runs statements', () => sql.session((session) => session.run('SELECT 1'))],
    [
      'tells its progress',
      () => {
        control().progress('on and on');
        return Promise.resolve();
      },
    ],
  ])('that %s is heard of for as long as it does', async ([, something]) => {
    await env.run(guarded(() => work(something)));
    expect(beats).toBe(LONG);
  });

  it('that receives the pieces of a long body is heard of for as long as they come', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      while (beats < LONG) {
        await once(env, 'heartbeat');
        yield new Uint8Array([1]);
      }
    }
    await env.run(
      guarded(() => objects.put('long', body(), { mediaType: 'text/plain', mode: 'replace' })),
    );
    expect(beats).toBe(LONG);
  });

  it('begins when one before it is finished, whose files are still in use', async () => {
    const two = limitSessions(
      { ...NOTHING_SQL, session: (run) => run({ finish: () => Promise.resolve() } as SqlSession) },
      1,
    );
    let stored!: () => void;
    const storing = two.session(async (sql) => {
      await sql.finish();
      await new Promise<void>((resolve) => (stored = resolve));
      return 'stored';
    });
    const order = await Promise.race([storing, two.session(() => Promise.resolve('made'))]);
    stored();
    expect([order, await storing, await two.session(() => Promise.resolve('made'))]).toEqual([
      'made',
      'stored',
      'made',
    ]);
  });

  it('that waits for others, or for a free SQL session, may do so for long', async () => {
    const busy = livelySql(limitSessions(NOTHING_SQL, 1));
    let free!: () => void;
    const others = busy.session(() => new Promise<void>((resolve) => (free = resolve)));
    const waiting = env.run(guarded(() => busy.session((session) => session.run('SELECT 1'))));
    while (beats < LONG) await once(env, 'heartbeat');
    free();
    await Promise.all([others, waiting]);
    beats = 0;
    await env.run(guarded(() => waitForOthers(() => work(() => Promise.resolve()))));
    expect(beats).toBe(LONG);
  });
});
