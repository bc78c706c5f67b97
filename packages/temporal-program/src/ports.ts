import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

import { TemporalProgramError } from './program-error.ts';

const HOST = '127.0.0.1';

/**
 * Where ports for a server are looked for: below those that systems give to outgoing connections
 * (Linux from 32768, macOS and Windows from 49152). A port from there would be free when we look
 * and taken by somebody's connection when the server comes, or comes back, to it.
 */
const LOWEST = 20_000;
const HIGHEST = 32_767;
const TRIES = 50;

/** How far above the usual port to look before giving up. */
const REACH = 100;

/**
 * Whether a server could listen on this port of the loopback address now; a moment later it may
 * not.
 */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: HOST }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * A port on which nobody listens, by chance: for servers that nobody has to find by a known number.
 * Throws `CONFIG_INVALID` when fifty tries find none.
 */
export async function unusedPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isPortFree(port)) return port;
  }
  throw new TemporalProgramError('CONFIG_INVALID', `no free port on ${HOST}: close some programs`);
}

/**
 * The first free port at or above `usual`, but not `except`. Throws `CONFIG_INVALID` when all of a
 * hundred are taken.
 */
export async function firstFreePort(usual: number, except?: number): Promise<number> {
  for (let port = usual; port < usual + REACH; port += 1) {
    if (port !== except && (await isPortFree(port))) return port;
  }
  throw new TemporalProgramError(
    'CONFIG_INVALID',
    `no port from ${usual} to ${usual + REACH - 1} is free on ${HOST}`,
  );
}
