import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { secretsOf } from '../../../src/config/secrets.ts';
import { openClickHouse } from '../../../src/storage/sql/clickhouse.ts';

/** A server that refuses as ClickHouse does, and remembers what it was asked. */
const asked: { path: string; user: string; text: string }[] = [];
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (part: Buffer) => (text += part.toString()));
  request.on('end', () => {
    const [, code = ''] = (request.headers.authorization ?? '').split(' ');
    asked.push({ path: request.url ?? '', user: Buffer.from(code, 'base64').toString(), text });
    response.writeHead(403).end('Code: 497. DB::Exception: not enough privileges. (ACCESS_DENIED)');
  });
});
const TABLE = { name: 't', columns: [{ name: 'a', type: 'integer' }], order: ['a'] } as const;
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('the address of ClickHouse', () => {
  it('is asked with its user, and what it refuses is told as refused', async () => {
    const { port } = server.address() as AddressInfo;
    const copies = openClickHouse(`http://ada:pass%20word@127.0.0.1:${port}/`, 'energy');
    try {
      await expect(copies.prepare(TABLE)).rejects.toMatchObject({ code: 'STORE_DENIED' });
    } finally {
      await copies.close();
    }
    expect(asked[0]).toMatchObject({ user: 'ada:pass word' });
    expect(asked[0]!.text + asked[0]!.path).toContain('CREATE');
  });

  it('that nobody listens at is a store that is away', async () => {
    // Port 1 is nobody's on any of our machines.
    const copies = openClickHouse('http://127.0.0.1:1/', 'energy');
    try {
      await expect(copies.scopesOf(TABLE)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      await copies.close();
    }
  });

  it('has a password that no line tells', () => {
    const url = 'https://ada:s3cret-of-hers@clickhouse.test:8443/energy';
    const config = loadConfig({
      env: { QUOTIDIEN_CLICKHOUSE_URL: url },
      cwd: '/tmp',
      home: '/tmp/none',
      hosts: [],
    });
    expect(secretsOf(config)).toContain('s3cret-of-hers');
  });
});
