import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { beginDownload } from '../../../src/api/answers/downloads.ts';
import { onceDone } from '../../../src/api/shared/hung-up.ts';

const GET = 'GET / HTTP/1.1\r\nhost: here\r\n\r\n';

let server: Server;
let asked: EventEmitter<{ request: [IncomingMessage, ServerResponse] }>;
beforeEach(async () => {
  asked = new EventEmitter();
  server = createServer((request, response) => asked.emit('request', request, response)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A connection with so many requests that are sent at once, and their answers to be. */
async function ask(
  requests: number,
): Promise<{ readonly client: Socket; readonly responses: ServerResponse[] }> {
  const responses: ServerResponse[] = [];
  asked.on('request', (_, response) => responses.push(response));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write(GET.repeat(requests));
  await vi.waitFor(() => {
    expect(responses).toHaveLength(requests);
  });
  return { client, responses };
}

async function hangUp(client: Socket, [first]: readonly ServerResponse[]): Promise<void> {
  const { socket } = first!.req;
  client.destroy();
  if (!socket.destroyed) await once(socket, 'close');
}

describe('an answer', () => {
  it('is done with once when it was sent, and its connection goes on', async () => {
    const { responses } = await ask(1);
    const done = vi.fn();
    onceDone(responses[0]!, done);
    responses[0]!.end();
    await vi.waitFor(() => {
      expect(done).toHaveBeenCalledTimes(1);
    });
    const { socket } = responses[0]!.req;
    expect(socket.destroyed).toBe(false);
    socket.destroy();
    await once(socket, 'close');
    expect(done).toHaveBeenCalledTimes(1);
  });

  it('is done with when its caller hangs up, also behind other answers of the connection', async () => {
    const { client, responses } = await ask(20);
    const done = vi.fn();
    for (const response of responses) onceDone(response, done);
    await hangUp(client, responses);
    await vi.waitFor(() => {
      expect(done).toHaveBeenCalledTimes(20);
    });
  });

  it('is done with at once when its caller has hung up before', async () => {
    const { client, responses } = await ask(2);
    await hangUp(client, responses);
    const done = vi.fn();
    for (const response of responses) onceDone(response, done);
    expect(done).toHaveBeenCalledTimes(2);
  });
});

describe('downloads', () => {
  it('of callers that have hung up take no place', async () => {
    const request = { server: { server }, caller: { name: 'ada' } } as unknown as Parameters<
      typeof beginDownload
    >[0];
    const { client, responses } = await ask(40);
    await hangUp(client, responses);
    for (const response of responses) {
      expect(() => {
        beginDownload(request, response);
      }).not.toThrow();
    }
  });
});
