import { describe, expect, it } from 'vitest';
import type { Row } from './portal-client.ts';
import {
  CONS,
  datasetUrl,
  exportRows,
  exportText,
  exportUrl,
  openPortal,
  parseRows,
  TR,
} from './portal-client.ts';
import { openGet, rawGet } from './http-client.ts';

const JANUARY = "date >= date'2024-01-01' AND date <= date'2024-01-31'";

describe('where of an export', () => {
  const DAY = "date=date'2024-01-15'";

  it.each([
    ["date = date'2024-01-15'", 96],
    ["date='2024-01-15'", 96],
    ['date = "2024-01-15"', 96],
    [JANUARY, 31 * 96],
    ["date > date'2024-01-14' and date < date'2024-01-17'", 2 * 96],
    ["date in [date'2024-01-15'..date'2024-01-16']", 2 * 96],
    ["date in [date'2024-01-15'..date'2024-01-16'[", 96],
    ["date in ]date'2024-01-15'..date'2024-01-16']", 96],
    ["date_heure >= '2024-01-15T00:00:00+01:00' AND date_heure < '2024-01-16T00:00:00+01:00'", 96],
    ["date_heure >= '2024-01-14T23:00:00Z' AND date_heure <= '2024-01-15T22:45:00Z'", 96],
    ["date_heure >= date'2024-01-15' AND date_heure < date'2024-01-15T01:00'", 4],
    ["date_heure >= '2024-01-15T12:07:00+01:00' AND date_heure <= '2024-01-15T12:31:00+01:00'", 2],
    ["date_heure = '2024-01-15T12:00:00+01:00'", 1],
    ["date_heure in [date'2024-01-15T00:00:00+01:00'..date'2024-01-15T23:45:00+01:00']", 96],
    ["date=date'2024-01-15' AND date=date'2024-01-16'", 0],
  ])('selects by %s', async (where, rows) => {
    const portal = await openPortal();
    expect(await exportRows(portal, CONS, where)).toHaveLength(rows);
  });

  it.each([
    "date=date'2024-02-30'",
    "date=date'15/01/2024'",
    'date',
    "date==date'2024-01-15'",
    `${DAY} OR date=date'2024-01-16'`,
    `${DAY} AND`,
    'consommation > 3',
    "region=date'2024-01-15'",
    "year(date) = '2024'",
    "date in [date'2024-01-15', date'2024-01-16']",
    "date_heure >= '2024-01-15T25:00:00Z'",
  ])('refuses %s as the publisher does', async (where) => {
    const portal = await openPortal();
    const response = await fetch(exportUrl(portal, CONS, where));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error_code: 'ODSQLError',
      message: expect.stringContaining('ODSQL query is malformed') as unknown,
    });
  });

  it('refuses what it does not support rather than answer other rows', async () => {
    const portal = await openPortal();
    for (const more of [
      { select: 'date' },
      { limit: '5' },
      { timezone: 'Asia/Tokyo' },
      { delimiter: '--' },
      { use_labels: '1' },
    ]) {
      const response = await fetch(exportUrl(portal, CONS, DAY, more));
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error_code: 'InvalidRESTParameterError' });
    }
  });
});

describe('text of an export', () => {
  it('has French labels that differ between the datasets, or short names', async () => {
    const portal = await openPortal({ publication: { layout: '2024' } });
    const head = async (dataset: string, labels: string): Promise<string[]> =>
      (await exportText(portal, dataset, "date=date'2001-01-01'", { use_labels: labels }))
        .trimEnd()
        .split(';');
    expect((await head(TR, 'true')).slice(0, 6)).toEqual([
      'Périmètre',
      'Nature',
      'Date',
      'Heure',
      'Date - Heure',
      'Consommation (MW)',
    ]);
    expect((await head(CONS, 'true'))[4]).toBe('Date et Heure');
    expect((await head(CONS, 'true'))[31]).toBe("Hydraulique - Fil de l'eau + éclusée (MW)");
    expect((await head(CONS, 'false')).slice(3, 8)).toEqual([
      'heure',
      'date_heure',
      'consommation',
      'prevision_j1',
      'prevision_j',
    ]);
  });

  it('is UTF-8 with LF, without a byte order mark unless asked for, with the delimiter asked for', async () => {
    const portal = await openPortal();
    const where = "date=date'2024-01-15'";
    const plain = (await rawGet(exportUrl(portal, CONS, where))).body;
    const marked = (await rawGet(exportUrl(portal, CONS, where, { with_bom: 'true' }))).body;
    expect(plain.toString('utf8')).toContain('France;Données définitives;2024-01-15;');
    expect(plain.includes('\r')).toBe(false);
    expect(plain.at(-1)).toBe(10);
    expect(marked).toEqual(Buffer.concat([Buffer.from('\u{FEFF}'), plain]));
    const commas = await exportText(portal, CONS, where, { delimiter: ',' });
    expect(commas.replaceAll(',', ';')).toBe(plain.toString('utf8'));
  });
});

