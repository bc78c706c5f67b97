import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../src/api/security/keys.ts';
import { createLink } from '../../../src/api/security/sessions.ts';
import { openApiOf } from '../../../src/api/server.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { tablesOf } from '../../../src/engine/look/table-cut.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Every documented route with a request that its schemas take, as every kind of caller: rights
 * alone decide.
 */

const HOST = 'api.example';
/** From less to more: each holds those before it. */
const LEVELS = ['data:read', 'ops:read', 'ops:write', 'admin'] as const;
type Level = (typeof LEVELS)[number];

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine(Object.values(DATASETS));
  api = await openTestApi(engine, { loopback: false, hosts: [HOST] });
  await api.ready();
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: {
    readonly content: { readonly 'application/json'?: { readonly schema: Schema } };
  };
}

/** Members that are needed, or that an action needs. */
const GIVEN: Readonly<Record<string, string>> = {
  pipeline: 'eco2mix',
  date: '2026-05-01',
  period: '2026-05',
  table: 'eco2mix_national',
  format: 'csv',
  version: '1',
  first: 'bikes',
  second: '2026-05-01',
  range: '2026-05-01_2026-05-02',
  hash: 'abcd',
  schedule: 'daily',
  action: 'decide',
  reason: 'because of a test',
  plan: 'abcd',
  from: '2026-05-01',
  to: '2026-05-02',
  start: '2026-05-01',
  end: '2026-05-02',
  debut: '2026-05-01',
  deb: '2026-05-01',
  fin: '2026-05-02',
  unit: 'x',
  step: 'download/tr',
  decision: 'accept',
};

/**
 * Given where they may be left out: without a range years are looked at, and without a contract
 * nothing.
 */
const RANGE = new Set(['from', 'to', 'start', 'end', 'debut', 'fin', 'rsc']);

interface Call {
  readonly name: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly request: InjectOptions;
  /** Whose it is; undefined where it is of no pipeline or of all. */
  readonly pipeline: string | undefined;
}

function valueOf(name: string, { enum: choices, pattern }: Schema): string {
  const wanted = GIVEN[name];
  // Some take months in the place of days.
  const given =
    pattern === undefined || new RegExp(pattern).test(wanted ?? 'x') ? wanted : wanted?.slice(0, 7);
  if (given !== undefined && (choices === undefined || choices.includes(given))) return given;
  return choices?.[0] ?? 'x';
}

function bodyOf({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  const wanted = Object.keys(properties).filter(
    (name) => required.includes(name) || name === 'step' || name === 'decision',
  );
  return Object.fromEntries(
    wanted.map((name) => [
      name,
      properties[name]!.type === 'array' ? [] : valueOf(name, properties[name]!),
    ]),
  );
}

/** Of the earlier billing system. */
const SUPPLIER =
  /^\/(flux|releves|facturation|perimetre|provision|taxes|ingestion)\b|\/pipeline-energie$/;

function pipelineOf(path: string): string | undefined {
  if (SUPPLIER.test(path)) return 'enedis';
  if (/\{pipeline\}|\{table\}|\/backfills$|\/backfill-plans$/.test(path)) return 'eco2mix';
  const question = /^\/api\/v1\/questions\/(\w+)$/.exec(path)?.[1];
  const asked = Object.values(DATASETS).find(({ questions = [] }) =>
    questions.some(({ id }) => id === question),
  );
  if (asked !== undefined) return asked.definition.name;
  if (/^\/api\/v1\/(meta|courbe_|echange|energie_)/.test(path)) return 'eco2mix';
  if (/^\/(consommation|production\/export-(?!parc)|echanges)/.test(path)) return 'eco2mix';
  if (/^\/(api\/)?(stats|metrics|reports?|correlations)\b/.test(path)) return 'cityflow';
  return undefined;
}

/** By the document. */
function calls(): Call[] {
  const { paths } = JSON.parse(openApiOf(api)) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  // Events do not end; that they are refused is tested with their cap.
  const ending = Object.entries(paths).filter(([path]) => !path.endsWith('/events'));
  return ending.flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, { parameters = [], requestBody }]) => {
      const method = verb.toUpperCase() as 'GET' | 'POST';
      const query = new URLSearchParams();
      let url = path;
      for (const { name, in: place, required, schema } of parameters) {
        if (place === 'path') url = url.replace(`{${name}}`, valueOf(name, schema));
        else if (place === 'query' && (required === true || RANGE.has(name)))
          query.set(name, valueOf(name, schema));
      }
      const schema = requestBody?.content['application/json']?.schema;
      const payload = schema === undefined ? {} : { payload: bodyOf(schema) };
      const request = {
        method,
        url: query.size === 0 ? url : `${url}?${query.toString()}`,
        ...payload,
      };
      return { name: `${method} ${path}`, path, method, request, pipeline: pipelineOf(path) };
    }),
  );
}

