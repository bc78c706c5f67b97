import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { openPrimary } from '../../src/workers/open-stores.ts';
import { runDays } from '../fixtures/run-day.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import { FERRETDB, startFerretDb } from '../fixtures/servers/ferretdb.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import { awsSettings, stateOf } from './remote-stores.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
const NOW = new Date('2026-06-20T10:00:00Z');
const DAYS = datesBetween('2026-03-27', '2026-03-29');
/** Besides those of the days, so that a migration notes on its way how far it came. */
const MORE_OBJECTS = 400;

let folder: string;
let home: string;
let expected: Record<string, unknown>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-migrate-'));
  home = path.join(folder, 'embedded');
  const portal = await startPortal({ now: () => NOW });
  const settings = { QUOTIDIEN_ODRE_URL: portal.url, QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100' };
  const config = loadConfig({ env: settings, cwd: folder, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  await runDays({ ...engine, now: () => NOW }, 'eco2mix', DAYS);
  for (let n = 0; n < MORE_OBJECTS; n += 1) {
    const body = Buffer.from(`object ${n}`);
    await engine.objects.put(`raw/other/${n}.txt`, body, {
      mode: 'create',
      mediaType: 'text/plain',
    });
  }
  expected = withoutVersions(await stateOf(engine.stores.primary));
  await engine.close();
  await portal.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Those of documents begin at 1 again in a copy. */
function withoutVersions(state: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(state).map(([name, found]) => {
    return [
      name,
      typeof found === 'object' && found !== null ? { ...found, version: undefined } : found,
    ];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** `quotidien migrate` as a process of its own, that may be killed at the first line like this. */
async function migrate(profile: string, killedAt?: RegExp) {
  const args = [
    '--import',
    'tsx',
    MAIN,
    '--home',
    home,
    '--json',
    'migrate',
    '--from',
    'embedded',
    '--to',
    profile,
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  const exited = once(child, 'exit');
  let notes = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    notes += `${line}\n`;
    if (killedAt?.test(line) === true) child.kill('SIGKILL');
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  const [exit] = (await exited) as [number | null];
  return {
    exit,
    notes,
    report: lines.length === 0 ? undefined : (JSON.parse(lines.join('\n')) as unknown),
  };
}

/**
 * Copies the installation with a kill on the way, again, and once more, to the stores that the
 * settings name.
 */
async function expectMigration(name: string, settings: Record<string, string>): Promise<void> {
  const target = path.join(folder, name);
  const profile = `${target}.json`;
  await writeFile(profile, JSON.stringify({ ...settings, QUOTIDIEN_HOME: target }));
  expect(await migrate(profile, /384 objects/)).toMatchObject({ exit: null, report: undefined });
  const second = await migrate(profile);
  expect(second, second.notes).toMatchObject({ exit: 0, report: { conflicts: [] } });
  expect(second.notes).toMatch(/going on: \d+ copies are noted/);
  const config = loadConfig({
    env: settings,
    cwd: folder,
    home: target,
    hosts: publisherHosts(DATASETS),
  });
  const stores = await openPrimary(config);
  try {
    expect(withoutVersions(await stateOf(stores))).toEqual(expected);
  } finally {
    await stores.close();
  }
  // Without a note of an earlier run all is compared, and nothing is written.
  const third = await migrate(profile);
  expect(third).toMatchObject({
    exit: 0,
    report: { objects: { copied: 0 }, documents: { copied: 0 } },
  });
}

await describeWithServer(FERRETDB, startFerretDb, (mongo) => {
  describe('quotidien migrate, killed on its way and started again', () => {
    it('copies an embedded installation to local files and MongoDB (FerretDB), each thing once', async () => {
      const { url } = await mongo();
      await expectMigration('files-mongodb', { MONGODB_URL: url, MONGODB_DATABASE: 'copied' });
    });
  });
});

await describeWithServer(
  VERSITY_GATEWAY,
  startVersityGateway,
  (s3) => {
    describe('quotidien migrate, killed on its way and started again', () => {
      it('copies an embedded installation to S3 and DynamoDB, each thing once', async () => {
        const dynamo = await startDynamoDbLocal();
        try {
          await expectMigration('aws', await awsSettings(await s3(), dynamo, 'copied'));
        } finally {
          await dynamo.stop();
        }
      });
    });
  },
  [DYNAMODB_LOCAL],
);
