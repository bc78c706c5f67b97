import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isPrivateAddress } from '../../../src/engine/sources/addresses.ts';
import type { Network } from '../../../src/engine/sources/addresses.ts';
import { createHttpClient } from '../../../src/engine/sources/http-client.ts';
import type { HttpRequest } from '../../../src/engine/sources/http-client.ts';

const KEY = 'k3y/of the publisher';

/** A host with what it was asked. */
interface Host {
  readonly origin: string;
  readonly port: number;
  readonly asked: IncomingMessage[];
  readonly server: Server;
}

let folder: string;
let hosts: Host[];

/** 127.0.0.2 stands for an address of the internet where a test says so. */
async function host(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  address = '127.0.0.1',
): Promise<Host> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  }).listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made = { origin: `http://${address}:${port}`, port, asked, server };
  hosts.push(made);
  return made;
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-addresses-'));
  hosts = [];
});

afterEach(async () => {
  for (const { server } of hosts) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** Names of which no real DNS knows anything, at the hosts of this test. */
function network(
  addresses: Readonly<Record<string, string>>,
  isPrivate = isPrivateAddress,
): Network {
  return {
    isPrivate,
    resolve(name, options, done) {
      const address = addresses[name];
      if (address === undefined)
        done(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' }), '');
      else if (options.all === true)
        done(null, [{ address, family: address.includes(':') ? 6 : 4 }]);
      else done(null, address, 4);
    },
  };
}

async function get(
  request: Partial<HttpRequest> & { url: string },
  seen?: Network,
): Promise<Buffer> {
  const client = createHttpClient({
    folder,
    userAgent: 'test',
    idleTimeoutMs: 5_000,
    ...(seen && { network: seen }),
  });
  const signal = new AbortController().signal;
  const done = await client.download({ signal, progress: () => undefined, ...request });
  const bytes = await readFile(done!.path);
  await client.discard(done!);
  return bytes;
}

const redirectTo = (location: string) => (_request: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(302, { location }).end();
const deliver = (_request: IncomingMessage, response: ServerResponse) => void response.end('data');
const header = { place: 'header', name: 'apikey', key: KEY } as const;
const query = { place: 'query', name: 'k', key: KEY } as const;

describe('a publisher’s key', () => {
  it('goes along within its origin, and stays at home when another one is redirected to', async () => {
    const internet = network({}, (address) => address !== '127.0.0.2');
    for (const credential of [header, query]) {
      const other = await host(deliver, '127.0.0.2');
      const own = await host((request, response) => {
        const again = request.url?.startsWith('/moved') === true;
        redirectTo(again ? `${other.origin}${request.url ?? ''}` : `/moved${request.url ?? ''}`)(
          request,
          response,
        );
      });
      expect((await get({ url: `${own.origin}/a?day=1`, credential }, internet)).toString()).toBe(
        'data',
      );
      const told = ({ asked }: Host) =>
        asked.map(({ url, rawHeaders }) => JSON.stringify([url, rawHeaders]));
      expect(told(own)).toEqual([expect.stringContaining('k3y'), expect.stringContaining('k3y')]);
      expect(told(other)).toEqual([expect.not.stringContaining('k3y')]);
      expect(other.asked[0]?.url).toBe('/moved/a?day=1');
    }
  });

  it('is not sent over an open line, and http on this machine is none', async () => {
    const own = await host(deliver);
    const names = network({ 'portal.test': '127.0.0.1' });
    const open = get(
      { url: `http://portal.test:${own.port}/`, trusted: true, credential: header },
      names,
    );
    await expect(open).rejects.toMatchObject({ code: 'SRC_UNSAFE_ADDRESS' });
    expect(own.asked).toEqual([]);
    expect((await get({ url: `${own.origin}/`, credential: header })).toString()).toBe('data');
  });

  it('is not repeated in a message when the publisher repeats it', async () => {
    const own = await host(
      (_request, response) =>
        void response.writeHead(403).end(`no such key: ${KEY}, ${encodeURIComponent(KEY)}`),
    );
    const failed = await get({ url: `${own.origin}/`, credential: query }).catch(
      (error: unknown) => error as Error,
    );
    expect(failed).toMatchObject({
      code: 'SRC_AUTH',
      message: expect.stringContaining('no such key: [redacted]') as string,
    });
    expect((failed as Error).message).not.toContain('k3y');
    const badHeader = get({
      url: `${own.origin}/`,
      credential: { ...header, key: 'k3y\nwith a line' },
    });
    const cause = (await badHeader.catch((error: unknown) => error as Error)) as Error;
    expect(`${cause.stack} ${(cause.cause as Error).stack}`).not.toContain('k3y');
  });
});

describe('a public host', () => {
  it('is not connected to when its name resolves to a private address, also the second time', async () => {
    const inside = await host(deliver);
    const url = `http://publisher.test:${inside.port}/`;
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '169.254.169.254',
      '::1',
      'fd00::1',
      '::ffff:127.0.0.1',
    ])
      await expect(
        get({ url }, network({ 'publisher.test': address })),
        address,
      ).rejects.toMatchObject({
        code: 'SRC_UNSAFE_ADDRESS',
      });
    expect(inside.asked).toEqual([]);
  });

  it('may be private when the configuration names it', async () => {
    const inside = await host(deliver);
    const names = network({ portal: '127.0.0.1' });
    expect(
      (await get({ url: `http://portal:${inside.port}/`, trusted: true }, names)).toString(),
    ).toBe('data');
  });

  it('cannot send us to a private address, by number, by name or from https to http', async () => {
    const inside = await host(deliver);
    const names = network({ portal: '127.0.0.1', 'inside.test': '127.0.0.1' });
    for (const target of [
      '127.0.0.1',
      'localhost',
      'inside.test',
      '[::1]',
      '[::ffff:7f00:1]',
      '2130706433',
    ]) {
      const own = await host(redirectTo(`http://${target}:${inside.port}/latest/meta-data`));
      const asked = get({ url: `http://portal:${own.port}/`, trusted: true }, names);
      await expect(asked, target).rejects.toMatchObject({ code: 'SRC_UNSAFE_ADDRESS' });
    }
    expect(inside.asked).toEqual([]);
  });

  it('cannot send us round in circles, nor to a file', async () => {
    const round = await host(redirectTo('/again'));
    await expect(get({ url: round.origin })).rejects.toMatchObject({ code: 'SRC_UNSAFE_ADDRESS' });
    expect(round.asked).toHaveLength(6);
    const local = await host(redirectTo('file:///etc/passwd'));
    await expect(get({ url: local.origin })).rejects.toMatchObject({ code: 'SRC_UNSAFE_ADDRESS' });
  });

  it('is told from a private one by the registries of addresses', () => {
    for (const address of [
      '8.8.8.8',
      '2606:4700::1111',
      '64:ff9b::808:808',
      '172.32.0.1',
      '100.128.0.1',
    ])
      expect(isPrivateAddress(address), address).toBe(false);
    for (const address of [
      '0.0.0.0',
      '100.64.1.1',
      '172.31.255.255',
      '192.168.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ])
      expect(isPrivateAddress(address), address).toBe(true);
    for (const address of [
      '::',
      '::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      '64:ff9b::a00:1',
      '2002:7f00:1::',
      '::ffff:a00:1',
    ])
      expect(isPrivateAddress(address), address).toBe(true);
  });
});

describe('the size of an answer', () => {
  const big = Buffer.alloc(4_000_000, 'a');
  const maxBytes = 1_000_000;

  it('is limited whether the publisher tells it or not, and nothing of it stays', async () => {
    const tells = await host(
      (_request, response) =>
        void response.writeHead(200, { 'content-length': big.length, etag: '"a"' }).end(big),
    );
    const silent = await host((_request, response) => {
      response.writeHead(200, { etag: '"a"' });
      response.write(big.subarray(0, 10));
      response.end(big);
    });
    for (const { origin } of [tells, silent])
      await expect(get({ url: origin, maxBytes })).rejects.toMatchObject({
        code: 'SRC_TOO_LARGE',
        message: expect.stringContaining('1000000 bytes') as string,
      });
    expect((await readdir(folder)).filter((file) => file.endsWith('.part'))).toEqual([]);
    expect(await get({ url: silent.origin, maxBytes: 5_000_000 })).toHaveLength(big.length + 10);
  });

  it('is that of the unpacked bytes', async () => {
    const packed = gzipSync(big);
    expect(packed.length).toBeLessThan(10_000);
    const bomb = await host(
      (_request, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    );
    await expect(get({ url: bomb.origin, maxBytes })).rejects.toMatchObject({
      code: 'SRC_TOO_LARGE',
    });
    expect((await get({ url: bomb.origin, maxBytes: big.length })).equals(big)).toBe(true);
    const cut = await host((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, 2_000));
    });
    await expect(get({ url: cut.origin })).rejects.toMatchObject({ code: 'SRC_TRUNCATED' });
  });

  it('is limited for a catalogue too', async () => {
    const endless = await host(
      (_request, response) => void response.end(Buffer.alloc(17 * 2 ** 20, ' ')),
    );
    const client = createHttpClient({ folder, userAgent: 'test', idleTimeoutMs: 5_000 });
    const answer = client.json({ url: endless.origin, signal: new AbortController().signal });
    await expect(answer).rejects.toMatchObject({ code: 'SRC_TOO_LARGE' });
  });
});
