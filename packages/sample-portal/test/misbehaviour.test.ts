import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PortalFault } from '../src/portal.ts';
import { failureOf, openGet, rawGet, wireText } from './http-client.ts';
import {
  CONS,
  dataProcessed,
  datasetUrl,
  exportText,
  exportUrl,
  openPortal,
  parseRows,
  TR,
} from './portal-client.ts';

const DAY = "date=date'2024-01-15'";
const MONTH = "date >= date'2024-01-01' AND date <= date'2024-01-31'";

describe('which requests a fault hits', () => {
  it('hits as many as it says, of those that match, and in the order of the faults', async () => {
    const portal = await openPortal();
    portal.behave({
      kind: 'status',
      status: 429,
      times: 2,
      match: { endpoint: 'export', dataset: CONS },
    });
    portal.behave({ kind: 'status', status: 503, times: 1, match: { endpoint: 'export' } });
    const statuses = [];
    for (const url of [
      datasetUrl(portal, CONS),
      exportUrl(portal, CONS, DAY),
      exportUrl(portal, CONS, DAY),
      exportUrl(portal, CONS, DAY),
      exportUrl(portal, CONS, DAY),
    ]) {
      statuses.push((await fetch(url)).status);
    }
    expect(statuses).toEqual([200, 429, 429, 503, 200]);
    expect(portal.requests.map((request) => request.status)).toEqual(statuses);
  });

  it('ends when it is undone', async () => {
    const portal = await openPortal();
    const undo = portal.behave({
      kind: 'status',
      status: 503,
      match: (request) => request.dataset === TR,
    });
    expect((await fetch(datasetUrl(portal, TR))).status).toBe(503);
    undo();
    expect((await fetch(datasetUrl(portal, TR))).status).toBe(200);
  });

  it.each<[string, PortalFault['match'], readonly number[]]>([
    ['a path', { path: `/api/explore/v2.1/catalog/datasets/${TR}` }, [503, 200, 200]],
    ['an expression on the path', { path: /exports/ }, [200, 503, 503]],
    ['the where', { where: DAY }, [200, 200, 503]],
    ['the method', { method: 'HEAD' }, [200, 200, 200]],
    ['everything', {}, [503, 503, 503]],
  ])('matches by %s', async (_, match, expected) => {
    const portal = await openPortal();
    portal.behave({ kind: 'status', status: 503, match: match! });
    const urls = [
      datasetUrl(portal, TR),
      exportUrl(portal, TR, MONTH),
      exportUrl(portal, CONS, DAY),
    ];
    expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual(expected);
  });
});

describe('wrong answers', () => {
  it('limits the rate with seconds or a date to wait for', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'status', status: 429, retryAfter: 7, times: 1 });
    portal.behave({
      kind: 'status',
      status: 429,
      retryAfter: new Date('2026-03-20T11:21:00Z'),
      times: 1,
    });
    expect((await rawGet(exportUrl(portal, TR))).headers['retry-after']).toBe('7');
    expect((await rawGet(exportUrl(portal, TR))).headers['retry-after']).toBe(
      'Fri, 20 Mar 2026 11:21:00 GMT',
    );
  });

  it.each([401, 403, 503])('answers %i with an error in JSON', async (status) => {
    const portal = await openPortal();
    portal.behave({ kind: 'status', status });
    const response = await fetch(exportUrl(portal, TR, DAY));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ errorcode: status });
  });

  it('answers an HTML page, an LFS pointer or nothing with status 200', async () => {
    const portal = await openPortal();
    for (const kind of ['html', 'lfs-pointer', 'empty'] as const) portal.behave({ kind, times: 1 });
    const [html, pointer, empty] = [
      await rawGet(exportUrl(portal, TR, DAY)),
      await rawGet(exportUrl(portal, TR, DAY)),
      await rawGet(exportUrl(portal, TR, DAY)),
    ];
    expect([html.status, pointer.status, empty.status]).toEqual([200, 200, 200]);
    expect(html.headers['content-type']).toContain('text/html');
    expect(html.body.toString()).toMatch(/^<!DOCTYPE html>/);
    expect(pointer.headers['content-type']).toContain('text/csv');
    expect(pointer.body.toString()).toMatch(
      /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:/,
    );
    expect(empty.body).toHaveLength(0);
  });
});

