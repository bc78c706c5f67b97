import path from 'node:path';
import { addDays, addMonths, datesBetween, monthOf } from '../pipelines/civil-date.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { civilDateAt, zonedDay } from '../pipelines/zoned-day.ts';
import { loadConfig } from '../config/load-config.ts';
import { DATASETS } from '../datasets/registry.ts';
import { publisherHosts } from '../workers/configured-datasets.ts';
import { mapConcurrent } from '../activities/map-concurrent.ts';
import { openEngine } from '../workers/open-engine.ts';
import type { DayResult } from '../workflows/day.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { describeDay, runDays } from './run.ts';
import { dayResult, finishRollup, startDay } from './runs.ts';
import { openSampleHome } from './sample-home.ts';
import { printCalendar } from './status.ts';
import { openTemporal } from './temporal.ts';

const PIPELINE = 'eco2mix';
const ZONE = 'Europe/Paris';

/**
 * `quotidien demo`: the main job on the embedded default and sample data, in a home of its own. Runs two months of days through windows,
 * and yesterday and the two last clock changes as single days with their pages.
 */
export async function demo(outer: CommandContext): Promise<ExitCode> {
  const startedAt = Date.now();
  const home = path.join(outer.config.home, 'demo');
  const { portal } = await openSampleHome(home);
  const env = { ...outer.config.env, TEMPORAL_ADDRESS: undefined };
  const config = loadConfig({ env, cwd: process.cwd(), home, hosts: publisherHosts(DATASETS) });
  const engine = await openEngine({ ...config, cacheDir: outer.config.cacheDir }, DATASETS);
  const context: CommandContext = { ...outer, config, engine: () => Promise.resolve(engine) };
  try {
    const days = await runDemo(context);
    await report(context, days, startedAt);
    return days.every(({ verdict }) => verdict === 'ok') ? EXIT.done : EXIT.degraded;
  } finally {
    await engine.close();
    await portal.close();
  }
}

/** Yesterday, its day before and week before and year before for the comparison, and the last two clock changes. */
function demoDays(yesterday: CivilDate): { compared: CivilDate[]; shown: CivilDate[] } {
  const compared = [addDays(yesterday, -364), addDays(yesterday, -7), addDays(yesterday, -1)];
  return { compared, shown: [...lastClockChanges(yesterday), yesterday] };
}

/** The newest day of 25 hours and the newest of 23 before a date, ascending. */
function lastClockChanges(before: CivilDate): CivilDate[] {
  const found: CivilDate[] = [];
  for (let date = addDays(before, -1); found.length < 2; date = addDays(date, -1)) {
    if (zonedDay(date, ZONE).hours !== 24) found.unshift(date);
  }
  return found;
}

async function runDemo(context: CommandContext): Promise<DayResult[]> {
  const { terminal } = context;
  const session = await openTemporal(context);
  try {
    const target = { client: session.client, taskQueue: context.config.settings.QUOTIDIEN_TASK_QUEUE };
    if (session.uiUrl !== undefined) terminal.line(`Temporal UI, while this runs: ${session.uiUrl}`);
    const yesterday = addDays(civilDateAt(new Date(), ZONE), -1);
    const { compared, shown } = demoDays(yesterday);
    const work = async (): Promise<DayResult[]> => {
      const from = `${addMonths(monthOf(yesterday), -1)}-01`;
      const bulk = datesBetween(from, yesterday).filter((date) => !shown.includes(date));
      terminal.line(`${bulk.length} days by monthly windows: one fetch and one pass per step for all days of a month`);
      await runDays(context, target, PIPELINE, bulk, {});
      await mapConcurrent(compared, 3, async (date) => dayResult(await startDay(target, { pipeline: PIPELINE, date })));
      terminal.line(`${shown.length} single days, from download to page:`);
      const days = await mapConcurrent(shown, 3, async (date) => {
        const result = await dayResult(await startDay(target, { pipeline: PIPELINE, date }));
        terminal.line(`  ${describeDay(result)}`);
        return result;
      });
      await finishRollup(target, PIPELINE);
      return days;
    };
    return await Promise.race([work(), session.broken]);
  } finally {
    await session.close();
  }
}

async function report(context: CommandContext, days: readonly DayResult[], startedAt: number): Promise<void> {
  const { terminal, config } = context;
  const yesterday = days.at(-1)?.date ?? '';
  const home = path.relative(process.cwd(), config.home) || '.';
  const seconds = (Date.now() - startedAt) / 1000;
  const executed = days.reduce((sum, { ran }) => sum + ran.length, 0);
  const reports = days.map(({ date }) => path.join(home, 'store', 'reports', PIPELINE, `daily_report_${date}.html`));
  terminal.data({ home, days, reports, executed, seconds });
  terminal.line();
  await printCalendar(context, PIPELINE, [addMonths(monthOf(yesterday), -1), monthOf(yesterday)]);
  terminal.line();
  for (const [index, page] of reports.entries()) terminal.line(`report of ${days[index]?.date ?? ''}: ${page}`);
  terminal.line(
    executed === 0
      ? `everything is reused, nothing was executed; ${seconds.toFixed(1)} s`
      : `${executed} steps were executed for the single days; ${seconds.toFixed(1)} s`,
  );
  terminal.line(`Server, workers, schedules and UI again: npx quotidien --home ${home} dev`);
  terminal.line(`The same days, looked at: npx quotidien --home ${home} show ${PIPELINE} ${yesterday}`);
}
