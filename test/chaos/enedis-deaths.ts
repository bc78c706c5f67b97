import { once } from 'node:events';
import path from 'node:path';
import { expect } from 'vitest';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { finishRollup, resultOf, startWatch } from '../../src/cli/temporal/runs.ts';
import { stopWorker } from './day-worker.ts';
import { enedisSettings } from '../fixtures/enedis-server.ts';
import { enedisContents } from './enedis-home.ts';
import type { EnedisContents } from './enedis-home.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** Workers that bring the archives of October, and die while they do. */

const QUEUE = 'enedis';
const ARCHIVES = octoberArchives().length;

/** From the folder to the months of the contracts. */
async function bringAll({ client }: Stage): Promise<void> {
  const target = { client, taskQueue: QUEUE };
  const { changed } = await resultOf(await startWatch(target, 'enedis', {}));
  expect(changed.map(({ failure, waits }) => failure ?? waits)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  await finishRollup(target, 'enedis');
}

/** Worker after worker until everything is made; all but the last die where they are told. */
export async function madeBy(
  server: SftpServer,
  deaths: readonly (readonly string[])[] = [],
): Promise<EnedisContents> {
  const settings = enedisSettings(server);
  const stage = await openStage(settings);
  try {
    const home = path.join(stage.folder, 'home');
    const brought = bringAll(stage);
    // Its failure is told where it is waited for.
    brought.catch(() => undefined);
    for (const death of deaths) {
      const doomed = await stage.startWorker(home, QUEUE, death);
      await Promise.race([
        brought,
        doomed.exitCode === null && doomed.signalCode === null && once(doomed, 'exit'),
      ]);
      expect(doomed.signalCode, `${death.join(' ')} is never reached`).toBe('SIGKILL');
    }
    const heir = await stage.startWorker(home, QUEUE);
    expect(heir.exitCode).toBeNull();
    await brought;
    await stopWorker(heir);
    return await enedisContents(home, settings);
  } finally {
    await stage.close();
  }
}

/** What a home holds whose worker lived; it has everything that others are compared with. */
export async function undisturbed(server: SftpServer): Promise<EnedisContents> {
  const contents = await madeBy(server);
  expect(contents).toMatchObject({ wrong: [], scratch: [] });
  expect([contents.journal, contents.kept].map(({ length }) => length)).toEqual([
    ARCHIVES,
    ARCHIVES,
  ]);
  expect(Object.keys(contents.published)).toEqual(
    expect.arrayContaining(['enedis/mois.parquet', 'reports/enedis/monthly_report.json']),
  );
  return contents;
}
