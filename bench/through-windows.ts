import { finishRollup, resultOf, startBackfill } from '../src/cli/temporal/runs.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { datesBetween } from '../src/pipelines/civil-date.ts';
import { peakMemoryMb } from './figures.ts';
import { ownCpuSeconds } from './process-usage.ts';
import { openInstallation } from './installation.ts';
import { serveMonthFiles } from './month-files.ts';

/** What this process tells the one that started it. */
export interface ThroughWindows {
  /** Seconds of download, slices, core, metrics and ledger by the `backfill` workflow. */
  readonly windows: number;
  /** Seconds of the `rollup` workflow after them. */
  readonly rollups: number;
  /** Processor seconds of both, without those of the Temporal server. */
  readonly cpu: number;
  readonly peakMb: number;
}

/**
 * The product itself over the month files of a folder: `through-windows.ts <folder> <first year>
 * <years>`.
 */
async function run(monthFiles: string, firstYear: number, years: number): Promise<ThroughWindows> {
  const server = await serveMonthFiles(monthFiles);
  const installation = await openInstallation(DATASETS, {
    QUOTIDIEN_ODRE_URL: server.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '1000',
    QUOTIDIEN_ROLLUP_QUIET_MS: '60000',
  });
  try {
    const range = { from: `${firstYear}-01-01`, to: `${firstYear + years - 1}-12-31` };
    const start = performance.now();
    const cpuBefore = ownCpuSeconds();
    const input = { pipeline: 'eco2mix', ...range, until: 'metrics' } as const;
    const { done } = await resultOf(await startBackfill(installation.target, input));
    const windowsDone = performance.now();
    await finishRollup(installation.target, 'eco2mix');
    const end = performance.now();
    const wanted = datesBetween(range.from, range.to).length;
    if (done !== wanted) throw new Error(`only ${done} of ${wanted} days were made`);
    return {
      windows: (windowsDone - start) / 1000,
      rollups: (end - windowsDone) / 1000,
      cpu: ownCpuSeconds() - cpuBefore,
      peakMb: peakMemoryMb(),
    };
  } finally {
    await installation.close();
    await server.close();
  }
}

const [folder = '', firstYear, years] = process.argv.slice(2);
process.send?.(await run(folder, Number(firstYear), Number(years)));