describe('conditional requests', () => {
  it('answers 304 while the content is the same, and 200 again when it changes', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, JANUARY);
    const first = await rawGet(url);
    const etag = first.headers.etag!;
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(first.headers['last-modified']).toBe('Thu, 19 Mar 2026 23:00:00 GMT');
    const unchanged = await rawGet(url, { 'if-none-match': `"other", W/${etag}` });
    expect([unchanged.status, unchanged.body.length, unchanged.headers.etag]).toEqual([
      304,
      0,
      etag,
    ]);
    portal.revise({ dataset: CONS, from: '2024-01-15', to: '2024-01-15', salt: 1 });
    const changed = await rawGet(url, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  it('keeps the ETag of closed and future days while the clock moves, and moves that of today', async () => {
    let now = new Date('2026-03-20T11:20:00Z');
    const portal = await openPortal({ now: () => now });
    const etags = async (): Promise<(string | undefined)[]> => [
      (await rawGet(exportUrl(portal, CONS, JANUARY))).headers.etag,
      (await rawGet(exportUrl(portal, TR, "date=date'2026-03-20'"))).headers.etag,
      (await rawGet(exportUrl(portal, TR, "date=date'2026-03-01'"))).headers.etag,
      (await rawGet(exportUrl(portal, TR, "date=date'2026-03-21'"))).headers.etag,
    ];
    const before = await etags();
    now = new Date('2026-03-20T13:20:00Z');
    const after = await etags();
    expect(after.map((tag, index) => tag === before[index])).toEqual([true, false, true, true]);
  });

  it('distinguishes the formats of the same rows', async () => {
    const portal = await openPortal();
    const formats = [
      {},
      { use_labels: 'true' },
      { timezone: 'UTC' },
      { delimiter: ',' },
      { with_bom: 'true' },
    ];
    const tags = await Promise.all(
      formats.map(
        async (format) => (await rawGet(exportUrl(portal, CONS, JANUARY, format))).headers.etag,
      ),
    );
    expect(new Set(tags).size).toBe(formats.length);
  });

  it('answers If-Modified-Since by data_processed', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, JANUARY);
    expect(
      (await rawGet(url, { 'if-modified-since': 'Thu, 19 Mar 2026 23:00:00 GMT' })).status,
    ).toBe(304);
    expect(
      (await rawGet(url, { 'if-modified-since': 'Thu, 19 Mar 2026 22:59:59 GMT' })).status,
    ).toBe(200);
  });
});

describe('range requests', () => {
  it('resumes a download to the same bytes, and starts again when the content has changed', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, JANUARY);
    const whole = await rawGet(url);
    expect(whole.headers['accept-ranges']).toBe('bytes');
    const rest = await rawGet(url, { range: 'bytes=100000-', 'if-range': whole.headers.etag! });
    expect(rest.status).toBe(206);
    expect(rest.headers['content-range']).toBe(
      `bytes 100000-${whole.body.length - 1}/${whole.body.length}`,
    );
    expect(Buffer.concat([whole.body.subarray(0, 100_000), rest.body])).toEqual(whole.body);
    portal.revise({ dataset: CONS, from: '2024-01-01', to: '2024-01-01', salt: 1 });
    const again = await rawGet(url, { range: 'bytes=100000-', 'if-range': whole.headers.etag! });
    expect([again.status, again.headers.etag === whole.headers.etag]).toEqual([200, false]);
  });

  it('answers first, last and middle bytes, and 416 beyond the end', async () => {
    const portal = await openPortal();
    const url = exportUrl(portal, CONS, "date=date'2024-01-15'");
    const { body } = await rawGet(url);
    expect((await rawGet(url, { range: 'bytes=0-99' })).body).toEqual(body.subarray(0, 100));
    expect((await rawGet(url, { range: 'bytes=-50' })).body).toEqual(body.subarray(-50));
    expect((await rawGet(url, { range: 'bytes=70-70' })).body).toEqual(body.subarray(70, 71));
    const beyond = await rawGet(url, { range: `bytes=${body.length}-` });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([
      416,
      `bytes */${body.length}`,
    ]);
    expect((await rawGet(url, { range: 'lines=1-2' })).status).toBe(200);
  });
});

