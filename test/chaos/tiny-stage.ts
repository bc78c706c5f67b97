import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { rollupFailure } from '../../src/cli/make/backfill-run.ts';
import { resultOf, startBackfill } from '../../src/cli/temporal/runs.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { BackfillResult } from '../../src/workflows/backfill-tally.ts';
import type { day } from '../../src/workflows/day.ts';
import type { DayResult } from '../../src/workflows/day-contract.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';
import { homeContents } from './home-contents.ts';
import type { HomeContents } from './home-contents.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** The stage on which the workers make days of the small pipeline, and its publisher. */
export interface TinyStage extends Stage {
  readonly publisher: TinyPublisher;
}

/** `dates`: what the publisher has published. */
export async function openTinyStage(dates: readonly CivilDate[]): Promise<TinyStage> {
  const publisher = await startTinyPublisher(dates);
  const stage = await openStage({
    QUOTIDIEN_TINY_URL: publisher.url,
    QUOTIDIEN_TINY_REQUESTS_PER_SECOND: '1000',
    // Periods are made while days still change.
    QUOTIDIEN_ROLLUP_QUIET_MS: '500',
  });
  return {
    ...stage,
    publisher,
    async close() {
      await stage.close();
      await publisher.close();
    },
  };
}

export async function runTinyBackfill(
  { client }: Stage,
  queue: string,
  range: { readonly from: CivilDate; readonly to: CivilDate },
): Promise<BackfillResult> {
  return resultOf(
    await startBackfill({ client, taskQueue: queue }, { pipeline: 'tiny', ...range }),
  );
}

/** Makes what is derived from changed days; undefined, or why it could not be made. */
export function runTinyRollup({ client }: Stage, queue: string) {
  return rollupFailure({ client, taskQueue: queue }, 'tiny');
}

/**
 * Asks the publisher again in a run of its own: after one that has begun before, which may have its
 * answers already.
 */
export async function recheckDay(
  { client }: Stage,
  taskQueue: string,
  date: CivilDate,
): Promise<DayResult> {
  const workflowId = `day/tiny/${date}`;
  for (;;) {
    try {
      const args: [Parameters<typeof day>[0]] = [{ pipeline: 'tiny', date, recheck: true }];
      return await resultOf(
        await client.workflow.start<typeof day>('day', {
          workflowId,
          taskQueue,
          args,
          workflowIdConflictPolicy: 'FAIL',
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await resultOf(client.workflow.getHandle<typeof day>(workflowId));
    }
  }
}

/** What the stores of a home hold of days and their periods. */
export async function tinyContents(
  home: string,
  dates: readonly CivilDate[],
): Promise<HomeContents> {
  const dataset = tinyDataset();
  const engine = await openEngine(loadConfig({ env: {}, cwd: home, home, hosts: ['tiny'] }), {
    tiny: dataset,
  });
  try {
    return await homeContents(engine, {
      dataset,
      dates,
      places: ['reports/tiny/daily_report_', '02_clean/tiny'],
    });
  } finally {
    await engine.close();
  }
}
