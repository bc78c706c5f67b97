import { createServer } from 'node:net';

import { TemporalProgramError } from './program-error.ts';

const HOST = '127.0.0.1';

/** How far above the usual port to look before giving up. */
const REACH = 100;

/** Whether a server could listen on this port of the loopback address now; a moment later it may not. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** A port that the system says is free: for servers that nobody has to find by a known number. */
export async function unusedPort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined)
    throw new TemporalProgramError('CONFIG_INVALID', `no free port on ${HOST}: close some programs`);
  return port;
}

/** The first free port at or above `usual`, but not `except`. Throws `CONFIG_INVALID` when all of a hundred are taken. */
export async function firstFreePort(usual: number, except?: number): Promise<number> {
  for (let port = usual; port < usual + REACH; port += 1) {
    if (port !== except && (await isPortFree(port))) return port;
  }
  throw new TemporalProgramError('CONFIG_INVALID', `no port from ${usual} to ${usual + REACH - 1} is free on ${HOST}`);
}

/** Listens, lets go, and says on which port that was; undefined when the port is taken. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(undefined);
    });
    probe.listen({ port, host: HOST }, () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === 'object' ? address?.port : undefined);
      });
    });
  });
}
