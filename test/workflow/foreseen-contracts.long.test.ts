import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  c15Archive,
  octoberArchives,
  OCTOBER_DAYS,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { diff } from '../../src/cli/look/diff.ts';
import { plan } from '../../src/cli/look/plan.ts';
import { dayResult, finishRollup, startDay } from '../../src/cli/temporal/runs.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { enedisSettings, putArchives, startDistributor } from '../fixtures/enedis-server.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { runDays } from '../fixtures/run-day.ts';

let server: SftpServer;
let installation: Installation;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  installation = await openInstallation({ datasets: { enedis }, settings: enedisSettings(server) });
  await runDays(installation.engine, 'enedis', OCTOBER_DAYS);
  await finishRollup(installation.target, 'enedis');
}, 120_000);

afterAll(async () => {
  await installation.close();
  await server.close();
});

const LATE_DAY = '2025-10-25';

it('names before the run of a late archive the months that its workflows then change, and no others', async () => {
  const change = event({ pdl: '99000000000001', at: '2025-10-16', event: 'MDPRM', kva: '9' });
  putArchives(server, [c15Archive(2, '20251025050000', [change])]);
  const { engine, home, address, target } = installation;
  const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
  await plan(context, { pipeline: 'enedis', from: LATE_DAY, probe: true, effects: true });
  const names = (): string[] => context.terminal.text().match(/\d{4}-\d\d\/[0-9a-f]{12}/g) ?? [];
  const [foreseen, ...more] = names();
  expect([foreseen, more]).toEqual([expect.stringMatching(/^2025-10\//), []]);
  // Nothing of the trial is there: neither the day nor another version of the history.
  const versions = async () => {
    const known = await newestManifests(engine.documents, 'enedis', [LATE_DAY, 'all']);
    return Object.fromEntries([...known].map(([scope, { version }]) => [scope, version]));
  };
  expect(await versions()).toEqual({ all: 1 });
  await dayResult(await startDay(target, { pipeline: 'enedis', date: LATE_DAY }));
  await finishRollup(target, 'enedis');
  expect(await versions()).toEqual({ [LATE_DAY]: 1, all: 2 });
  await diff(context, { pipeline: 'enedis', date: 'all' });
  expect(names()).toEqual([foreseen, foreseen]);
  expect(context.terminal.text() + JSON.stringify(context.terminal.values)).not.toMatch(
    /99000000000/,
  );
}, 120_000);
