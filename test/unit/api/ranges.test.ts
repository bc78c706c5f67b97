import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openApiOf } from '../../../src/api/server.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-01';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const now = () => new Date('2026-06-20T10:00:00Z');
  portal = await startPortal({ now });
  const datasets = Object.values(configuredDatasets(DATASETS, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now });
  await runDay(engine, 'eco2mix', DAY);
  await rollUpDays(engine, 'eco2mix', [DAY]);
  api = await openTestApi(engine);
  await api.ready();
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: { readonly enum?: readonly string[] };
}
interface Read {
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, unknown>>;
}

const NAMES: Readonly<Record<string, string>> = {
  pipeline: 'eco2mix',
  table: 'eco2mix_national',
  format: 'csv',
};
const STARTS = new Set(['from', 'start', 'debut', 'first']);
const ENDS = new Set(['to', 'end', 'fin', 'second']);

/** What is asked of a parameter: eight centuries; undefined for one that may be left out. */
function centuries({ name, required, schema }: Parameter): string | undefined {
  if (STARTS.has(name)) return '1600-02-29';
  if (ENDS.has(name)) return '2400-02-29';
  return required === true ? (NAMES[name] ?? schema.enum?.[0] ?? DAY) : undefined;
}

it('of eight centuries are given, or refused with a status that the document tells, whatever the operation', async () => {
  const { paths } = JSON.parse(openApiOf(api)) as {
    readonly paths: Readonly<Record<string, { readonly get?: Read }>>;
  };
  const asked: [string, number][] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    const parameters = get?.parameters ?? [];
    if (get === undefined || !parameters.some(({ name }) => ENDS.has(name))) continue;
    let url = path;
    const query = new URLSearchParams();
    for (const parameter of parameters) {
      const value = centuries(parameter);
      if (value === undefined) continue;
      if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, value);
      else query.set(parameter.name, value);
    }
    const { statusCode } = await api.inject({
      url: `${url}?${query}`,
      headers: { host: 'localhost' },
    });
    const told = Object.keys(get.responses);
    expect([
      url,
      statusCode,
      told.includes('default') || told.includes(String(statusCode)),
    ]).toEqual([url, statusCode, true]);
    asked.push([url, statusCode]);
  }
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter(([, status]) => status === 422).length).toBeGreaterThan(10);
});
