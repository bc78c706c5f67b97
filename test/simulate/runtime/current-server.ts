import type { Server } from './server.ts';

let server: Server | undefined;

/** The server of the seed that runs; modules that stand in for packages have no other way to it. */
export function currentServer(): Server {
  if (server === undefined) throw new Error('no seed runs');
  return server;
}

export function findServer(): Server | undefined {
  return server;
}

export function useServer(one: Server): void {
  server = one;
}
