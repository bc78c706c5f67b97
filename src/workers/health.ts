import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `port` is the one that was really taken. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Two answers over HTTP: `/live` as long as the process answers at all, `/ready` (else 503) while
 * every worker polls. A worker that drains is alive and not ready, so that an orchestrator does not
 * kill it before its steps have ended.
 */
export async function startHealthServer(
  port: number,
  isReady: () => boolean,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const known = request.url === '/live' || request.url === '/ready';
    const good = request.url === '/live' || isReady();
    const status = !known ? 404 : good ? 200 : 503;
    response
      .writeHead(status, { 'content-type': 'text/plain' })
      .end(status === 200 ? 'ok\n' : 'no\n');
  });
  server.listen(port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
