import fc from 'fast-check';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../src/api/shared/app.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { KnownVersions } from '../../src/engine/look/known-versions.ts';
import { cutTable, tablesOf } from '../../src/engine/look/table-cut.ts';
import { readRowSets } from '../../src/engine/look/table-rows.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { openTestApi } from '../fixtures/api-server.ts';
import { rollUpDays, runDays } from '../fixtures/run-day.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

const DATES = datesBetween('2026-03-25', '2026-05-05');
const NOW = new Date('2026-06-20T10:00:00Z');

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now: () => NOW });
  await runDays(engine, 'eco2mix', DATES);
  // April alone is read as one file, the days around it one by one.
  await rollUpDays(
    engine,
    'eco2mix',
    DATES.filter((date) => date.startsWith('2026-04')),
  );
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function get(url: string) {
  const answer = await api.inject({ url, headers: { host: '127.0.0.1' } });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer;
}

/** The address of the next page, with another size of page. */
function nextOf(link: string, limit: number): string | undefined {
  const next = /<([^>]+)>; rel="next"/.exec(link)?.[1];
  return next?.replace(/limit=\d+/, `limit=${limit}`);
}

describe('a sequence of pages', () => {
  it('is the file, whatever the sizes of the pages and the range', async () => {
    const sizes = fc.array(fc.integer({ min: 40, max: 3_000 }), { minLength: 1, maxLength: 6 });
    const ends = fc.tuple(fc.constantFrom(...DATES), fc.constantFrom(...DATES));
    const columns = fc.constantFrom('instant_at', 'instant_at,load_mw', 'load_mw,revision');
    await fc.assert(
      fc.asyncProperty(sizes, ends, columns, async (limits, [one, other], names) => {
        const [from, to] = one < other ? [one, other] : [other, one];
        const query = `from=${from}&to=${to}&columns=${names}`;
        let text = '';
        let url: string | undefined =
          `/api/v1/tables/eco2mix_national/rows.ndjson?${query}&limit=${limits[0]}`;
        for (let page = 1; url !== undefined; page += 1) {
          const { body, headers } = await get(url);
          text += body;
          url = nextOf(String(headers.link), limits[page % limits.length] ?? 1);
        }
        expect(text).toBe((await get(`/api/v1/tables/eco2mix_national/file.ndjson?${query}`)).body);
      }),
      { numRuns: 15 },
    );
  });
});

describe('readers of a table', () => {
  it('take turns, two sets at a time and none ahead of its reader, and each gets every row in order', async () => {
    let open = 0;
    let most = 0;
    let read = 0;
    const counted = {
      ...engine,
      sql: {
        session: (async (work, options) => {
          open += 1;
          read += 1;
          most = Math.max(most, open);
          try {
            return await engine.sql!.session(work, options);
          } finally {
            open -= 1;
          }
        }) satisfies NonNullable<TestEngine['sql']>['session'],
      },
    } as unknown as TestEngine;
    const table = tablesOf(engine.datasets).get('eco2mix_national')!;
    const cut = await cutTable(engine, new KnownVersions(engine), table, {
      from: DATES[0]!,
      to: DATES.at(-1)!,
    });
    const columns = ['instant_at'];
    const slow = readRowSets(counted, cut, { columns });
    await slow.next();
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    expect(read).toBe(1);
    const all = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const instants: unknown[] = [];
        for await (const rows of readRowSets(counted, cut, { columns }))
          instants.push(...rows.map((row) => row['instant_at']));
        return instants;
      }),
    );
    expect(most).toBe(2);
    expect(all[0]).toHaveLength(DATES.length * 96 - 4);
    for (const instants of all) expect(instants).toEqual([...instants].sort());
    await slow.return(undefined);
  });

  it('that hang up give their turn back', async () => {
    const table = tablesOf(engine.datasets).get('eco2mix_national')!;
    const cut = await cutTable(engine, new KnownVersions(engine), table, {
      from: DATES[0]!,
      to: DATES.at(-1)!,
    });
    const gone = Array.from({ length: 6 }, async () => {
      const control = new AbortController();
      const sets = readRowSets(engine, cut, { signal: control.signal });
      const first = sets.next();
      control.abort(new Error('hung up'));
      await first;
    });
    const ends = await Promise.allSettled(gone);
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 'rejected'));
    const { done } = await readRowSets(engine, cut, {}).next();
    expect(done).toBe(false);
  });
});
