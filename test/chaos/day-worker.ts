import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { inject } from 'vitest';
import { readLedger, readManifests } from '../../src/engine/records/ledger-reader.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { PrimaryStores } from '../../src/workers/open-stores.ts';

const WORKER = path.resolve(import.meta.dirname, 'worker-process.ts');

const children = new Set<ChildProcess>();

export interface DayWorker {
  readonly home: string;
  /** Of the Temporal server. */
  readonly address: string;
  readonly queue: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** A worker process that polls; with a place to die, it kills itself there. */
export async function startWorker(
  worker: DayWorker,
  death: readonly string[] = [],
): Promise<ChildProcess> {
  const { home, address, queue, settings } = worker;
  const args = [
    '--import',
    'tsx',
    WORKER,
    home,
    address,
    queue,
    inject('workflowBundle'),
    ...death,
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  void once(child, 'exit').then(() => children.delete(child));
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  return child;
}

export async function stopWorker(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Also one that is gone already. */
export async function killWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Those that a failed test left behind. */
export async function killWorkers(): Promise<void> {
  await Promise.all([...children].map(killWorker));
}

type Settings = Readonly<Record<string, string>>;

/** Uses the stores themselves that a home works with. */
async function withPrimary<T>(
  home: string,
  settings: Settings,
  use: (stores: PrimaryStores) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ env: settings, cwd: home, home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine(config, DATASETS);
  try {
    return await use(engine.stores.primary);
  } finally {
    await engine.close();
  }
}

/** What stores hold of some days, without anything that names the run. */
export interface Contents {
  readonly days: readonly {
    readonly date: CivilDate;
    readonly versions: number;
    readonly steps: readonly unknown[];
  }[];
  /** Scope, step, key and output hashes of every entry of the days, sorted. */
  readonly ledger: readonly (readonly string[])[];
  /** Names of the days' published reports. */
  readonly published: readonly string[];
}

/** What the stores of a home hold of days of eco2mix. */
export function contentsOf(
  home: string,
  dates: readonly CivilDate[],
  settings: Settings = {},
): Promise<Contents> {
  return withPrimary(home, settings, async ({ objects, documents }) => {
    const manifests = await readManifests(documents, 'eco2mix', dates);
    const ledger = await readLedger(documents, 'eco2mix', dates);
    const hashes = (outputs: object) =>
      Object.values(outputs).map((ref: { sha256: string }) => ref.sha256);
    const published: string[] = [];
    for await (const { key } of objects.list('reports/eco2mix/daily_report_'))
      if (dates.some((date) => key.includes(date))) published.push(key);
    return {
      days: dates.map((date) => ({
        date,
        versions: manifests.get(date)?.length ?? 0,
        steps: Object.entries(manifests.get(date)?.at(-1)?.steps ?? {}).map(([step, state]) => [
          step,
          state.state === 'done'
            ? [state.key, ...hashes(state.outputs)]
            : state.state === 'failed'
              ? [state.state, state.code, state.message]
              : state.state,
        ]),
      })),
      ledger: [...ledger.values()]
        .flat()
        .map((entry) => [entry.scope, entry.step, entry.key, ...hashes(entry.outputs)])
        .sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)),
      published,
    };
  });
}

/** The hosts that executed the steps of a day. */
export function makersOf(
  home: string,
  date: string,
  settings: Settings,
): Promise<readonly string[]> {
  return withPrimary(home, settings, async ({ documents }) => {
    const ledger = (await readLedger(documents, 'eco2mix', [date])).get(date) ?? [];
    return [...new Set(ledger.map(({ execution }) => execution.host))];
  });
}
