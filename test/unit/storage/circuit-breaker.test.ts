import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  createCircuitBreaker,
  guardDocuments,
  guardObjects,
} from '../../../src/storage/outage/circuit-breaker.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import { toArray } from '../../conformance/byte-streams.ts';

function breakerAt(clock: { ms: number }) {
  return createCircuitBreaker({
    name: 'the object store',
    failuresToOpen: 3,
    probeAfterMs: 1_000,
    longestProbeAfterMs: 3_000,
    now: () => clock.ms,
  });
}

function failing(code: ErrorCode, retryAfterMs?: number): () => Promise<never> {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  return () => Promise.reject(new PipelineError(code, `it says ${code}`, options));
}

async function fail(run: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(run).rejects.toMatchObject({ code });
}

describe('a circuit breaker', () => {
  it('opens when a store did not answer three times in a row, and then does not ask it', async () => {
    const clock = { ms: 0 };
    const breaker = breakerAt(clock);
    for (let call = 0; call < 2; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    expect(breaker.state()).toEqual({ state: 'closed', failures: 2 });
    await breaker.run(() => Promise.resolve('an answer'));
    for (let call = 0; call < 3; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    expect(breaker.state()).toMatchObject({
      state: 'open',
      failures: 3,
      probeAtMs: 1_000,
      reason: 'it says STORE_UNAVAILABLE',
    });
    let asked = false;
    const call = () => Promise.resolve((asked = true));
    await expect(breaker.run(call)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfterMs: 1_000,
    });
    expect(asked).toBe(false);
  });

  it('opens sooner for a store that this process has never heard, when told so', async () => {
    const breaker = () =>
      createCircuitBreaker({ name: 'the store', failuresToOpen: 3, failuresBeforeAnswer: 1 });
    const [unheard, heard] = [breaker(), breaker()];
    await heard.run(() => Promise.resolve('an answer'));
    for (const one of [unheard, heard])
      await fail(one.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    expect([unheard.isOpen(), heard.isOpen()]).toEqual([true, false]);
  });

  it.each<[ErrorCode, number | undefined]>([
    ['STORE_DENIED', undefined],
    ['STORE_CONFLICT', undefined],
    ['STORE_CORRUPT', undefined],
    ['INPUT_INVALID', undefined],
    ['SRC_TRUNCATED', undefined],
    ['INTERNAL', undefined],
    ['STORE_UNAVAILABLE', 2_000],
  ])('never opens for %s (retry after %s)', async (code, retryAfterMs) => {
    const breaker = breakerAt({ ms: 0 });
    for (let call = 0; call < 20; call += 1)
      await fail(breaker.run(failing(code, retryAfterMs)), code);
    expect(breaker.state()).toEqual({ state: 'closed', failures: 0 });
  });

  it('sends one probe at a time, and waits longer after each that fails', async () => {
    const clock = { ms: 0 };
    const breaker = breakerAt(clock);
    for (let call = 0; call < 3; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    clock.ms = 1_000;
    let end: () => void = () => undefined;
    const probe = breaker.run(
      () =>
        new Promise<void>((_, reject) => {
          end = () => {
            reject(new PipelineError('STORE_UNAVAILABLE', 'still away'));
          };
        }),
    );
    expect(breaker.state().state).toBe('half-open');
    await fail(
      breaker.run(() => Promise.resolve()),
      'STORE_UNAVAILABLE',
    );
    end();
    await fail(probe, 'STORE_UNAVAILABLE');
    expect(breaker.state()).toMatchObject({
      state: 'open',
      probeAtMs: 3_000,
      reason: 'still away',
    });
    for (const expected of [6_000, 9_000]) {
      clock.ms = expected - 3_000;
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
      expect(breaker.state()).toMatchObject({ probeAtMs: expected });
    }
  });

  it('has nobody ask again at once while a probe hangs', async () => {
    const clock = { ms: 0 };
    const breaker = breakerAt(clock);
    for (let call = 0; call < 3; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    clock.ms = 60_000;
    let end: () => void = () => undefined;
    const probe = breaker.run(() => new Promise<void>((resolve) => (end = resolve)));
    const refused = { code: 'STORE_UNAVAILABLE', retryAfterMs: 1_000 };
    await expect(breaker.run(() => Promise.resolve())).rejects.toMatchObject(refused);
    end();
    await probe;
    await breaker.run(() => Promise.resolve());
  });

  it('closes when a probe is answered, also by a refusal, and tells of each change', async () => {
    for (const answer of [() => Promise.resolve(), failing('STORE_DENIED')]) {
      const clock = { ms: 0 };
      const breaker = breakerAt(clock);
      const seen: string[] = [];
      breaker.onChange(({ state }) => seen.push(state));
      for (let call = 0; call < 3; call += 1)
        await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
      clock.ms = 1_000;
      await breaker.run(answer).catch(() => undefined);
      expect(breaker.state()).toEqual({ state: 'closed', failures: 0 });
      expect(seen).toEqual(['open', 'half-open', 'closed']);
    }
  });

  it('learns nothing from a probe that failed for another reason, and may probe again at once', async () => {
    const clock = { ms: 0 };
    const breaker = breakerAt(clock);
    for (let call = 0; call < 3; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    clock.ms = 1_000;
    await fail(breaker.run(failing('SRC_TRUNCATED')), 'SRC_TRUNCATED');
    expect(breaker.state().state).toBe('open');
    await breaker.run(() => Promise.resolve());
    expect(breaker.state().state).toBe('closed');
  });

  it('does not close for an answer to a call that began before it opened', async () => {
    const breaker = breakerAt({ ms: 0 });
    let answer: (value: string) => void = () => undefined;
    const early = breaker.run(() => new Promise<string>((resolve) => (answer = resolve)));
    for (let call = 0; call < 3; call += 1)
      await fail(breaker.run(failing('STORE_UNAVAILABLE')), 'STORE_UNAVAILABLE');
    answer('late');
    expect(await early).toBe('late');
    expect(breaker.state().state).toBe('open');
  });
});

describe('a guarded store', () => {
  it('counts a body that breaks off midway, and a listing that does not begin', async () => {
    const objects = createMemoryObjectStore();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some');
      await Promise.resolve();
      throw new PipelineError('STORE_UNAVAILABLE', 'the connection broke');
    }
    const breaker = breakerAt({ ms: 0 });
    const guarded = guardObjects(
      { ...objects, get: () => Promise.resolve(broken()), list: broken as never },
      breaker,
    );
    await fail(toArray((await guarded.get('key'))!), 'STORE_UNAVAILABLE');
    expect(breaker.state()).toMatchObject({ failures: 1 });
    await fail(toArray(guarded.list('')), 'STORE_UNAVAILABLE');
    expect(breaker.isOpen()).toBe(false);
    await objects.dispose();
  });

  it('ends a query that its reader left', async () => {
    const documents = createMemoryDocumentStore();
    for (const sort of ['a', 'b', 'c'])
      await documents.put({ table: 'table', partition: 'p', sort }, {});
    let ended = false;
    async function* watched(): AsyncGenerator {
      try {
        yield* documents.query({ table: 'table', partition: 'p' });
      } finally {
        ended = true;
      }
    }
    const guarded = guardDocuments({ ...documents, query: watched as never }, breakerAt({ ms: 0 }));
    for await (const { sort } of guarded.query({ table: 'table', partition: 'p' }))
      if (sort === 'b') break;
    expect(ended).toBe(true);
  });
});
