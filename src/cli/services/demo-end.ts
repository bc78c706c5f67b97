import path from 'node:path';
import { newestManifests } from '../../engine/records/ledger-reader.ts';
import { verifyDays } from '../../engine/verify/verify-day.ts';
import { CALENDAR_INDEX } from '../../pipelines/calendar-month.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import type { Verdict } from '../../pipelines/vocabulary.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import type { DayResult } from '../../workflows/day-contract.ts';
import type { CommandContext } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';
import { count } from '../shared/measures.ts';
import { API_PORT } from './api-address.ts';
import { lastOf } from '../../given.ts';

/** A finished single day of the demo, and whose it is. */
export interface ShownDay {
  readonly pipeline: string;
  readonly result: DayResult;
}

/** Before the newest day; the demo makes no earlier ones. */
const DAYS_LOOKED_AT = 400;

interface Made {
  readonly pipeline: string;
  readonly days: number;
  /** Only the verdicts that occur. */
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
}

/**
 * The end of the demo, in a dozen lines: what was made and verified, one file to open, one command
 * to go on, and where the console is then.
 */
export async function tellEnd(
  context: CommandContext,
  shown: readonly ShownDay[],
  startedAt: number,
): Promise<void> {
  const { terminal, config } = context;
  const engine = await context.engine();
  const made = await madeDays(engine, shown);
  const { verified, different } = await verifyShown(context, engine, shown);
  const days = shown.map(({ result }) => result);
  const executed = days.reduce((sum, { ran }) => sum + ran.length, 0);
  const seconds = (Date.now() - startedAt) / 1000;
  const home = path.relative(process.cwd(), config.home) || '.';
  const open = path.join(home, 'store', CALENDAR_INDEX);
  terminal.data({ home, open, days, made, verified, different, executed, seconds });
  const total = made.reduce((sum, one) => sum + one.days, 0);
  const what = executed === 0 ? 'are there and nothing was executed' : 'made';
  terminal.line();
  terminal.line(`${count(total, 'day')} ${what} in ${seconds.toFixed(0)} s, from sample data`);
  for (const line of made.map(madeLine)) terminal.line(line);
  terminal.line(
    different.length === 0
      ? `  ${verified} of them rebuilt from the raw files and compared: every byte is the same`
      : `  rebuilt from the raw files, these differ: ${different.join(', ')}`,
  );
  terminal.line();
  terminal.line(`open     ${open}`);
  terminal.line(`go on    npx quotidien --home ${home} dev`);
  terminal.line(`console  http://127.0.0.1:${API_PORT} as soon as that runs`);
}

async function madeDays({ documents }: OpenEngine, shown: readonly ShownDay[]): Promise<Made[]> {
  const pipelines = [...new Set(shown.map(({ pipeline }) => pipeline))];
  return Promise.all(
    pipelines.map(async (pipeline) => {
      const { date: newest } = lastOf(shown.filter((day) => day.pipeline === pipeline)).result;
      const manifests = await newestManifests(
        documents,
        pipeline,
        datesBetween(addDays(newest, -DAYS_LOOKED_AT), newest),
      );
      const verdicts: Partial<Record<Verdict, number>> = {};
      for (const { verdict } of manifests.values())
        verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      return { pipeline, days: manifests.size, verdicts };
    }),
  );
}

function madeLine({ pipeline, days, verdicts }: Made): string {
  const told = Object.entries(verdicts).map(
    ([verdict, number]) => `${number} ${verdict.replace('_', ' ')}`,
  );
  return `  ${pipeline.padEnd(16)} ${count(days, 'day')}: ${told.join(', ')}`;
}

async function verifyShown(
  context: CommandContext,
  engine: OpenEngine,
  shown: readonly ShownDay[],
): Promise<{ readonly verified: number; readonly different: readonly string[] }> {
  const control = commandControl(context, 'demo');
  const different: string[] = [];
  let verified = 0;
  for (const pipeline of new Set(shown.map((day) => day.pipeline))) {
    const dates = shown.filter((day) => day.pipeline === pipeline).map(({ result }) => result.date);
    const { days } = await verifyDays(engine, control, { pipeline, dates: [...dates].sort() });
    verified += days.length;
    different.push(
      ...days
        .filter(({ result }) => result !== 'identical')
        .map(({ scope }) => `${pipeline} ${scope}`),
    );
  }
  return { verified, different };
}