describe('broken connections', () => {
  it('resets before any header', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'reset', at: 'start', times: 1 });
    expect(await failureOf(exportUrl(portal, CONS, DAY))).toBe('ECONNRESET');
    expect(portal.requests[0]!.status).toBeUndefined();
    expect((await rawGet(exportUrl(portal, CONS, DAY))).status).toBe(200);
  });

  it('resets in the middle of a body', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'reset', at: 'body', afterBytes: 10_000, times: 1 });
    const answer = await rawGet(exportUrl(portal, CONS, MONTH));
    expect(answer.status).toBe(200);
    expect(answer.broken).toBe('ECONNRESET');
    expect(answer.body.length).toBeLessThanOrEqual(10_000);
  });

  it('announces more bytes than it sends', async () => {
    const portal = await openPortal();
    const whole = await rawGet(exportUrl(portal, CONS, MONTH));
    portal.behave({ kind: 'truncated', framing: 'content-length' });
    const answer = await rawGet(exportUrl(portal, CONS, MONTH));
    expect(answer.headers['content-length']).toBe(String(whole.body.length));
    expect(answer.broken).toBe('ECONNRESET');
    expect(answer.body).toEqual(whole.body.subarray(0, Math.floor(whole.body.length / 2)));
  });

  it('ends a chunked body properly in the middle of a row', async () => {
    const portal = await openPortal();
    const whole = (await rawGet(exportUrl(portal, CONS, MONTH))).body;
    for (let afterBytes = 20_000; afterBytes < 20_200; afterBytes += 13) {
      portal.behave({ kind: 'truncated', framing: 'chunked', afterBytes, times: 1 });
      const { broken, body, headers } = await rawGet(exportUrl(portal, CONS, MONTH));
      expect([broken, headers['content-length']]).toEqual([undefined, undefined]);
      expect(whole.subarray(0, body.length).equals(body)).toBe(true);
      expect(body.length).toBeGreaterThanOrEqual(afterBytes);
      expect(body.length).toBeLessThan(afterBytes + 200);
      expect(body.toString().split('\n').at(-1)).toMatch(/^France;Don/);
      expect(whole[body.length]).not.toBe(10);
    }
    portal.behave({ kind: 'truncated', framing: 'chunked', afterBytes: 300, times: 1 });
    expect((await wireText(exportUrl(portal, CONS, DAY))).endsWith('0\r\n\r\n')).toBe(true);
  });

  it('ends a chunked body after a row, which only the missing rows betray', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'truncated', framing: 'chunked', end: 'row' });
    const { broken, body } = await rawGet(exportUrl(portal, CONS, DAY));
    expect(broken).toBeUndefined();
    expect(body.at(-1)).toBe(10);
    const rows = parseRows(body.toString()).length;
    expect(rows).toBeGreaterThan(20);
    expect(rows).toBeLessThan(80);
  });
});

describe('slowness', () => {
  it('sends so many bytes a second', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'slow', bytesPerSecond: 40_000 });
    const startedAt = performance.now();
    const { body } = await rawGet(exportUrl(portal, CONS, DAY));
    expect(parseRows(body.toString())).toHaveLength(96);
    expect(performance.now() - startedAt).toBeGreaterThan((body.length / 40_000) * 900);
  });

  it('stalls in the middle until it is released or undone', async () => {
    const portal = await openPortal();
    const whole = (await rawGet(exportUrl(portal, CONS, DAY))).body;
    for (const how of ['released', 'undone'] as const) {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const undo = portal.behave({
        kind: 'stall',
        afterBytes: 5_000,
        ...(how === 'released' ? { released } : {}),
      });
      const response = await openGet(exportUrl(portal, CONS, DAY));
      const received: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) {
        received.push(chunk);
        if (Buffer.concat(received).length === 5_000) (how === 'released' ? release : undo)();
      }
      expect(Buffer.concat(received)).toEqual(whole);
      undo();
    }
  });

  it('lets a client that gives up on a stalled body go', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'stall', afterBytes: 0 });
    const response = await openGet(exportUrl(portal, CONS, DAY));
    response.destroy();
    await portal.requests[0]!.finished;
    expect(portal.requests[0]!.bytesSent).toBe(0);
  });
});

