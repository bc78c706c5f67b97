import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { octoberArchives, OCTOBER_DAYS } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { createLink } from '../../src/api/security/sessions.ts';
import { decide } from '../../src/cli/make/decide.ts';
import { show } from '../../src/cli/look/show.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { CommandContext } from '../../src/cli/shared/context.ts';
import { dayResult, finishRollup, startDay } from '../../src/cli/temporal/runs.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { enedisSettings, startDistributor } from '../fixtures/enedis-server.ts';
import { protocolText } from '../fixtures/history-text.ts';
import type { Installation } from '../fixtures/installation.ts';
import { openInstallation } from '../fixtures/installation.ts';
import { PlainBrowser } from '../fixtures/plain-browser.ts';
import { runDays } from '../fixtures/run-day.ts';
import { testControl } from '../fixtures/test-engine.ts';

/** Months of contracts that wait for a person, through the rollup's workflow and the command. */

let server: SftpServer;
let installation: Installation;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  installation = await openInstallation({
    datasets: { enedis },
    settings: enedisSettings(server),
  });
  await runDays(installation.engine, 'enedis', OCTOBER_DAYS);
  await finishRollup(installation.target, 'enedis');
});

afterAll(async () => {
  await installation.close();
  await server.close();
});

async function table<T>(name: string, where: string): Promise<T[]> {
  const file = path.join(installation.home, 'store', 'enedis', `${name}.parquet`);
  return installation.engine.sql!.session((sql) =>
    sql.rows<T & object>(`SELECT * FROM read_parquet('${file}') WHERE ${where}`),
  );
}

/** A browser of an operator, on a console that ends with the test. */
async function signIn(context: CommandContext): Promise<PlainBrowser> {
  const api = await startApi(context, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => api.close());
  const browser = new PlainBrowser(api.url);
  const { engine } = installation;
  const link = await createLink(
    engine.documents,
    { name: 'ada@host', role: 'operator' },
    engine.now(),
  );
  await browser.open(`/console/enter?link=${link}`);
  return browser;
}

async function history() {
  return (await newestManifests(installation.engine.documents, 'enedis', ['all'])).get('all');
}

/** The delivery points of the archives. */
const POINT = /990000000000\d\d/;

const FELL = "mois = '2025-10' AND pdl = '99000000000011'";

interface Held {
  readonly unite: string;
  readonly motif: string;
  readonly index_debut: string;
  readonly index_fin: string;
  readonly est_retenu: boolean;
  readonly decision: string | null;
}

describe('a month of a contract whose index fell', () => {
  it('is held with its readings while the rest of the month goes on, until a person decides', async () => {
    const [held] = await table<Held>('retenus', FELL);
    expect(held).toMatchObject({
      motif: 'index en baisse',
      index_debut: 'base 5000',
      index_fin: 'base 4900',
      decision: null,
    });
    expect(await history()).toMatchObject({ verdict: 'degraded', version: 1 });
    expect(await table('mois', `mois = '2025-10' AND NOT est_retenu`)).toHaveLength(15);
    const { engine, home, address } = installation;
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    await show(context, { pipeline: 'enedis', date: 'all' });
    expect(context.terminal.text()).toContain(held!.unite);
    // Records have a pseudonym, and nothing of the point or its readings.
    expect(JSON.stringify(await history())).not.toMatch(/99000000000011|base 5000/);
    const order = {
      pipeline: 'enedis',
      date: 'all',
      unit: held!.unite,
      accept: true,
      reason: 'meter was read',
      by: 'ada',
    };
    expect(await decide(context, order)).toBe(0);
    expect(context.terminal.text()).toContain(`enedis all, ${held!.unite}: accept on 1 checks`);
    expect(await table<Held>('mois', FELL)).toMatchObject([
      { est_retenu: false, decision: 'acceptée' },
    ]);
    expect(await history()).toMatchObject({
      verdict: 'degraded',
      version: 2,
      decisions: [{ unit: held!.unite, by: 'ada' }],
    });
    // A meter that had 45,000 kWh after less than a month.
    const [other, ...more] = await table<Held>('retenus', 'decision IS NULL');
    expect([other?.motif, more]).toEqual(['plus de 1000 kWh par jour', []]);
    const browser = await signIn(context);
    const page = await browser.open('/console/enedis/periods/all?lang=en');
    // The rejected one, and the other under its pseudonym: nothing of the point or its readings
    // here either.
    expect(page.html).toContain(other!.unite);
    expect(page.html).not.toMatch(/9900000000/);
    expect((await browser.open('/console/gaps?lang=en')).html).toContain(
      '/console/enedis/periods/all?lang=en#held',
    );
    const asked = { unit: other!.unite, decision: 'reject', reason: 'meter is broken' };
    const told = await browser.submit(page, '/periods/all/decideUnit', asked);
    expect(told.html).toContain('The decision is kept');
    await finishRollup(installation.target, 'enedis');
    expect(await table<Held>('mois', 'est_retenu')).toMatchObject([
      { unite_retenue: other!.unite, decision: 'rejetée' },
    ]);
    expect(await history()).toMatchObject({ verdict: 'ok', version: 3 });
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
      result: 'identical',
    });
  });

  it('is in no history of a run and in no log, so nothing of these has to end with the tables', async () => {
    const { client, target, home } = installation;
    const day = await startDay(target, {
      pipeline: 'enedis',
      date: OCTOBER_DAYS[0]!,
      fromStep: 'transform',
    });
    await dayResult(day);
    const options = { taskQueue: target.taskQueue, workflowId: 'retain/enedis' };
    await client.workflow.execute('retain', { ...options, args: [{ pipeline: 'enedis' }] });
    for (const workflowId of [day.workflowId, 'rollup/enedis', options.workflowId]) {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const text = protocolText([events]);
      expect(text).toContain('enedis');
      expect(text).not.toMatch(POINT);
    }
    expect(await readFile(path.join(home, 'server.log'), 'utf8')).not.toMatch(POINT);
  });

  it('is decided on by its name alone', async () => {
    const { engine, home, address } = installation;
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    const order = {
      pipeline: 'enedis',
      date: 'all',
      unit: '2025-10/nobody',
      reject: true,
      reason: 'no such month',
      by: 'ada',
    };
    await expect(decide(context, order)).rejects.toMatchObject({
      cause: {
        type: 'PLAN_INVALID',
        message: expect.stringContaining('2025-10/nobody is not held') as string,
      },
    });
  });
});
