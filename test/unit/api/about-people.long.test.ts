import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../src/api/security/keys.ts';
import { openApiOf } from '../../../src/api/server.ts';
import { beginSession } from '../../../src/api/security/sessions.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openPeopleEngine, PEOPLE_DAY, PERSON, usedIn } from '../../fixtures/people-dataset.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Documents about people, in every class and over every route that gives what is stored: who is
 * told, by the person's key and figure in the answer.
 */

const DAY = PEOPLE_DAY;
const HOST = 'data.example';
const KINDS = { rows: 'parquet', report: 'html json csv parquet', month: 'json' };

let engine: TestEngine;
let here: ApiApp;
let open: ApiApp;

beforeAll(async () => {
  engine = await openPeopleEngine();
  here = await openTestApi(engine);
  await here.ready();
  open = await openTestApi(engine, {
    loopback: false,
    hosts: [HOST],
    publicUrl: `https://${HOST}`,
  });
});

afterAll(async () => {
  await here.close();
  await open.close();
  await engine.close();
});

interface Operation {
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    schema: { enum?: readonly string[] };
  }[];
}

const GIVEN: Readonly<Record<string, string>> = {
  pipeline: 'people',
  date: DAY,
  period: '2024-03',
  table: 'people_rows',
  version: '2',
  hash: 'abcd',
  from: DAY,
  to: DAY,
};

/** Every address with one of the values that its document names for it. */
function addresses(path: string, { parameters = [] }: Operation): string[] {
  const query = parameters
    .filter(
      ({ name, in: place, required }) =>
        place === 'query' && (required === true || name === 'from' || name === 'to'),
    )
    .map(({ name }) => `${name}=${GIVEN[name] ?? 'x'}`);
  let paths = [path];
  for (const { name, in: place, schema } of parameters) {
    if (place !== 'path') continue;
    const values = GIVEN[name] === undefined ? (schema.enum ?? ['x']) : [GIVEN[name]];
    paths = paths.flatMap((one) => values.map((value) => one.replace(`{${name}}`, value)));
  }
  return paths.map((one) => (query.length === 0 ? one : `${one}?${query.join('&')}`));
}

/** By the document, the published names, and the pages of the console. */
function everyAddress(): string[] {
  const { paths } = JSON.parse(openApiOf(here)) as {
    paths: Readonly<Record<string, { get?: Operation }>>;
  };
  const documented = Object.entries(paths).flatMap(([path, { get }]) =>
    get === undefined || path.endsWith('/events') ? [] : addresses(path, get),
  );
  const published = Object.entries(KINDS).flatMap(([name, kinds]) =>
    kinds.split(' ').map((kind) => `people/${name}_${name === 'month' ? '2024-03' : DAY}.${kind}`),
  );
  const console = [
    ...['', '/2024', '/years', `/${DAY}`, '/periods/2024-03'].map((rest) => `/people${rest}`),
    ...[
      'pages/people_page',
      'questions/people_most',
      'tables/people_rows',
      `tables/people_rows/chart.json?column=used`,
    ],
    ...['gaps', 'stale', 'failures', 'watch', 'stores', 'questions', 'tables', 'pages'],
  ].map((rest) => `/console/${rest.replace(/^\//, '')}`);
  return [
    ...documented,
    ...published.flatMap((name) => [`/store/${name}`, `/api/v1/pipelines/people/${name}`]),
    ...published.map(
      (name) => `/api/v1/pipelines/people/days/${DAY}/${name.slice('people/'.length)}`,
    ),
    ...console,
  ];
}

type Headers = Readonly<Record<string, string>>;

async function keyOf(...scopes: string[]): Promise<Headers> {
  const { key } = await createKey(
    engine.documents,
    { owner: 'test', scopes, days: 1, by: 'test' },
    engine.now(),
  );
  return { 'x-api-key': key };
}

async function sessionOf(
  role: 'reader' | 'operator' | 'admin',
  pipeline?: string,
): Promise<Headers> {
  const grant = pipeline === undefined ? { role } : { role, pipeline };
  const secret = await beginSession(
    engine.documents,
    { name: 'oidc:ada', role, grants: [grant] },
    engine.now(),
  );
  return { cookie: `__Host-quotidien-session=${secret}` };
}

interface Told {
  readonly status: number;
  readonly body: string;
  /** Where the address led at last. */
  readonly at: string;
}

async function ask(api: ApiApp, url: string, headers: Headers = {}): Promise<Told> {
  const host = api === here ? 'localhost' : HOST;
  const {
    statusCode: status,
    body,
    headers: told,
  } = await api.inject({ url, headers: { host, ...headers } });
  if (status === 302 && String(told.location).startsWith('/store/'))
    return ask(api, String(told.location), headers);
  return { status, body, at: url };
}

function tellsOfPerson({ body }: Pick<Told, 'body'>): boolean {
  return [PERSON, ...[1, 2].map((version) => String(usedIn(version)))].some((text) =>
    body.includes(text),
  );
}

/** Compressed: what is in them cannot be looked for, so that the status has to say it. */
function isPacked(url: string): boolean {
  return /\.(parquet|arrow|xlsx)\b/.test(url);
}

/** The addresses at which somebody is told of the person. */
async function toldTo(api: ApiApp, headers?: Headers): Promise<string[]> {
  const told: string[] = [];
  for (const url of everyAddress()) {
    const answer = await ask(api, url, headers);
    expect([url, answer.status < 500 || answer.status === 503], answer.body).toEqual([url, true]);
    if (tellsOfPerson(answer) || (isPacked(answer.at) && answer.status === 200)) told.push(url);
  }
  return told;
}

const day = `/api/v1/pipelines/people/days/${DAY}`;

describe('what is stored about people', () => {
  it('is told to nobody who does not say who they are, on this machine neither, and to no reader of another pipeline', async () => {
    expect(await toldTo(here)).toEqual([]);
    expect(await toldTo(open)).toEqual([]);
    expect(await toldTo(open, await keyOf('admin:other'))).toEqual([]);
    expect(await toldTo(open, await sessionOf('reader', 'other'))).toEqual([]);
  });

  it('is told to whoever may read the pipeline, over every route that has it', async () => {
    const all = await toldTo(here, await keyOf('ops:read:people'));
    for (const part of [
      '',
      '/versions/2',
      '/diff',
      '/report.html',
      '/report.json',
      '/report.parquet',
    ])
      expect(all).toContain(`${day}${part}`);
    expect(all).toEqual(
      expect.arrayContaining([
        '/api/v1/pipelines/people/periods/2024-03',
        ...['html', 'json', 'parquet'].map((kind) => `/store/people/report_${DAY}.${kind}`),
        `/store/people/rows_${DAY}.parquet`,
        '/store/people/month_2024-03.json',
        `/console/people/${DAY}`,
        '/console/people/periods/2024-03',
        '/console/pages/people_page',
        '/console/questions/people_most',
        '/console/tables/people_rows',
      ]),
    );
    for (const headers of [
      await sessionOf('reader'),
      await sessionOf('operator', 'people'),
      await sessionOf('admin'),
    ])
      expect(await toldTo(open, headers)).toEqual(all);
    const files = all.filter(
      (url) => /\/(report|file|rows|store|questions)\b/.test(url) && !url.startsWith('/console'),
    );
    expect(await toldTo(open, await keyOf('data:read:people'))).toEqual(
      expect.arrayContaining(files),
    );
  });
});
