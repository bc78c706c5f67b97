import { planFromStores } from '../src/engine/plan/plan-run.ts';
import { startDay } from '../src/cli/temporal/runs.ts';
import { addDays } from '../src/pipelines/civil-date.ts';
import { noopDataset } from '../test/fixtures/noop-dataset.ts';
import { measureBackfills } from './backfills.ts';
import { withEmptyWorkflows } from './empty-workflows.ts';
import type { EmptyWorkflows } from './empty-workflows.ts';
import { median, peakMemoryMb, report } from './figures.ts';
import { openInstallation } from './installation.ts';
import type { BenchInstallation } from './installation.ts';

/** What the engine and Temporal cost without any data. */

const WARM_UP = 10;
const ALONE = 40;
/**
 * Bare workflows at once, before the days and again after them: the machine is not equally fast all
 * the time.
 */
const BARE_AT_ONCE = 200;
const STEPS = noopDataset.definition.steps.length;
const YEAR = 365;
const FIRST = '2023-01-01';

type DayMs = (date: string) => Promise<number>;

export async function run(): Promise<void> {
  const installation = await openInstallation({ noop: noopDataset });
  const dayMs: DayMs = async (date) => {
    const start = performance.now();
    await (await startDay(installation.target, { pipeline: 'noop', date })).result();
    return performance.now() - start;
  };
  try {
    await withEmptyWorkflows(installation.address, async (bare) => {
      await measureAlone(bare, dayMs);
      await measureAtOnce(bare, dayMs);
    });
    await measurePlans(installation);
    report({ name: 'worker memory peak', value: peakMemoryMb(), unit: 'MB', target: 700 });
    await measureBackfills(installation, dayMs);
  } finally {
    await installation.close();
  }
}

/** A day, a day that is there already, and the bare workflows take turns. */
async function measureAlone(bare: EmptyWorkflows, dayMs: DayMs): Promise<void> {
  const [empty, four, days, cached]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let index = 0; index < WARM_UP + ALONE; index += 1) {
    const date = addDays('2021-01-01', index);
    empty.push(await bare.empty());
    four.push(await bare.fourActivities());
    days.push(await dayMs(date));
    cached.push(await dayMs(date));
  }
  const [emptyMs = 0, fourMs = 0, day = 0, cachedMs = 0] = [empty, four, days, cached].map((all) =>
    median(all.slice(WARM_UP)),
  );
  report({
    name: 'no-op day of four steps alone, p50',
    value: day,
    unit: 'ms',
    floor: emptyMs,
    target: 90,
    note: `a bare workflow of four empty activities: ${fourMs.toFixed(1)} ms`,
  });
  report({
    name: 'that, beside a bare workflow of four activities',
    value: day,
    unit: 'ms',
    floor: fourMs,
    target: 1.73,
    bounds: 'ratio',
    note: 'target: 90 ms beside 52 ms',
  });
  report({
    name: 'overhead per step of that',
    value: (day - emptyMs) / STEPS,
    unit: 'ms',
    floor: (fourMs - emptyMs) / STEPS,
    note: 'plan, ledger, manifest and publication shared out over the steps; floor: an empty activity',
  });
  report({
    name: 'fully cached day, p50',
    value: cachedMs,
    unit: 'ms',
    floor: emptyMs,
    target: 40,
  });
  report({
    name: 'a day whose every step is reused, beside a bare workflow of four activities',
    value: cachedMs,
    unit: 'ms',
    floor: fourMs,
    target: 1.3,
    bounds: 'ratio',
    note: 'every step is reused and published: one look from within the workflow, no activity of a queue',
  });
}

async function measureAtOnce(bare: EmptyWorkflows, dayMs: DayMs): Promise<void> {
  const perSecond = await perSecondAtOnce(BARE_AT_ONCE, () => bare.empty());
  const before = await perSecondAtOnce(BARE_AT_ONCE, () => bare.fourActivities());
  const days = await perSecondAtOnce(YEAR, (index) => dayMs(addDays(FIRST, index)));
  const after = await perSecondAtOnce(BARE_AT_ONCE, () => bare.fourActivities());
  const fourMs = (1000 / before + 1000 / after) / 2;
  report({
    name: '365 no-op days at once',
    value: days,
    unit: 'days/s',
    floor: perSecond,
    target: 20,
    more: true,
    note: `bare workflows of four empty activities: ${(1000 / fourMs).toFixed(1)} a second`,
  });
  report({
    name: 'time per day of that, beside bare workflows of four activities',
    value: 1000 / days,
    unit: 'ms',
    floor: fourMs,
    target: 1.75,
    bounds: 'ratio',
    note: 'target: 20 days a second beside 35 bare workflows',
  });
}

async function perSecondAtOnce(
  count: number,
  one: (index: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: count }, (_, index) => one(index)));
  return count / ((performance.now() - start) / 1000);
}

async function measurePlans({ engine }: BenchInstallation): Promise<void> {
  const dates = Array.from({ length: YEAR }, (_, index) => addDays(FIRST, index));
  const start = performance.now();
  const { plans } = await planFromStores(engine, noopDataset.definition, dates, {});
  const complete = plans.filter(({ upToDate }) => upToDate).length;
  report({
    name: 'fully cached year checked as complete',
    value: (performance.now() - start) / 1000,
    unit: 's',
    target: 5,
    note: `${complete} of ${YEAR} days complete`,
  });
}