/** What a call needs, by what it is for; `free` for who watches whether the server lives. */
function needOf({ path, method }: Call): Level | 'free' {
  if (/^\/(api\/)?health$/.test(path)) return 'free';
  // Questions with many items, which change nothing.
  if (/^\/(facturation|perimetre)\//.test(path)) return 'data:read';
  if (method === 'POST') return path.endsWith('/backfill-plans') ? 'ops:read' : 'ops:write';
  if (/\/(schedules|backfills|backfill-plans|stores|failures|held)\b/.test(path)) return 'ops:read';
  if (/\/days\/\{date\}($|\/versions|\/diff)|\/periods\/\{period\}$/.test(path)) return 'ops:read';
  return 'data:read';
}

async function keyOf(scope: string): Promise<Record<string, string>> {
  const wanted = { owner: 'test', scopes: [scope], days: 1, by: 'test' };
  return {
    authorization: `Bearer ${(await createKey(engine.documents, wanted, engine.now())).key}`,
  };
}

async function sessionOf(role: 'reader' | 'operator' | 'admin'): Promise<Record<string, string>> {
  const link = await createLink(engine.documents, { name: 'alice', role }, engine.now());
  const entered = await api.inject({ url: `/console/enter?link=${link}`, headers: { host: HOST } });
  const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? '';
  return { cookie, origin: `https://${HOST}`, 'sec-fetch-site': 'same-origin' };
}

async function isLetIn({ request }: Call, headers: Record<string, string>): Promise<boolean> {
  const { statusCode, body } = await api.inject({
    ...request,
    headers: { host: HOST, ...headers },
  });
  // A body or a parameter that is not taken would hide what rights say.
  expect([400, 422], `${request.method} ${JSON.stringify(request.url)}: ${body}`).not.toContain(
    statusCode,
  );
  return statusCode !== 401 && statusCode !== 403;
}

async function letIn(headers: Record<string, string>, which = calls()): Promise<string[]> {
  const names: string[] = [];
  for (const call of which) if (await isLetIn(call, headers)) names.push(call.name);
  return names;
}

function namesOf(which: readonly Call[]): string[] {
  return which.map(({ name }) => name);
}

describe('every documented route', () => {
  it.each(LEVELS)('lets in a key with %s where that is enough, and nowhere else', async (level) => {
    const enough = calls().filter((call) => {
      const need = needOf(call);
      return need === 'free' || LEVELS.indexOf(need) <= LEVELS.indexOf(level);
    });
    expect(await letIn(await keyOf(level))).toEqual(namesOf(enough));
  });

  it.each([
    ['reader', 'ops:read'],
    ['operator', 'ops:write'],
    ['admin', 'admin'],
  ] as const)('lets in a %s in a session where a key with %s is let in', async (role, level) => {
    expect(await letIn(await sessionOf(role))).toEqual(await letIn(await keyOf(level)));
  });

  it.each(LEVELS)('of one pipeline lets in no key with %s of another', async (level) => {
    const own = calls().filter(({ pipeline }) => pipeline !== undefined);
    expect(own.length).toBeGreaterThan(80);
    for (const pipeline of new Set(own.map((call) => call.pipeline)))
      expect(
        await letIn(
          await keyOf(`${level}:${pipeline === 'parc' ? 'cityflow' : 'parc'}`),
          own.filter((call) => call.pipeline === pipeline),
        ),
      ).toEqual([]);
  });

  it('of a table lets in no key of another pipeline, whatever the table', async () => {
    const own = Object.keys(DATASETS);
    for (const [id, { pipeline }] of tablesOf(engine.datasets)) {
      const other = own.find((name) => name !== pipeline)!;
      for (const rest of ['', '/rows', '/file.csv', '/proof']) {
        const url = `/api/v1/tables/${id}${rest}`;
        const { statusCode } = await api.inject({
          url,
          headers: { host: HOST, ...(await keyOf(`admin:${other}`)) },
        });
        expect([url, other, statusCode]).toEqual([url, other, 403]);
      }
    }
  });

  it('lets in nobody who has no key, and no body with a member that it does not know', async () => {
    expect(await letIn({})).toEqual(['GET /health', 'GET /api/health']);
    const admin = await keyOf('admin');
    // What stores send is theirs to say.
    for (const { name, path, request } of calls().filter(({ method }) => method === 'POST')) {
      if (path.endsWith('/deposits')) continue;
      const payload = { ...(request.payload as object), unknown: 1 };
      const { statusCode, body } = await api.inject({
        ...request,
        payload,
        headers: { host: HOST, ...admin },
      });
      const refused = SUPPLIER.test(path) ? 422 : 400;
      expect([name, statusCode, body.includes('unknown')]).toEqual([name, refused, true]);
    }
  });
});
