import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../src/api/security/keys.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { makeOctober, OCTOBER_KEYS } from '../fixtures/enedis-october.ts';
import { RAW_KEY } from '../fixtures/enedis-server.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { TEST_SECRET } from '../fixtures/meters.ts';
import { rollUpDays, runDay, runDays } from '../fixtures/run-day.ts';
import { judge, SCHEMATHESIS } from '../fixtures/servers/schemathesis.ts';
import { builtServer, missingTool, say } from '../fixtures/servers/server-build.ts';

/**
 * The committed document against the real server, over real days and a real Temporal server, by an
 * outside judge.
 */

const NOW = new Date('2026-05-20T10:00:00Z');
const DATES = datesBetween('2026-04-29', '2026-05-02');
const CITY_DAY = '2026-05-01';
/** Of four roles, so that all of them take less than three minutes. */
const SECONDS = 35;

let portal: Portal;
let installation: Installation;
let api: RunningApi;
let folder: string;
let document: string;

const missing = await missingTool(SCHEMATHESIS);
if (missing === undefined) await builtServer(SCHEMATHESIS);
else say(`SKIPPED: schemathesis needs ${missing}, which is not installed`);

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Record<string, unknown>;
}
interface Body {
  readonly content: Readonly<
    Record<string, { readonly schema: { readonly properties?: Properties } }>
  >;
}
type Properties = Readonly<Record<string, Record<string, unknown>>>;
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Body;
}

/**
 * The committed document with names of what is there: a judge that guesses names finds nothing but
 * 404.
 */
async function withRealNames(): Promise<string> {
  const committed = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
  const parsed = JSON.parse(committed) as {
    readonly paths: Readonly<Record<string, Record<string, Operation>>>;
  };
  const names: Readonly<Record<string, Record<string, unknown>>> = {
    pipeline: { enum: ['eco2mix', 'cityflow', 'enedis'] },
    table: {
      enum: ['eco2mix_national', 'eco2mix_energies_month', 'cityflow_roads', 'meter_readings'],
    },
    rsc: { examples: ['R99000000000001', 'R99000000000007'] },
    pdl: { examples: ['99000000000001'] },
    prm: { examples: ['99000000000001'] },
    mois: { examples: ['2025-10-01'] },
    trimestre: { examples: ['2025-T4'] },
    schedule: { enum: ['daily', 'watch', 'retain'] },
    date: { examples: DATES },
    from: { examples: DATES.slice(0, 1) },
    to: { examples: DATES.slice(-1) },
    start: { examples: DATES.slice(0, 1) },
    end: { examples: DATES.slice(-1) },
    debut: { examples: DATES.slice(0, 1) },
    fin: { examples: DATES.slice(-1) },
  };
  const ofFlux = { table: { enum: ['c15', 'r151', 'r67', 'f15_detail', 'affaires'] } };
  const operations = Object.entries(parsed.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
  for (const { path, operation } of operations) {
    const own: typeof names = path.startsWith('/flux/') ? { ...names, ...ofFlux } : names;
    for (const { name, schema } of operation.parameters ?? []) {
      Object.assign(schema, own[name]);
      if (schema['type'] === 'array' && name in own) schema['examples'] = [schema['examples']];
    }
    const { properties = {} } = operation.requestBody?.content['application/json']?.schema ?? {};
    for (const [name, schema] of Object.entries(properties)) Object.assign(schema, names[name]);
  }
  return JSON.stringify(parsed);
}

describe.skipIf(missing !== undefined)('docs/openapi.json, judged by schemathesis', () => {
  beforeAll(async () => {
    portal = await startPortal({ now: () => NOW });
    const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
    const hosts = {
      ...{ odre: host, paris: host, idfm: host, 'visual-crossing': host, 'open-meteo': host },
      enedis: { fileKeys: OCTOBER_KEYS },
    };
    installation = await openInstallation({
      datasets: configuredDatasets(DATASETS, hosts, {}, () => Promise.resolve(TEST_SECRET)),
      settings: { QUOTIDIEN_RAW_KEYS: `k1:${RAW_KEY}` },
      change: () => ({ now: () => NOW }),
    });
    const { engine, home, address } = installation;
    await runDays(engine, 'eco2mix', DATES);
    await rollUpDays(engine, 'eco2mix', DATES);
    await makeOctober(engine);
    await runDay({ ...engine, now: () => new Date(`${CITY_DAY}T22:00:00Z`) }, 'cityflow', CITY_DAY);
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    api = await startApi(context, { host: '127.0.0.1', port: 0 });
    folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-judged-'));
    document = path.join(folder, 'openapi.json');
    await writeFile(document, await withRealNames());
  });

  afterAll(async () => {
    await api.close();
    await installation.close();
    await portal.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['nobody', undefined],
    ['a reader', 'ops:read'],
    ['an operator', 'ops:write'],
    ['an administrator', 'admin'],
  ] as const)(
    'has no failure as %s',
    async (role, scope) => {
      const { engine } = installation;
      const wanted = { owner: role, scopes: [scope ?? ''], days: 1, by: 'test' };
      const key =
        scope === undefined
          ? undefined
          : (await createKey(engine.documents, wanted, engine.now())).key;
      // Another seed each day: what was found once has a test of its own.
      const seed = Math.floor(Date.now() / 86_400_000);
      const { exit, cases, operations, output } = await judge({
        ...{ document, url: api.url, key, seconds: SECONDS, seed, folder },
      });
      expect(exit, output).toBe(0);
      expect(operations).toBeGreaterThan(100);
      expect(cases).toBeGreaterThan(100);
    },
    SECONDS * 3_000,
  );
});
