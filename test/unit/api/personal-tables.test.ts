import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPersonalColumns } from '../../../src/api/security/callers.ts';
import { createKey } from '../../../src/api/security/keys.ts';
import { beginSession } from '../../../src/api/security/sessions.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { questionsOf } from '../../../src/engine/look/ask-question.ts';
import { tablesOf } from '../../../src/engine/look/table-cut.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/** Every table with columns about people, and every question over one: who is told. */

const placed = [...tablesOf(DATASETS).values()].filter((table) => hasPersonalColumns(table));
const personal = new Map(placed.map(({ table, pipeline }) => [table.id, pipeline]));
const questions = [...questionsOf(DATASETS)].flatMap(([id, { question }]) => {
  const pipeline = question.tables
    .map((table) => personal.get(table))
    .find((found) => found !== undefined);
  return pipeline === undefined ? [] : [{ id, pipeline }];
});
const PATHS = [
  ...[...personal].flatMap(([id, pipeline]) => {
    const day = 'from=2024-01-01&to=2024-01-01';
    const paths = [
      `/api/v1/tables/${id}/rows?${day}`,
      `/api/v1/tables/${id}/file?${day}`,
      `/console/tables/${id}`,
    ];
    return paths.map((path) => ({ path, pipeline }));
  }),
  ...questions.flatMap(({ id, pipeline }) =>
    [`/api/v1/questions/${id}`, `/console/questions/${id}`].map((path) => ({ path, pipeline })),
  ),
];

let engine: TestEngine;
let here: ApiApp;
let open: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine(Object.values(DATASETS));
  here = await openTestApi(engine);
  open = await openTestApi(engine, {
    loopback: false,
    hosts: ['data.example'],
    publicUrl: 'https://data.example',
  });
});

afterAll(async () => {
  await here.close();
  await open.close();
  await engine.close();
});

/**
 * How each is answered to a reader of a pipeline, or to somebody who says nothing of themselves.
 */
async function statuses(
  api: ApiApp,
  host: string,
  reader?: string,
): Promise<Record<string, number>> {
  const grant = { role: 'reader', ...(reader === undefined ? {} : { pipeline: reader }) } as const;
  const person = { name: 'oidc:alice', role: 'reader', grants: [grant] } as const;
  const secret =
    reader === undefined ? '' : await beginSession(engine.documents, person, engine.now());
  const cookie = `__Host-quotidien-session=${secret}`;
  const answers = PATHS.map(async ({ path }) => {
    const { statusCode } = await api.inject({ url: path, headers: { host, cookie } });
    return [path, statusCode] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/**
 * The questions that an assistant is offered: as a reader of a pipeline, or of somebody who says
 * nothing of themselves.
 */
async function toolsOf(api: ApiApp, host: string, reader?: string): Promise<string[]> {
  const wanted = { owner: 'test', scopes: [`data:read:${reader}`], days: 1, by: 'test' };
  const key =
    reader === undefined
      ? undefined
      : (await createKey(engine.documents, wanted, engine.now())).key;
  const { body } = await api.inject({
    method: 'POST',
    url: '/mcp',
    headers: {
      host,
      accept: 'application/json, text/event-stream',
      ...(key === undefined ? {} : { 'x-api-key': key }),
    },
    payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
  });
  const { result } = JSON.parse(body) as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}

const all = (status: number) => Object.fromEntries(PATHS.map(({ path }) => [path, status]));

describe('what is about people', () => {
  it('is in tables and questions of several pipelines', () => {
    expect(new Set(personal.values()).size).toBeGreaterThan(1);
    expect(questions.length).toBeGreaterThan(0);
  });

  it('is told to nobody who does not say who they are, on this machine neither', async () => {
    expect(await statuses(here, 'localhost')).toEqual(all(401));
    expect(await statuses(open, 'data.example')).toEqual(all(401));
  });

  it('is told to who may read its pipeline, and not to who may read another', async () => {
    expect(await statuses(open, 'data.example', 'eco2mix')).toEqual(all(403));
    for (const pipeline of new Set(personal.values())) {
      const found = await statuses(open, 'data.example', pipeline);
      const refused = PATHS.filter(({ path }) => found[path] === 401 || found[path] === 403);
      expect(refused.filter((one) => one.pipeline === pipeline)).toEqual([]);
      expect(refused.length).toBe(PATHS.filter((one) => one.pipeline !== pipeline).length);
    }
  });

  it('is offered to an assistant as the questions are answered, no more and no less', async () => {
    const every = [...questionsOf(DATASETS)];
    const asked = questions.map(({ id }) => id);
    const open = every.filter(([id]) => !asked.includes(id)).map(([id]) => id);
    expect(await toolsOf(here, 'localhost')).toEqual(open);
    for (const { pipeline } of questions)
      expect(await toolsOf(here, 'localhost', pipeline)).toEqual(
        every.filter(([, placed]) => placed.pipeline === pipeline).map(([id]) => id),
      );
  });
});
