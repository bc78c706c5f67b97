import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { CHANGE_TABLE } from '../../../src/pipelines/change.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * Ten thousand readers of events, or as many as this machine has open files for: both ends are in
 * this process.
 */

const WANTED = 10_000;
const LISTENERS = 1_000;
const OPENED_AT_ONCE = 200;

function openFiles(): number {
  const found = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'));
  return Number(found?.[1] ?? 1_024);
}

let publisher: TinyPublisher;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  publisher = await startTinyPublisher(['2024-01-02']);
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })]);
  api = await openTestApi(engine);
  await api.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  api.server.closeAllConnections();
  await api.close();
  await engine.close();
  await publisher.close();
});

interface Reader {
  readonly socket: Socket;
  readonly head: string;
  /** All that came so far. */
  readonly text: () => string;
}

/** A reader of events, once it knows whether it is let in. */
async function listen(): Promise<Reader> {
  const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
  socket.setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  while (!text.includes('\r\n\r\n')) await once(socket, 'data');
  return { socket, head: text.slice(0, text.indexOf('\r\n\r\n')), text: () => text };
}

async function listenAll(count: number): Promise<Reader[]> {
  const readers: Reader[] = [];
  while (readers.length < count) {
    const some = Array.from({ length: Math.min(OPENED_AT_ONCE, count - readers.length) }, listen);
    readers.push(...(await Promise.all(some)));
  }
  return readers;
}

describe('readers of events', () => {
  it('are a thousand at a time; who comes after them is told to come again, and nobody else waits', async () => {
    const count = Math.min(WANTED, Math.floor((openFiles() - 1_000) / 2));
    if (count < WANTED)
      process.stderr.write(`${count} readers in place of ${WANTED}: that many files may be open\n`);
    expect(count).toBeGreaterThan(LISTENERS);
    const readers = await listenAll(count);
    const isIn = ({ head }: Reader): boolean => head.startsWith('HTTP/1.1 200 ');
    const refused = readers.filter((reader) => !isIn(reader));
    expect(readers.filter(isIn)).toHaveLength(LISTENERS);
    for (const { head } of refused)
      expect(head).toMatch(/^HTTP\/1.1 503 [^]*\r\nretry-after: \d+/i);

    const { documents } = engine;
    const query = vi.spyOn(documents, 'query');
    const lookedBefore = performance.now();
    const { port } = api.server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/pipelines`, {
      signal: AbortSignal.timeout(5_000),
    });
    expect(answer.status).toBe(200);
    const told = readers.filter(isIn).map(async ({ socket, text }) => {
      while (!text().includes('"scope":"2024-01-02"')) await once(socket, 'data');
    });
    await runDay(engine, 'tiny', '2024-01-02');
    await Promise.all(told);
    // They look into the store together: one by one they would look a thousand times a second.
    const seconds = (performance.now() - lookedBefore) / 1_000;
    const looks = query.mock.calls.filter(([{ table }]) => table === CHANGE_TABLE).length;
    query.mockRestore();
    expect(looks).toBeLessThan(20 + 20 * seconds);

    const gone = readers.map(({ socket }) => {
      const closed = once(socket, 'close');
      socket.destroy();
      return closed;
    });
    await Promise.all(gone);
    let again = await listen();
    for (let tries = 0; !isIn(again) && tries < 100; tries += 1) {
      again.socket.destroy();
      again = await listen();
    }
    expect(again.head).toMatch(/^HTTP\/1.1 200 /);
    again.socket.destroy();
  }, 120_000);

  it('that send a request without its end are let go', async () => {
    const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
    socket.setEncoding('utf8');
    await once(socket, 'connect');
    socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n');
    const [text] = (await once(socket, 'data')) as [string];
    expect(text).toMatch(/^HTTP\/1.1 408 [^]*application\/problem\+json/);
    await once(socket, 'close');
  });
});
