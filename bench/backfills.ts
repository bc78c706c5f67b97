import { planBackfill } from '../src/engine/plan/plan-backfill.ts';
import { resultOf, startBackfill, startDay } from '../src/cli/temporal/runs.ts';
import { addDays } from '../src/pipelines/civil-date.ts';
import { median, peakMemoryMb, report } from './figures.ts';
import type { BenchInstallation } from './installation.ts';
import { ownCpuSeconds, usageOfChild } from './process-usage.ts';

/** What many no-op days cost, and what they cost others. */

const YEAR = { from: '2022-01-01', to: '2022-12-31', days: 365 };
const TEN_YEARS = { from: '2008-01-01', to: '2017-12-28', days: 3_650 };
/** Days that are started one after the other while a year is in the making. */
const INTERRUPTIONS = 8;
/** Of a daily run in the middle of a backfill, over its time alone. */
const MAX_DELAY = 3;

async function backfill(
  { target }: BenchInstallation,
  { from, to, days }: typeof YEAR,
): Promise<number> {
  const start = performance.now();
  const { done } = await resultOf(await startBackfill(target, { pipeline: 'noop', from, to }));
  if (done !== days) throw new Error(`only ${done} of ${days} days were made`);
  return (performance.now() - start) / 1000;
}

async function measurePlan(
  { engine }: BenchInstallation,
  { from, to, days }: typeof YEAR,
  target: number,
) {
  const start = performance.now();
  const { plan } = await planBackfill(engine, { pipeline: 'noop', from, to });
  const value = (performance.now() - start) / 1000;
  if (plan.complete !== days) throw new Error(`${plan.complete} of ${days} days are complete`);
  report({
    name: `plan of ${days} complete days`,
    value,
    unit: 's',
    target,
    note: 'every stored artefact looked at',
  });
}

/** A year, with daily runs in its middle; then ten years; both planned again afterwards. */
export async function measureBackfills(
  installation: BenchInstallation,
  dayMs: (date: string) => Promise<number>,
) {
  await measureInterruptions(installation, dayMs);
  await measurePlan(installation, YEAR, 1);
  const before = {
    own: ownCpuSeconds(),
    server: usageOfChild(installation.serverPid)?.cpuSeconds ?? 0,
  };
  const seconds = await backfill(installation, TEN_YEARS);
  report({
    name: 'backfill of 3650 no-op days',
    value: TEN_YEARS.days / seconds,
    unit: 'days/s',
    target: 50,
    more: true,
    note: 'by windows; four steps, a manifest and a ledger entry per step for each day',
  });
  const server = usageOfChild(installation.serverPid);
  const own = ((ownCpuSeconds() - before.own) / TEN_YEARS.days) * 1000;
  report({ name: 'worker CPU per day of that', value: own, unit: 'ms' });
  if (server !== undefined) {
    const cpu = ((server.cpuSeconds - before.server) / TEN_YEARS.days) * 1000;
    report({ name: 'server CPU per day of that', value: cpu, unit: 'ms' });
    report({ name: 'server memory peak', value: server.peakMb, unit: 'MB' });
  }
  report({
    name: 'worker memory peak after that',
    value: peakMemoryMb(),
    unit: 'MB',
    note: 'as Node comes, without the settings of a worker',
  });
  await measurePlan(installation, TEN_YEARS, 6);
}

/** Daily runs one after the other until the year is made, against the same alone. */
async function measureInterruptions(
  installation: BenchInstallation,
  dayMs: (date: string) => Promise<number>,
) {
  const alone: number[] = [];
  for (let index = 0; index < INTERRUPTIONS; index += 1)
    alone.push(await dayMs(addDays('2019-01-01', index)));
  const state = { made: false };
  const year = backfill(installation, YEAR).finally(() => {
    state.made = true;
  });
  const within: number[] = [];
  while (!state.made) {
    const start = performance.now();
    const date = addDays('2019-06-01', within.length);
    const day = await startDay(installation.target, { pipeline: 'noop', date, reason: 'schedule' });
    await day.result();
    within.push(performance.now() - start);
  }
  const seconds = await year;
  report({
    name: 'daily run in the middle of a backfill of a year, p50',
    value: median(within),
    unit: 'ms',
    floor: median(alone),
    target: MAX_DELAY,
    bounds: 'ratio',
    note: `${within.length} runs within ${seconds.toFixed(1)} s, the slowest ${Math.max(...within).toFixed(0)} ms; floor: the same alone`,
  });
}
