import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { DayMetrics } from '../../../src/datasets/eco2mix/metrics-model.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import type { Done, Source, StepRunner } from '../../fixtures/step-runner.ts';
import { dayUnit, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';

/** Runs the steps of eco2mix, with short ways to what most tests want. */
export interface Runner extends StepRunner {
  /** Slices of all sources and the core of every date, all in one set. */
  core(sources: readonly Source[], dates: readonly CivilDate[]): Promise<Done[]>;
  /** The same and metrics of the dates that have a core, by date. */
  metrics(
    sources: readonly Source[],
    dates: readonly CivilDate[],
  ): Promise<Map<CivilDate, DayMetrics>>;
}

export async function openRunner(): Promise<Runner> {
  const steps = await openStepRunner(eco2mix);
  const runner: Runner = {
    ...steps,
    async core(sources, wanted) {
      const inputs = new Map<CivilDate, Record<string, LocalArtefact[]>>(
        wanted.map((date) => [date, {}]),
      );
      for (const source of sources) {
        for (const { scope, outputs } of await steps.slice(source, wanted)) {
          const slice = outputs['slice'];
          if (slice !== undefined) inputs.get(scope)![source.part] = [slice];
        }
      }
      return steps.step(
        'transform/national',
        wanted.map((date) => dayUnit(date, inputs.get(date)!)),
      );
    },
    async metrics(sources, wanted) {
      const cores = (await runner.core(sources, wanted)).filter(
        ({ failure }) => failure === undefined,
      );
      const units = cores.map(({ scope, outputs }) => dayUnit(scope, { core: [outputs['core']!] }));
      const measured = await steps.step('metrics/national', units);
      return new Map(
        await Promise.all(
          measured.map(
            async (done) => [done.scope, await readOutput<DayMetrics>(done, 'metrics')] as const,
          ),
        ),
      );
    },
  };
  return runner;
}
