import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../src/api/security/keys.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { isAboutPeople } from '../../../src/pipelines/about-people.ts';
import { classifiedColumns } from '../../../src/pipelines/classification.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import {
  OPEN_FIGURE,
  openPeopleEngine,
  PEOPLE_DAY as DAY,
  PERSON,
} from '../../fixtures/people-dataset.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Documents about people on this machine; every route as every caller: `about-people.long.test.ts`.
 */

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openPeopleEngine();
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function ask(
  url: string,
  ...scopes: string[]
): Promise<{ readonly status: number; readonly body: string }> {
  const wanted = { owner: 'test', scopes, days: 1, by: 'test' };
  const headers =
    scopes.length === 0
      ? {}
      : { 'x-api-key': (await createKey(engine.documents, wanted, engine.now())).key };
  const { statusCode: status, body } = await api.inject({
    url,
    headers: { host: 'localhost', ...headers },
  });
  return { status, body };
}

const day = `/api/v1/pipelines/people/days/${DAY}`;

describe('what is stored about people', () => {
  it('is told to a key of the pipeline, and of no other', async () => {
    for (const url of [`${day}/report.html`, `/store/people/report_${DAY}.html`]) {
      expect((await ask(url)).status).toBe(401);
      expect((await ask(url, 'data:read:other')).status).toBe(403);
      const told = await ask(url, 'data:read:people');
      expect([told.status, told.body.includes(PERSON)]).toEqual([200, true]);
    }
  });

  it('is refused with what to do, and what is open in its place', async () => {
    const refused = await ask(`${day}/report.html`);
    expect(JSON.parse(refused.body)).toMatchObject({ status: 401, code: 'AUTH_REQUIRED' });
    expect(refused.body).toContain('quotidien console');
    expect(refused.body).toContain('open to all readers: csv');
    const { body } = await ask(`/console/people/${DAY}?lang=en`);
    expect(body).toContain(`href="${day}/report.csv"`);
    expect(body).not.toContain(`href="${day}/report.html"`);
    expect(body).toContain('html (after signing in)');
  });

  it('leaves what a dataset declares as open to all who may read here', async () => {
    for (const url of [`${day}/report.csv`, `/store/people/report_${DAY}.csv`])
      expect(await ask(url)).toMatchObject({ status: 200, body: `${OPEN_FIGURE};2\n` });
    const dossier = await ask(day);
    expect(dossier.status).toBe(200);
    expect(dossier.body).toContain('"unit":"[personal]"');
    expect(dossier.body).toContain('"unit":"group 7"');
  });

  it('is what our datasets say of themselves', () => {
    const published = Object.fromEntries(
      Object.values(DATASETS).map(({ definition }) => {
        const outputs = [...definition.steps, ...definition.rollups].flatMap((step) =>
          Object.values(step.outputs),
        );
        const named = outputs.filter(({ publishAs }) => publishAs !== undefined);
        const isClassified = classifiedColumns(definition).size > 0;
        const names = (isClosed: boolean): string[] =>
          named
            .filter(
              (one) => isAboutPeople(definition, one) === isClosed && (isClosed || isClassified),
            )
            .map(({ publishAs }) => publishAs!)
            // Tables of the history.
            .filter((name) => !name.startsWith('enedis/'));
        return [definition.name, { open: names(false), closed: names(true) }];
      }),
    );
    expect(published).toMatchObject({
      eco2mix: { closed: [] },
      'eco2mix-regional': { closed: [] },
      parc: { closed: [] },
      cityflow: { closed: [] },
    });
    expect(published['smart-meter']).toMatchInlineSnapshot(`
      {
        "closed": [
          "processed/metrics/meter_quality_{scope}.json",
          "processed/metrics/meter_expectations_{scope}.json",
          "processed/metrics/meter_metrics_{scope}.json",
          "processed/reports/meter_report_{scope}.json",
          "processed/reports/meter_report_{scope}.html",
          "processed/reports/meter_quality_{scope}.html",
        ],
        "open": [
          "processed/reports/meter_report_{scope}.csv",
          "processed/reports/meter_week_{scope}.csv",
          "processed/reports/meter_report_{scope}.parquet",
          "processed/metrics/meter_month_{scope}.json",
        ],
      }
    `);
    expect(published['enedis']).toMatchInlineSnapshot(`
      {
        "closed": [
          "reports/enedis/monthly_report.json",
          "reports/enedis/monthly_review.csv",
          "reports/enedis/monthly_review.parquet",
          "reports/enedis/monthly_report.html",
        ],
        "open": [
          "reports/enedis/daily_report_{scope}.json",
          "reports/enedis/daily_report_{scope}.csv",
          "reports/enedis/daily_report_{scope}.parquet",
          "reports/enedis/daily_report_{scope}.html",
          "reports/enedis/monthly_report.csv",
          "reports/enedis/monthly_report.parquet",
        ],
      }
    `);
  });
});
