import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { servedAt } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import { startSftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { finishRollup, resultOf, startBackfill } from '../src/cli/temporal/runs.ts';
import { enedis } from '../src/datasets/enedis/index.ts';
import { enedisSettings, SFTP_PASSWORD } from '../test/fixtures/enedis-server.ts';
import { answerOf } from './child-answer.ts';
import { twoYears } from './enedis-two-years.ts';
import type { TwoYears } from './enedis-two-years.ts';
import { peakMemoryMb, report } from './figures.ts';
import { openInstallation } from './installation.ts';
import { ownCpuSeconds } from './process-usage.ts';

/**
 * A supplier's two years, from the distributor's server to months and report: by the `backfill`
 * workflow, then the rollups.
 */

const POINTS = 1_372;
/** Two years are 730: they take as many minutes as these take tens of seconds. */
const DAYS = Number(process.env['BENCH_ENEDIS_DAYS'] ?? 62);

/** What the process of the product is told. */
interface WholeTask {
  readonly settings: Readonly<Record<string, string>>;
  readonly range: TwoYears['range'];
}

/** What it tells. */
interface Whole {
  readonly cpu: number;
  readonly seconds: number;
  readonly peakMb: number;
}

/**
 * Reports the whole; `bareSeconds` are the processor seconds of archives that are opened, unpacked
 * and read by a parser without handlers.
 */
export async function benchWhole(
  bareSeconds: (archives: readonly SampleArchive[]) => Promise<number>,
): Promise<void> {
  const { archives, readings, xmlBytes, range } = twoYears({ points: POINTS, days: DAYS });
  const floor = await bareSeconds(archives);
  const server = await startSftpServer({ password: SFTP_PASSWORD });
  server.put(...archives.map((archive) => servedAt('/flux_enedis', archive)));
  const { cpu, seconds, peakMb } = await inOwnProcess({ settings: enedisSettings(server), range });
  await server.close();
  const megabytes = (xmlBytes / 1e6).toFixed(0);
  report({
    name: `${DAYS} days of ${POINTS} points, SFTP to months and report`,
    value: cpu,
    unit: 'CPU s',
    floor,
    target: 2.5,
    bounds: 'ratio',
    note: `${readings} readings, ${megabytes} MB of XML, ${seconds.toFixed(0)} s; floor: decrypt, unzip, saxes without handlers`,
  });
  report({
    name: 'readings a second of CPU, SFTP to months and report',
    value: readings / cpu,
    unit: '/s',
    target: 442_000 / 13,
    more: true,
  });
  report({ name: 'memory peak of that', value: peakMb, unit: 'MB', target: 1_200 });
}

/** `BENCH_PROFILE_DIR` is a folder for a profile of the product's own process. */
function profileFlags(): string[] {
  const folder = process.env['BENCH_PROFILE_DIR'];
  return folder === undefined
    ? []
    : ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`];
}

/** With the memory settings that the handbook gives for a worker. */
async function inOwnProcess(task: WholeTask): Promise<Whole> {
  const child = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=320', ...profileFlags()],
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send(task);
  return answerOf(child, 'the two years');
}

async function makeWhole({ settings, range }: WholeTask): Promise<Whole> {
  const installation = await openInstallation(
    { enedis },
    { ...settings, QUOTIDIEN_ROLLUP_QUIET_MS: '60000' },
  );
  try {
    const [cpu, start] = [ownCpuSeconds(), performance.now()];
    const { failedDays, waitingDays } = await resultOf(
      await startBackfill(installation.target, { pipeline: 'enedis', ...range }),
    );
    if (failedDays + waitingDays > 0)
      throw new Error(`${failedDays} days failed, ${waitingDays} wait`);
    await finishRollup(installation.target, 'enedis');
    return {
      cpu: ownCpuSeconds() - cpu,
      seconds: (performance.now() - start) / 1_000,
      peakMb: peakMemoryMb(),
    };
  } finally {
    await installation.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [task] = (await once(process, 'message')) as [WholeTask];
  process.send?.(await makeWhole(task));
  process.disconnect();
}
