import { dayByDay, dayOf, jsonOutput } from '../../kit/index.ts';
import type { CheckResult, StepDefinition, StepUnit } from '../../kit/index.ts';

/**
 * `metrics/quality`: what the checks of every source said of the day, and how much of it there is.
 * A source passes when no check failed that would hold a day; failed checks of less weight are
 * messages of a source that passes.
 */

/** One source of the day. */
export interface SourceQuality {
  readonly dataset: string;
  readonly passed: boolean;
  /** One for each check: `ok: …`, `warning: …` or `error: …`. */
  readonly messages: readonly string[];
  /** Of its transform; 0 where the step recorded none. */
  readonly rows: number;
  readonly checks: readonly Pick<CheckResult, 'check' | 'severity' | 'tested' | 'failed'>[];
  /** What the step recorded of the day. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The published document, in the form of the city's later system. */
export interface QualityMetrics {
  readonly schema: 'cityflow.quality/1';
  readonly metric_type: 'quality';
  readonly date: string;
  /** Every source that is there passes. */
  readonly passed: boolean;
  readonly datasets: readonly SourceQuality[];
  /** Sources of which the day has nothing. */
  readonly absents: readonly string[];
}

/** The step, which takes the words of the claims from the definitions of the transforms. */
export function qualityOf(steps: readonly StepDefinition[]) {
  const titles = new Map(
    steps.flatMap(({ id, checks = [] }) => checks.map((one) => [`${id} ${one.id}`, one.title])),
  );
  return dayByDay((unit) => {
    const metrics = qualityMetrics(unit, dayOf(unit).date, titles);
    const failed = metrics.datasets.filter(({ passed }) => !passed).length;
    return Promise.resolve({
      outputs: { quality: jsonOutput(metrics) },
      checks: [],
      facts: { failed },
    });
  });
}

function qualityMetrics(
  unit: StepUnit,
  date: string,
  titles: ReadonlyMap<string, string>,
): QualityMetrics {
  const sources = Object.entries(unit.inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  const datasets = sources.flatMap(([dataset, [input]]): SourceQuality[] => {
    if (input === undefined) return [];
    const { checks = [], facts = {} } = input;
    return [
      {
        dataset,
        passed: checks.every(({ severity, failed }) => severity === 'warn' || failed === 0),
        messages: checks.map((result) =>
          messageOf(result, titles.get(`transform/${dataset} ${result.check}`)),
        ),
        rows: Number(facts['rows'] ?? 0),
        checks: checks.map(({ check, severity, tested, failed }) => ({
          check,
          severity,
          tested,
          failed,
        })),
        metadata: facts,
      },
    ];
  });
  return {
    schema: 'cityflow.quality/1',
    metric_type: 'quality',
    date,
    passed: datasets.every(({ passed }) => passed),
    datasets,
    absents: sources.flatMap(([dataset, inputs]) => (inputs.length === 0 ? [dataset] : [])),
  };
}

function messageOf({ check, severity, tested, failed }: CheckResult, claim = check): string {
  if (failed === 0) return `ok: ${claim}`;
  return `${severity === 'warn' ? 'warning' : 'error'}: ${failed} of ${tested} break the rule "${claim}"`;
}
