import { runDays } from '../src/cli/run.ts';
import { finishRollup } from '../src/cli/runs.ts';
import { createTerminal } from '../src/cli/terminal.ts';
import { DATASETS } from '../src/datasets/registry.ts';
import { datesBetween } from '../src/pipelines/civil-date.ts';
import { peakMemoryMb } from './figures.ts';
import { openInstallation } from './installation.ts';
import { serveMonthFiles } from './month-files.ts';

/** What this process tells the one that started it. */
export interface ThroughWindows {
  /** Seconds of download, slices, core, metrics and ledger by `window` workflows. */
  readonly windows: number;
  /** Seconds of the `rollup` workflow after them. */
  readonly rollups: number;
  readonly peakMb: number;
}

/** The product itself over the month files of a folder: `through-windows.ts <folder> <first year> <years>`. */
async function run(monthFiles: string, firstYear: number, years: number): Promise<ThroughWindows> {
  const server = await serveMonthFiles(monthFiles);
  const installation = await openInstallation(DATASETS, {
    QUOTIDIEN_ODRE_URL: server.url,
    QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '1000',
    QUOTIDIEN_ROLLUP_QUIET_MS: '60000',
  });
  try {
    const dates = datesBetween(`${firstYear}-01-01`, `${firstYear + years - 1}-12-31`);
    const terminal = { ...createTerminal(process, true), note: () => undefined };
    const start = performance.now();
    const result = await runDays({ terminal }, installation.target, 'eco2mix', dates, { until: 'metrics' });
    const windowsDone = performance.now();
    await finishRollup(installation.target, 'eco2mix');
    const end = performance.now();
    if (result.committed !== dates.length)
      throw new Error(`only ${result.committed} of ${dates.length} days were made`);
    return { windows: (windowsDone - start) / 1000, rollups: (end - windowsDone) / 1000, peakMb: peakMemoryMb() };
  } finally {
    await installation.close();
    await server.close();
  }
}

const [folder = '', firstYear, years] = process.argv.slice(2);
process.send?.(await run(folder, Number(firstYear), Number(years)));
