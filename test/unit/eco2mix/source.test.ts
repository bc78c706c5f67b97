import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PORTAL_SOURCES } from '../../../src/datasets/eco2mix/source.ts';
import type { Portal } from '@quotidien/sample-portal/portal';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Runner } from './day-runner.ts';
import { dates } from '../../fixtures/step-runner.ts';
import { openRunner } from './day-runner.ts';

let runner: Runner;
let portal: Portal;
beforeAll(async () => {
  runner = await openRunner();
  portal = await startPortal({ now: () => new Date('2024-02-20T12:00:00Z') });
});
afterAll(async () => {
  await portal.close();
  await runner.close();
});

async function ask(part: string, from: string, to: string): Promise<string> {
  const answer = await fetch(`${portal.url}${PORTAL_SOURCES[part]!.pathOf({ from, to })}`);
  expect(answer.status).toBe(200);
  return answer.text();
}

describe('the portal as source', () => {
  it('asks for short names, times of Paris and exactly the days', () => {
    const base = '/api/explore/v2.1/catalog/datasets/eco2mix-national-tr/exports/csv';
    const format = 'delimiter=%3B&timezone=Europe%2FParis&use_labels=false';
    expect(PORTAL_SOURCES['tr']!.pathOf({ from: '2024-01-15', to: '2024-01-15' })).toBe(
      `${base}?${format}&where=date%3Ddate'2024-01-15'`,
    );
    const where = new URL(
      PORTAL_SOURCES['tr']!.pathOf({ from: '2024-01-01', to: '2024-01-31' }),
      'http://x',
    ).searchParams;
    expect(where.get('where')).toBe("date>=date'2024-01-01' and date<=date'2024-01-31'");
  });

  it('gets what slices are cut from, a day or a month at a time', async () => {
    for (const part of ['tr', 'cons-def']) {
      const month = {
        part,
        path: await runner.file('month.csv', await ask(part, '2024-01-01', '2024-01-31')),
      };
      const day = {
        part,
        path: await runner.file('day.csv', await ask(part, '2024-01-15', '2024-01-15')),
      };
      const ofMonth = await runner.slice(month, dates('2024-01-01', '2024-01-31'));
      const [ofDay] = await runner.slice(day, ['2024-01-15']);
      expect(ofMonth.map(({ facts }) => facts['rows'])).toEqual(ofMonth.map(() => 96));
      expect(ofDay!.outputs['slice']!.ref.sha256).toBe(ofMonth[14]!.outputs['slice']!.ref.sha256);
    }
  });

  it('gets an export with a header only for days that are not published', async () => {
    const path = await runner.file('none.csv', await ask('cons-def', '2024-02-15', '2024-02-15'));
    const [done] = await runner.slice({ part: 'cons-def', path }, ['2024-02-15']);
    expect([done!.outputs, done!.facts['rows']]).toEqual([{}, 0]);
  });

  it('reads the freshness that moves with the data', async () => {
    const freshness = PORTAL_SOURCES['tr']!.freshness!;
    const answer = await fetch(`${portal.url}${freshness.path}`);
    expect(freshness.valueOf(await answer.json())).toBe('2024-02-20T12:00:00+00:00');
    for (const document of [null, 'x', {}, { metas: { default: { modified: '2024' } } }]) {
      expect(freshness.valueOf(document)).toBeUndefined();
    }
  });
});
