import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { executeDownload } from '../download/execute-download.ts';
import { planFromStores } from '../plan/plan-run.ts';

/**
 * Asks the publisher for every day whose download a plan would run or recheck, and keeps what it
 * delivers, so that the next plan knows what changed. No manifest is touched: the days stay as they
 * are until they are run.
 */
export async function probePublisher(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
  control: StepControl,
): Promise<void> {
  const { definition } = datasetOf(engine, pipeline);
  const { plans } = await planFromStores(engine, definition, dates, { recheck: true });
  for (const step of definition.steps) {
    if (step.part === undefined) continue;
    const asked = plans
      .filter(({ steps }) =>
        steps.some(
          (one) => one.step === step.id && (one.action === 'run' || one.action === 'recheck'),
        ),
      )
      .map(({ date }) => ({ date, inputs: {} }));
    if (asked.length === 0) continue;
    await executeDownload(
      engine,
      { pipeline, step: step.id, days: asked, siblings: {}, force: false },
      control,
    );
  }
}
