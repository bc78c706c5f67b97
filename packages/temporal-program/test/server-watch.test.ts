import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { watchServer } from '../src/server-watch.ts';

describe('watchServer', () => {
  it('opens a new line when the server closes an idle one, and resolves when it cannot', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const watch = watchServer(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    let gone = false;
    void watch.gone.then(() => (gone = true));

    const [first] = (await once(server, 'session')) as [ServerHttp2Session];
    first.close();
    const [second] = (await once(server, 'session')) as [ServerHttp2Session];
    expect(gone).toBe(false);

    server.close();
    second.destroy();
    await watch.gone;
    expect(gone).toBe(true);
  });

  it('resolves when nobody was there from the beginning', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await watchServer(`127.0.0.1:${port}`).gone;
  });
});