describe('streaming', () => {
  it('answers all years, chunked, while memory stays bounded', async () => {
    const portal = await openPortal();
    const response = await openGet(exportUrl(portal, CONS));
    expect(response.headers['transfer-encoding']).toBe('chunked');
    const before = process.memoryUsage().arrayBuffers;
    let rows = -1;
    let bytes = 0;
    let peak = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1;
    }
    expect(rows).toBe((Date.UTC(2026, 2, 1) - Date.UTC(2012, 0, 1)) / 900_000);
    expect(bytes).toBeGreaterThan(70_000_000);
    expect(peak).toBeLessThan(48_000_000);
  });

  it('waits for a client that does not read, and stops when it leaves', async () => {
    const portal = await openPortal();
    const response = await openGet(exportUrl(portal, CONS));
    const request = portal.requests[0]!;
    for (let turn = 0; turn < 5; turn++) await exportText(portal, CONS, JANUARY);
    expect(request.bytesSent).toBeLessThan(20_000_000);
    response.destroy();
    await request.finished;
    const sent = request.bytesSent;
    await exportText(portal, CONS, JANUARY);
    expect(request.bytesSent).toBe(sent);
  });

  it('serves parallel clients the bytes that each would get alone', async () => {
    const portal = await openPortal();
    const months = Array.from({ length: 12 }, (_, month) => {
      const text = String(month + 1).padStart(2, '0');
      return `date >= date'2023-${text}-01' AND date <= date'2023-${text}-28'`;
    });
    const together = await Promise.all(months.map((where) => exportText(portal, CONS, where)));
    for (const [index, where] of months.entries())
      expect(await exportText(portal, CONS, where)).toBe(together[index]);
  });
});

