import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { firstFreePort, isPortFree, unusedPort } from '../src/ports.ts';

let other: Server;
let taken: number;

beforeEach(async () => {
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  taken = (other.address() as AddressInfo).port;
});

afterEach(() => {
  other.close();
});

describe('ports', () => {
  it('tells a taken port from a free one', async () => {
    expect(await isPortFree(taken)).toBe(false);
    expect(await isPortFree(await unusedPort())).toBe(true);
  });

  it('gives no port that the system gives to outgoing connections meanwhile', async () => {
    const ports = await Promise.all(Array.from({ length: 100 }, () => unusedPort()));
    expect(Math.max(...ports)).toBeLessThan(32_768);
    expect(new Set(ports).size).toBeGreaterThan(90);
  });

  it('finds the next free port above a taken one, and never the excepted one', async () => {
    const next = await firstFreePort(taken);
    expect(next).toBeGreaterThan(taken);
    expect(await firstFreePort(taken, next)).not.toBe(next);
  });
});
