import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { openContent } from '../src/engine/content-store.ts';
import { newestManifests } from '../src/engine/records/ledger-reader.ts';
import { startServer } from './api-process.ts';
import type { ServerProcess } from './api-process.ts';
import { median, report } from './figures.ts';
import type { BenchInstallation } from './installation.ts';

/**
 * The same year from the earlier system, a Django application: `BENCH_EARLIER` is the folder with
 * its `manage.py`, `BENCH_EARLIER_PYTHON` a Python that has what it needs. It reads its Parquet
 * file, as our history has it, from its cache folder, so that no S3 is asked.
 */

const ROUNDS = 7;
const KEY = 'bench';
const FILE = 'consommation.parquet';
const PORT = 18_931;

async function medianMs(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ ms: number; count: number }> {
  const times: number[] = [];
  let count = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const start = performance.now();
    const answer = await fetch(url, { headers: { 'accept-encoding': 'identity', ...headers } });
    const text = await answer.text();
    if (round > 0) times.push(performance.now() - start);
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text.slice(0, 500)}`);
    count = Number(/"count": ?(\d+)/.exec(text)?.[1]);
  }
  return { ms: median(times), count };
}

async function startEarlier(
  folder: string,
  home: string,
  { engine }: BenchInstallation,
): Promise<ServerProcess> {
  const history = (await newestManifests(engine.documents, 'eco2mix', ['all'])).get('all');
  const outputs = Object.values(history?.steps ?? {}).flatMap((state) =>
    state.state === 'done' ? Object.values(state.outputs) : [],
  );
  const ref = outputs.find(({ key }) => key.includes('/consommation_france_puissance/'));
  const file = ref === undefined ? undefined : await openContent(engine.objects, ref);
  if (file === undefined) throw new Error('the history has no file of the earlier system');
  const cache = path.join(home, 'cache');
  await mkdir(cache);
  await copyFile(file, path.join(cache, FILE));
  const meta = { etag: 'bench', checked_at: Date.now() / 1_000 + 86_400 };
  await writeFile(path.join(cache, `${FILE}.meta.json`), JSON.stringify(meta));
  const python = process.env['BENCH_EARLIER_PYTHON'] ?? 'python3';
  const env = {
    S3_PATH_PUISSANCE: `s3://bench/${FILE}`,
    PARQUET_CACHE_DIR: cache,
    PARQUET_CACHE_REFRESH_INTERVAL: '0',
    API_KEYS: `bench:${createHash('sha256').update(KEY).digest('hex')}`,
    API_THROTTLE_BURST: '100000/s',
    API_THROTTLE_SUSTAINED: '1000000/min',
    DATABASE_URL: `sqlite:///${home}/db.sqlite3`,
    DEBUG: 'True',
  };
  execFileSync(python, ['manage.py', 'migrate'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  // As it is started where it runs (`clevercloud/run.sh`).
  const workers = ['--workers', '2', '--threads', '4', '--timeout', '60'];
  const how = [
    '-m',
    'gunicorn',
    'config.wsgi:application',
    '--bind',
    `127.0.0.1:${PORT}`,
    ...workers,
  ];
  return startServer(python, how, env, folder);
}

/** `courbe_conso` of a year, ours and theirs. */
export async function measureEarlier(
  api: ServerProcess,
  installation: BenchInstallation,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const asked = `/api/v1/courbe_conso?debut=${from}&fin=${to}`;
  const ours = await medianMs(api.url + asked, {});
  const folder = process.env['BENCH_EARLIER'];
  if (folder === undefined) {
    report({
      name: 'courbe_conso of a year',
      value: ours.ms,
      unit: 'ms',
      note: 'without BENCH_EARLIER beside nothing',
    });
    return;
  }
  const home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-bench-earlier-'));
  const earlier = await startEarlier(folder, home, installation);
  try {
    const theirs = await medianMs(earlier.url + asked, { authorization: `Bearer ${KEY}` });
    report({
      name: 'courbe_conso of a year, as fast as the earlier system',
      value: theirs.ms / ours.ms,
      unit: 'times',
      target: 5,
      more: true,
      note: `${ours.ms.toFixed(0)} ms (${ours.count} rows) against ${theirs.ms.toFixed(0)} ms (${theirs.count})`,
    });
  } finally {
    await earlier.stop();
    await rm(home, { recursive: true, force: true });
  }
}
