import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, resultOf, startDay, startWatch } from '../../src/cli/temporal/runs.ts';
import { examineFolders } from '../../src/cli/doctor/folders.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { KEY_32 } from '@quotidien/sample-portal/sftp/archive-writer';
import { october } from '@quotidien/sample-portal/sftp/october';
import {
  OTHER_FILES,
  c15Archive,
  octoberArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import {
  RAW_KEY,
  SFTP_PASSWORD,
  enedisSettings,
  fetchedFrom,
  putArchives,
  startDistributor,
} from '../fixtures/enedis-server.ts';
import type { Installation } from '../fixtures/installation.ts';
import { openInstallation } from '../fixtures/installation.ts';

/** Days whose files come into a folder, through workflows, queues and settings. */

let server: SftpServer;
let installation: Installation;

beforeAll(async () => {
  server = await startDistributor([...octoberArchives(), ...OTHER_FILES]);
  installation = await openInstallation({
    datasets: { enedis },
    settings: { ...enedisSettings(server), QUOTIDIEN_ROLLUP_QUIET_MS: '600000' },
  });
});

afterAll(async () => {
  await installation.close();
  await server.close();
});

async function run(date: string) {
  return dayResult(await startDay(installation.target, { pipeline: 'enedis', date }));
}

async function verdictOf(date: string): Promise<string | undefined> {
  return (await newestManifests(installation.engine.documents, 'enedis', [date])).get(date)
    ?.verdict;
}

describe('a day whose files come into a folder', () => {
  it('is fetched, decoded, made and reported by a run, also when the connection is cut on the way', async () => {
    server.behave({ kind: 'cut', afterBytes: 10 });
    await run('2025-10-21');
    expect(await verdictOf('2025-10-21')).toBe('ok');
    expect(fetchedFrom(server).filter((name) => name.includes('20251021'))).toHaveLength(2);
  });

  it('is found by a watch when its file comes late', async () => {
    putArchives(server, [c15Archive(2, '20251025050000', october().c15.slice(0, 1))]);
    const { changed } = await resultOf(await startWatch(installation.target, 'enedis'));
    expect(changed.map(({ date }) => date)).toContain('2025-10-25');
    expect(await verdictOf('2025-10-25')).toBe('ok');
  });

  it('is listed by the doctor, with the names of which nothing is known', async () => {
    const [finding] = await examineFolders(installation.engine, new AbortController().signal);
    expect(finding).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('LISEZ-MOI.txt') as string,
    });
  });

  it('leaves no credential and no key in the home', async () => {
    const secrets = [SFTP_PASSWORD, Buffer.from(KEY_32.key).toString('hex'), RAW_KEY];
    for (const entry of await readdir(installation.home, {
      recursive: true,
      withFileTypes: true,
    })) {
      if (!entry.isFile()) continue;
      const text = await readFile(path.join(entry.parentPath, entry.name), 'latin1');
      for (const secret of secrets) expect(text.includes(secret), entry.name).toBe(false);
    }
  });
});
