import { readdir } from 'node:fs/promises';
import { OCTOBER_DAYS } from '@quotidien/sample-portal/sftp/sample-archives';
import { loadConfig } from '../../src/config/load-config.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { readArrivals } from '../../src/engine/sources/arrivals.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { OpenEngine } from '../../src/workers/open-engine.ts';
import { homeContents } from './home-contents.ts';
import type { HomeContents } from './home-contents.ts';

/** Homes into which the distributor's archives of October come. */

/** What a home holds of October, without anything that names a run or a time. */
export interface EnedisContents extends HomeContents {
  /** State, name and hash of every file of the folder. */
  readonly journal: readonly string[];
  /** Names under which archives are kept. */
  readonly kept: readonly string[];
  /**
   * Files that work left in the home's scratch folders: an archive that is open there is readable
   * to anybody.
   */
  readonly scratch: readonly string[];
}

/** What the stores of a home hold, of which no process works any more. */
export async function enedisContents(
  home: string,
  settings: Readonly<Record<string, string>>,
): Promise<EnedisContents> {
  const scratch = await filesBelow(`${home}/scratch`);
  const engine = await openEngine(
    loadConfig({ env: settings, cwd: home, home, hosts: ['enedis'] }),
    { enedis },
  );
  try {
    const places = ['reports/enedis/daily_report_', 'reports/enedis/monthly_report', 'enedis/'];
    const contents = await homeContents(engine, { dataset: enedis, dates: OCTOBER_DAYS, places });
    return { ...contents, journal: await journalOf(engine), kept: await keptBy(engine), scratch };
  } finally {
    await engine.close();
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

async function journalOf(engine: OpenEngine): Promise<string[]> {
  const parts = await Promise.all(
    ['c15', 'r151', 'r64'].map((part) => readArrivals(engine, 'enedis', part)),
  );
  return parts
    .flatMap((part) =>
      [...part.values()].map(({ state, name, sha256 }) => `${state} ${name} ${sha256}`),
    )
    .sort();
}

async function keptBy({ objects }: OpenEngine): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of objects.list('raw/enedis/'))
    if (key.includes('/dt=')) names.push(key);
  return names.sort();
}
