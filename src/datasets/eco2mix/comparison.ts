import { readFileSync } from 'node:fs';
import { PipelineError } from '../kit/index.ts';
import type {
  LocalArtefact,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../kit/index.ts';
import { abs, exactRatio } from './exact-ratio.ts';
import type {
  ComparedDay,
  ComparedQuantity,
  ComparedValue,
  DayComparison,
  DayMetrics,
} from './metrics-model.ts';
import { COMPARED_QUANTITIES, COMPARISONS, SOURCES } from './metrics-model.ts';

/** `metrics/comparison`: a day's metrics against those of earlier days. */
export const metricsComparison: StepImplementation = { kind: 'sql', run };

/** Quantities have at most six decimals: scaled by this they are integers. */
const SCALE_DECIMALS = 6;
const PERCENT_DECIMALS = 2;

function run(task: StepTask): Promise<readonly UnitOutcome[]> {
  const read = quantitiesReader();
  return Promise.resolve(
    task.units.map((unit): UnitOutcome => {
      const comparison = compareUnit(unit, read);
      return {
        scope: unit.scope,
        outputs: { comparison: { bytes: Buffer.from(JSON.stringify(comparison), 'utf8') } },
        checks: [],
        facts: { compared_with: COMPARISONS.filter((name) => comparison.against[name] !== null) },
      };
    }),
  );
}

function compareUnit(unit: StepUnit, read: QuantitiesReader): DayComparison {
  const day = read(unit.inputs['day']?.[0]);
  if (day === undefined)
    throw new PipelineError('INTERNAL', `${unit.scope} is to be compared and has no metrics`);
  const against: Record<string, ComparedDay | null> = {};
  for (const name of COMPARISONS) {
    const reference = read(unit.inputs[name]?.[0]);
    against[name] = reference === undefined ? null : compareQuantities(day, reference);
  }
  return {
    schema: 'eco2mix.comparison/1',
    date: day.date,
    against: against as DayComparison['against'],
  };
}

/** What is compared of a day. */
interface Quantities {
  readonly date: string;
  readonly values: Readonly<Record<ComparedQuantity, number | null>>;
}

type QuantitiesReader = (artefact: LocalArtefact | undefined) => Quantities | undefined;

/**
 * Reads each file once: in a set of days, a day is compared, and is the day before and the day a
 * week before of others. Metrics have 24 KB: reading them takes less time than the way to another
 * thread and back.
 */
function quantitiesReader(): QuantitiesReader {
  const known = new Map<string, Quantities>();
  return (artefact) => {
    if (artefact === undefined) return undefined;
    const quantities =
      known.get(artefact.path) ??
      quantitiesOf(JSON.parse(readFileSync(artefact.path, 'utf8')) as DayMetrics);
    known.set(artefact.path, quantities);
    return quantities;
  };
}

/** Every compared quantity of two days. */
export function compareDays(day: DayMetrics, reference: DayMetrics): ComparedDay {
  return compareQuantities(quantitiesOf(day), quantitiesOf(reference));
}

function compareQuantities(day: Quantities, reference: Quantities): ComparedDay {
  const compared = COMPARED_QUANTITIES.map((name) => [
    name,
    compareValues(day.values[name], reference.values[name]),
  ]);
  return { date: reference.date, values: Object.fromEntries(compared) as ComparedDay['values'] };
}

function quantitiesOf(metrics: DayMetrics): Quantities {
  const bySource = SOURCES.map((source) => {
    return [`generation_${source}_mwh`, metrics.generation.by_source[source].energy_mwh] as const;
  });
  const values = {
    load_energy_mwh: metrics.load.energy_mwh,
    load_mean_mw: metrics.load.mean_mw,
    load_peak_mw: metrics.load.peak?.mw ?? null,
    generation_mwh: metrics.generation.total_mwh,
    ...(Object.fromEntries(bySource) as Record<(typeof bySource)[number][0], number | null>),
    exchange_net_mwh: metrics.exchanges.total.net_mwh,
    low_carbon_share: metrics.generation.low_carbon_share,
    carbon_intensity_g_per_kwh: metrics.carbon_intensity.mean_g_per_kwh,
  };
  return { date: metrics.date, values };
}

function compareValues(value: number | null, reference: number | null): ComparedValue {
  if (value === null || reference === null)
    return { value, reference, difference: null, difference_pct: null };
  const difference = scaled(value) - scaled(reference);
  return {
    value,
    reference,
    difference: exactRatio(difference, 10n ** BigInt(SCALE_DECIMALS), SCALE_DECIMALS),
    difference_pct: exactRatio(100n * difference, abs(scaled(reference)), PERCENT_DECIMALS),
  };
}

function scaled(value: number): bigint {
  return BigInt(Math.round(value * 10 ** SCALE_DECIMALS));
}
