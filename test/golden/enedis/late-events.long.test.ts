import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  c15Archive,
  OCTOBER_DAYS,
  octoberArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { createKey } from '../../../src/api/security/keys.ts';
import { diff } from '../../../src/cli/look/diff.ts';
import { plan } from '../../../src/cli/look/plan.ts';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { executeRollup } from '../../../src/engine/derive/execute-rollup.ts';
import type { Rehearsal } from '../../../src/engine/look/rehearse-day.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import type { NamedRow } from '../../../src/pipelines/version-diff.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { TEST_SECRET } from '../../fixtures/meters.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let server: SftpServer;
let engine: TestEngine;

beforeEach(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
});

afterEach(async () => {
  await engine.close();
  await server.close();
});

const LATE_DAY = '2025-10-25';

/** Makes the history as it is now; returns what it says of delivery points. */
async function makeHistory(): Promise<string[]> {
  const told: string[] = [];
  const control = { ...testControl(), progress: (note: string) => void told.push(note) };
  await executeRollup(
    engine,
    { pipeline: 'enedis', step: 'rollup/month', periods: ['2025-10'] },
    testControl(),
  );
  await executeRollup(
    engine,
    { pipeline: 'enedis', step: 'rollup/history', periods: ['all'] },
    control,
  );
  return told.filter((note) => note.includes('delivery points'));
}

function putLate(): void {
  const change = event({ pdl: '99000000000001', at: '2025-10-16', event: 'MDPRM', kva: '9' });
  putArchives(server, [c15Archive(2, '20251025050000', [change])]);
}

async function deliverLate(): Promise<void> {
  putLate();
  await runDays(engine, 'enedis', [LATE_DAY]);
}

/** The name by which plans and records know a month of the contract. */
function pseudonym(month: string): string {
  const hmac = createHmac('sha256', TEST_SECRET)
    .update(`enedis/mois/${CONTRACT}|${month}`)
    .digest('hex');
  return `${month}/${hmac.slice(0, 12)}`;
}

function namedIn({ periods }: Rehearsal): NamedRow[] {
  const outputs = periods.flatMap(
    ({ diff: made }) => made?.steps.flatMap((step) => step.outputs) ?? [],
  );
  return outputs.flatMap(({ content }) => (content.kind === 'table' ? (content.named ?? []) : []));
}

const MONTH_NAMES = /\d{4}-\d\d\/[0-9a-f]{12}/g;

/** What the stores hold of days, periods and published names. */
async function stored(): Promise<string[]> {
  const names: string[] = [];
  for (const prefix of ['core/', 'months/', 'history/', 'metrics/', 'reports/', 'enedis/']) {
    for await (const { key, etag } of engine.objects.list(prefix)) names.push(`${key} ${etag}`);
  }
  const manifests = await newestManifests(engine.documents, 'enedis', [
    ...OCTOBER_DAYS,
    LATE_DAY,
    '2025-10',
    'all',
  ]);
  return [...names, ...[...manifests.values()].map(({ scope, version }) => `${scope} ${version}`)];
}

const CONTRACT = 'R99000000000001';

/** The page that `quotidien enedis contrat` writes. */
async function pageOf(id: string): Promise<string> {
  const output = path.join(engine.home, 'contrat.html');
  const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat');
  const host = hostOf(testContext(engine), 'enedis contrat', 'enedis');
  await command?.run({ arguments: [id], options: { output } }, host);
  return readFile(output, 'utf8');
}

describe('an event that comes late', () => {
  it('has its contract made again and no other, to the bytes that are made from everything', async () => {
    await deliverLate();
    expect(await makeHistory()).toEqual(['1 of 15 delivery points are made again']);
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
      result: 'identical',
    });
  });

  it('has everything made again where a file of the newest version is gone', async () => {
    for await (const { key } of engine.objects.list('history/enedis/releves/'))
      await engine.objects.delete(key);
    await deliverLate();
    expect(await makeHistory()).toEqual([]);
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
      result: 'identical',
    });
  });

  it('has the months that it changes named by `plan`, from the command and over HTTP, before anything is made', async () => {
    putLate();
    const context = testContext(engine);
    await plan(context, { pipeline: 'enedis', from: LATE_DAY, probe: true, effects: false });
    const before = await stored();
    await plan(context, { pipeline: 'enedis', from: LATE_DAY, effects: true });
    const october = pseudonym('2025-10');
    expect(context.terminal.text().match(MONTH_NAMES)).toEqual([october]);
    expect(context.terminal.text()).toContain('rollup/history of all would get version 2');
    const api = await openTestApi(engine);
    const url = `/api/v1/pipelines/enedis/days/${LATE_DAY}/plan?effects=true`;
    const asked = { owner: 'team', by: 'tests', scopes: ['ops:write'], days: 1 } as const;
    const { key } = await createKey(engine.documents, asked, new Date());
    const over = await api.inject({
      url,
      headers: { host: 'localhost', authorization: `Bearer ${key}` },
    });
    await api.close();
    expect(over.statusCode, over.body).toBe(200);
    expect(namedIn(over.json<{ effects: Rehearsal }>().effects)).toEqual([
      { name: october, change: 'changed' },
    ]);
    expect(
      context.terminal.text() + JSON.stringify(context.terminal.values) + over.body,
    ).not.toMatch(/99000000000/);
    expect(await stored()).toEqual(before);
    await runDays(engine, 'enedis', [LATE_DAY]);
    expect(await makeHistory()).toEqual(['1 of 15 delivery points are made again']);
    await diff(context, { pipeline: 'enedis', date: 'all' });
    expect(context.terminal.text().match(MONTH_NAMES)).toEqual([october, october]);
  });

  it('has the months of its contract named by `diff` under their pseudonyms, and no contract or point', async () => {
    await deliverLate();
    await makeHistory();
    const context = testContext(engine);
    await diff(context, { pipeline: 'enedis', date: 'all' });
    const text = context.terminal.text();
    const october = pseudonym('2025-10');
    expect(text.match(MONTH_NAMES)).toEqual([october]);
    expect(text).toContain(`rows changed: ${october}`);
    expect(text + JSON.stringify(context.terminal.values)).not.toMatch(/99000000000|\brsc\b/i);
    expect(await pageOf(october)).toContain('9 kVA');
  });
});
