import { gzipSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { thinned } from '../../../src/console/charts/series.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-01';
const TABLE = '/console/tables/eco2mix_national';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const now = (): Date => new Date('2026-05-20T10:00:00Z');
  portal = await startPortal({ now });
  engine = await openTestEngine(
    Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } })),
    { now },
  );
  await runDay(engine, 'eco2mix', DAY);
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function open(url: string) {
  const { statusCode, body, rawPayload } = await api.inject({
    url,
    headers: { host: 'localhost:1234' },
  });
  return { status: statusCode, body, bytes: rawPayload };
}

function linkIn(html: string, text: string): string {
  const [, href = ''] = new RegExp(`<a href="([^"]*)">${text}`).exec(html) ?? [];
  return href.replaceAll('&amp;', '&');
}

interface Drawn {
  readonly places: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
  }[];
}

describe('the explorer', () => {
  it('shows chosen columns of a range, and draws what is chosen, with the exact numbers beside', async () => {
    const { status, body } = await open(
      `${TABLE}?from=${DAY}&to=${DAY}&columns=instant_at&columns=load_mw&y=load_mw&lang=en`,
    );
    expect(status).toBe(200);
    expect(body).toContain('96 rows');
    expect([...body.matchAll(/<th scope="col">/g)]).toHaveLength(2);
    expect(body).toMatch(
      /<figure id="explorer"[^>]*data-chart="\/console\/tables\/eco2mix_national\/chart.json/,
    );
    expect(body).toContain('<path class="line c0"');
    const { body: rows } = await open(
      `/api/v1/tables/eco2mix_national/rows?from=${DAY}&to=${DAY}&columns=instant_at,load_mw`,
    );
    const known = (JSON.parse(rows) as { rows: { instant_at: string; load_mw: number }[] }).rows;
    const drawn = JSON.parse(
      (await open(`${TABLE}/chart.json?from=${DAY}&to=${DAY}&y=load_mw`)).body,
    ) as Drawn;
    expect(drawn.places).toEqual(known.map(({ instant_at: at }) => at));
    expect(drawn.series).toEqual([
      { name: 'load_mw', values: known.map(({ load_mw: load }) => load) },
    ]);
  });

  it('makes one number of rows at one place, by the way that is asked for', async () => {
    const drawn = async (together: string): Promise<number> => {
      const { body } = await open(`${TABLE}/chart.json?x=revision&y=load_mw&together=${together}`);
      return Number((JSON.parse(body) as Drawn).series[0]?.values[0]);
    };
    expect(await drawn('count')).toBe(96);
    const [sum, mean] = [await drawn('sum'), await drawn('mean')];
    expect(sum / 96).toBeCloseTo(mean, 6);
    expect(await drawn('max')).toBeGreaterThan(mean);
  });

  it('gives the same rows in five formats, by a command, and by a link that names when they were known', async () => {
    const { body } = await open(`${TABLE}?columns=instant_at,load_mw&lang=en`);
    const counts: Record<string, number> = {};
    for (const format of ['csv', 'json', 'ndjson', 'parquet', 'arrow']) {
      const { status, body: text, bytes } = await open(linkIn(body, `${format}<`));
      expect([format, status]).toEqual([format, 200]);
      if (format === 'csv' || format === 'ndjson') counts[format] = text.trim().split('\n').length;
      if (format === 'json') counts[format] = (JSON.parse(text) as unknown[]).length;
      if (format === 'arrow') counts[format] = tableFromIPC(bytes).numRows;
      if (format === 'parquet') expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
    }
    expect(counts).toEqual({ csv: 97, json: 96, ndjson: 96, arrow: 96 });
    const [, curl = ''] = /<pre id="curl">curl '([^']*)'/.exec(body) ?? [];
    expect(curl.replaceAll('&amp;', '&')).toBe(
      `http://localhost:1234/api/v1/tables/eco2mix_national/file.csv?from=${DAY}&to=${DAY}&columns=instant_at%2Cload_mw`,
    );
    const permanent = linkIn(body, 'permanent link');
    expect(permanent).toContain('as_of=');
    await runDay(engine, 'eco2mix', DAY, { fromStep: 'transform' });
    const again = await open(permanent);
    expect([again.status, linkIn(again.body, 'permanent link')]).toEqual([200, permanent]);
  });

  it('says what is wrong with an address', async () => {
    for (const wrong of [
      'y=nothing',
      'y=revision',
      'columns=none',
      'kind=pie',
      'from=2026-05-02&to=2026-05-01',
      'z=1',
    ])
      expect([wrong, (await open(`${TABLE}?${wrong}`)).status]).toEqual([wrong, 400]);
    expect((await open('/console/tables/none')).status).toBe(404);
  });

  it('has its library from this server, and at most 75 KB of scripts', async () => {
    const { body } = await open(TABLE);
    const files = [...body.matchAll(/(?:src|href)="(\/console\/[\w.]+\.(?:js|css))"/g)].map(
      ([, path = '']) => path,
    );
    expect(files).toEqual(
      expect.arrayContaining(['/console/uplot.js', '/console/explorer.js', '/console/uplot.css']),
    );
    const sizes = { js: 0, css: 0 };
    for (const path of files) {
      const { status, bytes } = await open(path);
      expect([path, status]).toEqual([path, 200]);
      sizes[path.endsWith('.js') ? 'js' : 'css'] += gzipSync(bytes).length;
    }
    expect(sizes.js).toBeLessThan(75 * 1024);
    expect(sizes.css).toBeLessThan(15 * 1024);
  });
});

describe('a line of more values than a drawing has columns', () => {
  it('keeps every peak and every gap', () => {
    const values = Array.from({ length: 100_000 }, (_, index) =>
      index === 70_001 ? null : Math.sin(index) * 10,
    );
    values[5_003] = 99;
    values[90_007] = -99;
    // Behind the gap, in the same column.
    values[70_010] = 77;
    const kept = thinned(values, 900);
    expect(kept.length).toBeLessThan(5_000);
    expect(kept).toContainEqual([5_003, 99]);
    expect(kept).toContainEqual([90_007, -99]);
    expect(kept).toContainEqual([70_001, null]);
    expect(kept).toContainEqual([70_010, 77]);
    expect(kept.map(([index]) => index)).toEqual(
      [...kept.map(([index]) => index)].sort((a, b) => a - b),
    );
  });
});
