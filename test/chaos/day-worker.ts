import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { inject } from 'vitest';
import { readLedger, readManifests } from '../../src/activities/ledger-reader.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
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
export async function startWorker(worker: DayWorker, death: readonly string[] = []): Promise<ChildProcess> {
  const { home, address, queue, settings } = worker;
  const args = ['--import', 'tsx', WORKER, home, address, queue, inject('workflowBundle'), ...death];
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

/** Those that a failed test left behind. */
export function killWorkers(): void {
  for (const child of children) child.kill('SIGKILL');
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

/** What the stores of a home hold of a day of eco2mix, without anything that names the run. */
export function contentsOf(home: string, date: string, settings: Settings = {}) {
  return withPrimary(home, settings, async ({ objects, documents }) => {
    const manifests = (await readManifests(documents, 'eco2mix', [date])).get(date) ?? [];
    const ledger = (await readLedger(documents, 'eco2mix', [date])).get(date) ?? [];
    const hashes = (outputs: object) => Object.values(outputs).map((ref: { sha256: string }) => ref.sha256);
    const published: string[] = [];
    for await (const { key } of objects.list(`reports/eco2mix/daily_report_${date}`)) published.push(key);
    return {
      versions: manifests.length,
      steps: Object.entries(manifests.at(-1)?.steps ?? {}).map(([step, state]) => [
        step,
        state.state === 'done' ? [state.key, ...hashes(state.outputs)] : state.state,
      ]),
      ledger: ledger.map((entry) => [entry.step, entry.key, ...hashes(entry.outputs)]).sort(),
      published,
    };
  });
}

/** The hosts that executed the steps of a day. */
export function makersOf(home: string, date: string, settings: Settings): Promise<readonly string[]> {
  return withPrimary(home, settings, async ({ documents }) => {
    const ledger = (await readLedger(documents, 'eco2mix', [date])).get(date) ?? [];
    return [...new Set(ledger.map(({ execution }) => execution.host))];
  });
}