describe('changed headers', () => {
  it('renames, removes, adds and reorders columns', async () => {
    const portal = await openPortal();
    const [original] = parseRows(await exportText(portal, CONS, DAY, { use_labels: 'true' }));
    const changed = async (fault: PortalFault): Promise<Readonly<Record<string, string>>> => {
      const undo = portal.behave(fault);
      const rows = parseRows(await exportText(portal, CONS, DAY, { use_labels: 'true' }));
      undo();
      expect(rows).toHaveLength(96);
      return rows[0]!;
    };
    const names = Object.keys(original!);
    const renamed = await changed({
      kind: 'header',
      change: { rename: 'consommation', to: 'Conso. nette (MW)' },
    });
    expect(renamed['Conso. nette (MW)']).toBe(original!['Consommation (MW)']);
    expect(Object.keys(renamed)).not.toContain('Consommation (MW)');
    const removed = await changed({ kind: 'header', change: { remove: 'Consommation (MW)' } });
    expect(Object.keys(removed)).toEqual(names.filter((name) => name !== 'Consommation (MW)'));
    const added = await changed({
      kind: 'header',
      change: { add: 'Hydrogène (MW)', before: 'Solaire (MW)' },
    });
    expect(added).toEqual({ ...original, 'Hydrogène (MW)': '17' });
    expect(Object.keys(added).indexOf('Hydrogène (MW)')).toBe(names.indexOf('Solaire (MW)'));
    const reordered = await changed({ kind: 'header', change: { reorder: 'reverse' } });
    expect(reordered).toEqual(original);
    expect(Object.keys(reordered)).toEqual([...names].reverse());
  });

  it('moves the ETag with the bytes', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, DAY);
    const { etag } = (await rawGet(url)).headers;
    portal.behave({ kind: 'header', change: { remove: 'consommation' } });
    expect((await rawGet(url, { 'if-none-match': etag! })).status).toBe(200);
  });
});

describe('wrong ETags', () => {
  it('says 304 although the content and data_processed have moved', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, DAY);
    const before = await dataProcessed(portal, CONS);
    const first = await rawGet(url);
    portal.behave({ kind: 'etag', mode: 'stale', match: { endpoint: 'export' } });
    const stale = await rawGet(url);
    portal.revise({ dataset: CONS, from: '2024-01-15', to: '2024-01-15', salt: 1 });
    expect((await rawGet(url, { 'if-none-match': first.headers.etag! })).status).toBe(304);
    expect((await rawGet(url, { 'if-none-match': stale.headers.etag! })).status).toBe(304);
    const now = await rawGet(url);
    expect(now.headers.etag).toBe(stale.headers.etag);
    expect(now.body.equals(stale.body)).toBe(false);
    expect(await dataProcessed(portal, CONS)).not.toBe(before);
  });

  it('changes the ETag at every answer although the content stays', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'etag', mode: 'volatile' });
    const url = exportUrl(portal, CONS, DAY);
    const first = await rawGet(url);
    const second = await rawGet(url, { 'if-none-match': first.headers.etag! });
    expect(second.status).toBe(200);
    expect(second.headers.etag).not.toBe(first.headers.etag);
    expect(second.body.equals(first.body)).toBe(true);
  });

  it('sends no ETag at all', async () => {
    const portal = await openPortal();
    portal.behave({ kind: 'etag', mode: 'missing' });
    const answer = await rawGet(exportUrl(portal, CONS, DAY), { 'if-none-match': '"x"' });
    expect([answer.status, answer.headers.etag]).toEqual([200, undefined]);
  });
});

describe('gzip', () => {
  it('compresses for clients that accept it, under an ETag of its own', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, DAY);
    const plain = await rawGet(url);
    portal.behave({ kind: 'gzip' });
    const zipped = await rawGet(url, { 'accept-encoding': 'gzip, br' });
    const refused = await rawGet(url, { 'accept-encoding': 'identity' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(zipped.body.length).toBeLessThan(plain.body.length / 2);
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.headers.etag).not.toBe(plain.headers.etag);
    expect([refused.headers['content-encoding'], refused.body]).toEqual([undefined, plain.body]);
    expect(await exportText(portal, CONS, DAY)).toBe(plain.body.toString());
    const rest = await rawGet(url, {
      'accept-encoding': 'gzip',
      range: 'bytes=100-',
      'if-range': zipped.headers.etag!,
    });
    expect(Buffer.concat([zipped.body.subarray(0, 100), rest.body])).toEqual(zipped.body);
  });
});
