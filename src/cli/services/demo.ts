import path from 'node:path';
import { addDays, addMonths, datesBetween, monthOf } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { lastDueDay, zonedDay } from '../../pipelines/zoned-day.ts';
import { loadConfig } from '../../config/load-config.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { publisherHosts } from '../../workers/configured-datasets.ts';
import { mapConcurrent } from '../../engine/map-concurrent.ts';
import { openEngine } from '../../workers/open-engine.ts';
import type { BackfillInput } from '../../workflows/backfill.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { daysOfRange, leftLines, runBackfill } from '../make/backfill-run.ts';
import { dayResult, finishRollup, startDay } from '../temporal/runs.ts';
import type { RunTarget } from '../temporal/runs.ts';
import { tellEnd } from './demo-end.ts';
import type { ShownDay } from './demo-end.ts';
import { OCTOBER_DAYS, overrunsFile } from '@quotidien/sample-portal/sftp/sample-archives';
import { importFile } from '../../engine/download/import-file.ts';
import { commandControl } from '../shared/control.ts';
import { SAMPLE_ARCHIVES, openSampleHome } from './sample-home.ts';
import { openTemporal, workWith } from '../temporal/temporal.ts';

const GRID = 'eco2mix';
const CITY = 'cityflow';
const FLEET = 'smart-meter';
const SUPPLIER = 'enedis';
/** Days before the demo day of the city: enough for correlations and for the week before. */
const CITY_HISTORY_DAYS = 15;
/**
 * Days before the shown one of 2,000 meters: a week tells which of them are silent. A day takes 1.5
 * s of a processor.
 */
const FLEET_HISTORY_DAYS = 7;
/** Days before yesterday whose reports can be leafed through; a page takes 0.2 s. */
const DAYS_WITH_PAGES = 14;
const ZONE = 'Europe/Paris';

/**
 * `quotidien demo`: the main job on the embedded default and sample data, in a home of its own. Of
 * the grid it makes two months by a backfill, and yesterday and the two last clock changes as
 * single days with their pages; of the city two weeks and yesterday; of a fleet of meters a week
 * and yesterday; of a supplier a month.
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
    await tellEnd(context, days, startedAt);
    return days.every(({ result }) => result.verdict === 'ok') ? EXIT.done : EXIT.degraded;
  } finally {
    await engine.close();
    await portal.close();
  }
}

/**
 * Yesterday; within the first hours of a day the one before, as the publishers do not have
 * yesterday then.
 */
function yesterdayOf(pipeline: string): CivilDate {
  return lastDueDay(
    new Date(),
    ZONE,
    DATASETS[pipeline]?.definition.publication.expectedAfter ?? {},
  );
}

/**
 * Yesterday, its day before and week before and year before for the comparison, and the last two
 * clock changes.
 */
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

async function runDemo(context: CommandContext): Promise<ShownDay[]> {
  const { terminal } = context;
  const session = await openTemporal(context);
  try {
    const target = {
      client: session.client,
      taskQueue: context.config.settings.QUOTIDIEN_TASK_QUEUE,
    };
    if (session.uiUrl !== undefined)
      terminal.line(`Temporal UI, while this runs: ${session.uiUrl}`);
    return await workWith(session, context.signal, async () => {
      const grid = await runGrid(context, target, yesterdayOf(GRID));
      const city = await runCity(context, target, yesterdayOf(CITY));
      const fleet = await runFleet(context, target, yesterdayOf(FLEET));
      return [...grid, ...city, ...fleet, ...(await runSupplier(context, target))];
    });
  } finally {
    await session.close();
  }
}

async function runGrid(
  context: CommandContext,
  target: RunTarget,
  yesterday: CivilDate,
): Promise<ShownDay[]> {
  const { terminal } = context;
  const { compared, shown } = demoDays(yesterday);
  const from = `${addMonths(monthOf(yesterday), -1)}-01`;
  const withPages = addDays(yesterday, -DAYS_WITH_PAGES);
  await makeDays(context, target, { pipeline: GRID, from, to: addDays(withPages, -1) });
  await makeDays(context, target, {
    pipeline: GRID,
    from: withPages,
    to: addDays(yesterday, -1),
    pages: true,
  });
  await mapConcurrent(compared, 3, async (date) =>
    dayResult(await startDay(target, { pipeline: GRID, date })),
  );
  terminal.line(`${shown.length} single days, from download to page:`);
  const days = await mapConcurrent(shown, 3, (date) => showDay(context, target, GRID, date));
  await finishRollup(target, GRID);
  return days;
}

async function runCity(
  context: CommandContext,
  target: RunTarget,
  yesterday: CivilDate,
): Promise<ShownDay[]> {
  const from = addDays(yesterday, -CITY_HISTORY_DAYS);
  await makeDays(context, target, {
    pipeline: CITY,
    from,
    to: addDays(yesterday, -1),
    pages: true,
  });
  context.terminal.line('then yesterday alone:');
  const day = await showDay(context, target, CITY, yesterday);
  await finishRollup(target, CITY);
  return [day];
}

/** Readings come from the head-end of the portal, with late, wrong and stolen ones among them. */
async function runFleet(
  context: CommandContext,
  target: RunTarget,
  yesterday: CivilDate,
): Promise<ShownDay[]> {
  const from = addDays(yesterday, -FLEET_HISTORY_DAYS);
  await makeDays(context, target, { pipeline: FLEET, from, to: addDays(yesterday, -1) });
  context.terminal.line('then yesterday alone:');
  const day = await showDay(context, target, FLEET, yesterday);
  await finishRollup(target, FLEET);
  return [day];
}

/**
 * The days on which the archives of an invented supplier's October came, and the month that is
 * billed from them.
 */
async function runSupplier(context: CommandContext, target: RunTarget): Promise<ShownDay[]> {
  const { terminal, config } = context;
  terminal.line(
    `${SUPPLIER}: the archives of an invented supplier's October, from decrypting to the month that is billed:`,
  );
  const overruns = path.join(config.home, SAMPLE_ARCHIVES, overrunsFile().name);
  const given = await importFile(
    await context.engine(),
    SUPPLIER,
    overruns,
    commandControl(context, 'demo'),
  );
  const days: ShownDay[] = [];
  for (const date of [...OCTOBER_DAYS, given.recognised.to])
    days.push(await showDay(context, target, SUPPLIER, date));
  await finishRollup(target, SUPPLIER);
  return days;
}

/** The many days before the shown ones, as a backfill. */
async function makeDays(
  { terminal }: CommandContext,
  target: RunTarget,
  input: BackfillInput,
): Promise<void> {
  const days = datesBetween(input.from, input.to).length;
  terminal.line(
    `${input.pipeline}: ${days} days by a backfill, one fetch, and each step once for all days of a month${input.pages === true ? ', with pages' : ''}`,
  );
  for (const line of leftLines(await runBackfill(terminal, target, input, daysOfRange(days))))
    terminal.line(line);
}

async function showDay(
  { terminal }: CommandContext,
  target: RunTarget,
  pipeline: string,
  date: CivilDate,
): Promise<ShownDay> {
  const result = await dayResult(await startDay(target, { pipeline, date }));
  terminal.line(`  ${result.date}  ${result.verdict.replace('_', ' ')}`);
  return { pipeline, result };
}