describe('catalogue', () => {
  it('tells data_processed, a frozen modified, the number of records and the fields', async () => {
    const portal = await openPortal();
    const entry: unknown = await (await fetch(datasetUrl(portal, TR))).json();
    const days = (Date.UTC(2026, 2, 22) - Date.UTC(2025, 9, 20)) / 86_400_000;
    expect(entry).toMatchObject({
      dataset_id: TR,
      metas: {
        default: {
          title: 'Données éCO2mix nationales temps réel',
          modified: '2021-05-18T13:02:11+00:00',
          data_processed: '2026-03-20T11:00:00+00:00',
          // The day on which summer time ended is among them.
          records_count: days * 96 + 4,
        },
      },
    });
    const fields = (entry as { fields: { name: string; label: string; type: string }[] }).fields;
    expect(fields).toHaveLength(41);
    expect(fields[4]).toMatchObject({
      name: 'date_heure',
      label: 'Date - Heure',
      type: 'datetime',
    });
    expect(fields[5]).toMatchObject({ name: 'consommation', type: 'int' });
    expect(await exportRows(portal, TR)).toHaveLength(days * 96 + 4);
  });

  it('answers 404 in JSON for an unknown dataset or place, 405 for another method', async () => {
    const portal = await openPortal();
    const unknown = await fetch(datasetUrl(portal, 'nope'));
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error_code: 'NotFoundError', message: 'Unknown dataset: nope' },
    ]);
    expect((await fetch(exportUrl(portal, 'nope'))).status).toBe(404);
    expect((await fetch(`${portal.url}/nope`)).status).toBe(404);
    expect((await fetch(datasetUrl(portal, TR), { method: 'POST' })).status).toBe(405);
  });

  it('serves only the datasets that it is told to', async () => {
    const portal = await openPortal({ datasets: [CONS] });
    expect((await fetch(datasetUrl(portal, TR))).status).toBe(404);
    expect((await fetch(datasetUrl(portal, CONS))).status).toBe(200);
    await expect(openPortal({ datasets: ['nope'] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('records', () => {
  interface Page {
    readonly total_count: number;
    readonly results: readonly Readonly<Record<string, string | number | null>>[];
  }

  it('pages through the same rows as the export, 100 at a time, null where a cell is empty', async () => {
    const portal = await openPortal();
    const where = "date in [date'2024-01-15'..date'2024-01-16']";
    const pages: Page[] = [];
    for (const offset of ['0', '100']) {
      const query = new URLSearchParams({ where, limit: '100', offset, timezone: 'Europe/Paris' });
      pages.push(
        (await (
          await fetch(`${datasetUrl(portal, CONS)}/records?${query.toString()}`)
        ).json()) as Page,
      );
    }
    const rows = pages.flatMap((page) => page.results);
    expect(pages.map((page) => page.total_count)).toEqual([192, 192]);
    const texts = rows.map((row): Row =>
      Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell ?? '')])),
    );
    expect(texts).toEqual(parseRows(await exportText(portal, CONS, where)));
    expect(rows.some((row) => row['consommation'] === null)).toBe(true);
  });

  it('refuses more than 100 at once and windows past the 10,000th', async () => {
    const portal = await openPortal();
    for (const query of ['limit=101', 'limit=100&offset=9901', 'limit=-1', 'limit=x']) {
      const response = await fetch(`${datasetUrl(portal, CONS)}/records?${query}`);
      expect(response.status).toBe(400);
    }
  });
});

describe('what the portal tells of its requests', () => {
  it('records method, path, query, headers, status and time of each', async () => {
    const portal = await openPortal();
    await fetch(exportUrl(portal, TR, "date=date'2026-03-01'"), {
      headers: { 'user-agent': 'quotidien/1' },
    });
    await fetch(datasetUrl(portal, 'nope'));
    expect(portal.requests).toHaveLength(2);
    expect(portal.requests[0]).toMatchObject({
      method: 'GET',
      path: `/api/explore/v2.1/catalog/datasets/${TR}/exports/csv`,
      query: { where: "date=date'2026-03-01'", timezone: 'Europe/Paris' },
      endpoint: 'export',
      dataset: TR,
      status: 200,
      at: new Date('2026-03-20T11:20:00Z'),
      headers: { 'user-agent': 'quotidien/1' },
    });
    expect(portal.requests[1]).toMatchObject({ endpoint: 'catalog', dataset: 'nope', status: 404 });
  });

  it('resolves nextRequest at the next matching request, not at an earlier one', async () => {
    const portal = await openPortal();
    await fetch(datasetUrl(portal, TR));
    const next = portal.nextRequest({ endpoint: 'catalog', dataset: TR });
    await fetch(datasetUrl(portal, CONS));
    await fetch(datasetUrl(portal, TR));
    expect(await next).toBe(portal.requests[2]);
  });

  it('holds matching requests until they are released, and lets others pass', async () => {
    const portal = await openPortal();
    const held = portal.hold({ endpoint: 'export', where: /2024-01-15/ });
    const answers = ['2024-01-15', '2024-01-15'].map((day) =>
      fetch(exportUrl(portal, CONS, `date=date'${day}'`)),
    );
    await held.arrived;
    expect((await fetch(exportUrl(portal, CONS, "date=date'2024-01-16'"))).status).toBe(200);
    expect(portal.requests[0]!.status).toBeUndefined();
    held.release();
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([200, 200]);
  });

  it('drops what is open when it closes, and frees its port', async () => {
    const portal = await openPortal();
    const port = Number(new URL(portal.url).port);
    const held = portal.hold();
    const answer = fetch(datasetUrl(portal, TR)).catch((error: unknown) => error);
    await held.arrived;
    const never = portal.nextRequest();
    const response = await Promise.all([portal.close(), answer]);
    expect(response[1]).toBeInstanceOf(Error);
    await expect(never).rejects.toThrow(/closed/);
    const successor = await openPortal({ port });
    expect(successor.url).toBe(portal.url);
    await expect(openPortal({ port })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('finishes the record of a request whose client leaves', async () => {
    const portal = await openPortal();
    const held = portal.hold();
    const controller = new AbortController();
    const answer = fetch(datasetUrl(portal, TR), { signal: controller.signal }).catch(() => 'left');
    await held.arrived;
    controller.abort();
    expect(await answer).toBe('left');
    await portal.requests[0]!.finished;
    held.release();
    expect((await fetch(datasetUrl(portal, TR))).status).toBe(200);
  });
});
