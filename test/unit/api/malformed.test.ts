import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:9' })]);
  api = await openTestApi(engine);
  await api.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

/** What the server sends for these bytes until it closes the connection. */
async function answerTo(bytes: string): Promise<{ readonly head: string; readonly body: string }> {
  const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return { head, body };
}

const MALFORMED: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['a header without a name', 'GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n', 400],
  [
    'a body of two lengths',
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    400,
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['no name of a host', 'GET /api/v1/pipelines HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  [
    'two names of a host',
    'GET /api/v1/pipelines HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    400,
  ],
  [
    'headers of 20 KB',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
  ],
  [
    'an expectation that there is not',
    'GET /api/v1/pipelines HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\nConnection: close\r\n\r\n',
    417,
  ],
];

describe('a request that is no HTTP request as it must be', () => {
  it.each(MALFORMED)('for %s is refused by a problem', async (_, bytes, status) => {
    const { head, body } = await answerTo(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(head).toMatch(/\r\ncontent-security-policy: default-src 'none'/i);
    expect(head).toMatch(/\r\nconnection: close/i);
    expect(JSON.parse(body)).toMatchObject({
      code: 'INPUT_INVALID',
      status,
      type: '/api/errors#INPUT_INVALID',
    });
  });
});
