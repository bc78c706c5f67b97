import { planFromStores } from '../src/activities/resolve-plan.ts';
import { startDay } from '../src/cli/runs.ts';
import { addDays } from '../src/pipelines/civil-date.ts';
import { noopDataset } from '../test/fixtures/noop-dataset.ts';
import { measureBackfills } from './backfills.ts';
import { emptyWorkflows } from './empty-workflows.ts';
import { median, peakMemoryMb, report } from './figures.ts';
import { openInstallation } from './installation.ts';

/** What the engine and Temporal cost without any data. */

const ALONE = 40;
const STEPS = noopDataset.definition.steps.length;
const YEAR = 365;
const FIRST = '2023-01-01';

export async function run(): Promise<void> {
  const installation = await openInstallation({ noop: noopDataset });
  const { target, engine } = installation;
  const dayMs = async (date: string): Promise<number> => {
    const start = performance.now();
    await (await startDay(target, { pipeline: 'noop', date })).result();
    return performance.now() - start;
  };
  try {
    const floor = await emptyWorkflows(installation.address, 200);
    for (let index = 0; index < 10; index += 1) await dayMs(addDays('2020-01-01', index));
    const alone: number[] = [];
    for (let index = 0; index < ALONE; index += 1) alone.push(await dayMs(addDays('2021-01-01', index)));
    report({
      name: 'no-op day of four steps alone, p50',
      value: median(alone),
      unit: 'ms',
      floor: floor.aloneMs,
      target: 90,
      note: `a bare workflow of four empty activities: ${floor.fourActivitiesMs.toFixed(1)} ms`,
    });
    report({
      name: 'that, beside a bare workflow of four activities',
      value: median(alone),
      unit: 'ms',
      floor: floor.fourActivitiesMs,
      target: 1.73,
      bounds: 'ratio',
      note: 'target: 90 ms beside 52 ms',
    });
    report({
      name: 'overhead per step of that',
      value: (median(alone) - floor.aloneMs) / STEPS,
      unit: 'ms',
      floor: (floor.fourActivitiesMs - floor.aloneMs) / STEPS,
      note: 'plan, ledger, manifest and publication shared out over the steps; floor: an empty activity',
    });

    const dates = Array.from({ length: YEAR }, (_, index) => addDays(FIRST, index));
    const start = performance.now();
    await Promise.all(dates.map(dayMs));
    const perSecond = YEAR / ((performance.now() - start) / 1000);
    report({
      name: '365 no-op days at once',
      value: perSecond,
      unit: 'days/s',
      floor: floor.perSecond,
      target: 20,
      more: true,
      note: `bare workflows of four empty activities: ${floor.fourActivitiesPerSecond.toFixed(1)} a second`,
    });
    report({
      name: 'time per day of that, beside bare workflows of four activities',
      value: 1000 / perSecond,
      unit: 'ms',
      floor: 1000 / floor.fourActivitiesPerSecond,
      target: 1.75,
      bounds: 'ratio',
      note: 'target: 20 days a second beside 35 bare workflows',
    });

    const cached: number[] = [];
    for (let index = 0; index < ALONE; index += 1) cached.push(await dayMs(addDays('2021-01-01', index)));
    report({ name: 'fully cached day, p50', value: median(cached), unit: 'ms', floor: floor.aloneMs, target: 40 });

    const planStart = performance.now();
    const { plans } = await planFromStores(engine, noopDataset.definition, dates, {});
    const complete = plans.filter(({ upToDate }) => upToDate).length;
    report({
      name: 'fully cached year checked as complete',
      value: (performance.now() - planStart) / 1000,
      unit: 's',
      target: 5,
      note: `${complete} of ${YEAR} days complete`,
    });
    report({ name: 'worker memory peak', value: peakMemoryMb(), unit: 'MB', target: 700 });
    await measureBackfills(installation, dayMs);
  } finally {
    await installation.close();
  }
}
