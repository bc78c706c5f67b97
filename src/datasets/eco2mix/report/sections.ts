import type { CheckResult, PartNote } from '../../kit/index.ts';
import type { DayComparison, DayMetrics } from '../metrics-model.ts';
import { BORDERS, COMPARISONS, SOURCES, STORAGES } from '../metrics-model.ts';
import type {
  ObservedQuantity,
  Reason,
  SectionName,
  SectionState,
  SectionStatus,
} from './model.ts';
import { QUANTITIES } from './quantities.ts';

/** Published since 2025 only: their absence says nothing about a day, a hole in them does. */
const MAY_BE_ABSENT: readonly string[] = ['stockage_batterie', 'destockage_batterie'];

const QUANTITIES_OF = {
  load: ['consommation'],
  generation: [...SOURCES, ...STORAGES],
  exchanges: ['ech_physiques', ...BORDERS.map((border) => `ech_comm_${border}`)],
  carbon_intensity: ['taux_co2'],
} as const satisfies Partial<Record<SectionName, readonly string[]>>;

/** What each section of the report can show of the day, and why not more. */
export function sectionsOf(
  metrics: DayMetrics,
  comparison: DayComparison | null,
  checks: readonly CheckResult[],
): Readonly<Record<SectionName, SectionState>> {
  return {
    load: observedState(metrics, QUANTITIES_OF.load),
    forecasts: forecastState(metrics),
    generation: observedState(metrics, QUANTITIES_OF.generation),
    exchanges: observedState(metrics, QUANTITIES_OF.exchanges),
    carbon_intensity: observedState(metrics, QUANTITIES_OF.carbon_intensity),
    comparison: comparisonState(metrics, comparison),
    checks: checksState(checks),
  };
}

/** A report without load is one without data; any other flaw degrades it. */
export function reportStatus(
  sections: Readonly<Record<SectionName, SectionState>>,
  notes: readonly PartNote[],
): SectionStatus {
  if (sections.load.status === 'no_data') return 'no_data';
  const isWhole =
    notes.length === 0 && Object.values(sections).every((section) => section.status === 'ok');
  return isWhole ? 'ok' : 'degraded';
}

function observedState(metrics: DayMetrics, names: readonly string[]): SectionState {
  const observed = QUANTITIES.filter(({ name }) => names.includes(name)).map(
    (quantity): ObservedQuantity => {
      const { expected_samples, observed_samples, coverage } = quantity.coverage(metrics);
      return { quantity: quantity.name, expected_samples, observed_samples, coverage };
    },
  );
  const present = observed.filter(({ observed_samples }) => observed_samples > 0);
  if (present.length === 0)
    return { status: 'no_data', reasons: [{ code: 'not_published', quantities: names }] };
  const absent = names.filter(
    (name) => !MAY_BE_ABSENT.includes(name) && !present.some(({ quantity }) => quantity === name),
  );
  const incomplete = present.filter(
    (quantity) => quantity.observed_samples < quantity.expected_samples,
  );
  return stateFor([
    ...(absent.length === 0 ? [] : [{ code: 'not_published', quantities: absent } as const]),
    ...(incomplete.length === 0 ? [] : [{ code: 'incomplete', quantities: incomplete } as const]),
  ]);
}

function forecastState(metrics: DayMetrics): SectionState {
  const state = observedState(metrics, ['prevision_j1', 'prevision_j']);
  const { j1, j } = metrics.forecasts;
  if (state.status === 'no_data' || j1.samples + j.samples > 0) return state;
  return stateFor([...state.reasons, { code: 'no_load_to_compare' }]);
}

function comparisonState(metrics: DayMetrics, comparison: DayComparison | null): SectionState {
  if (comparison === null) return { status: 'no_data', reasons: [{ code: 'comparison_not_made' }] };
  const missing = COMPARISONS.filter((name) => comparison.against[name] === null);
  const missingDays: Reason[] =
    missing.length === 0 ? [] : [{ code: 'reference_days_missing', comparisons: missing }];
  if (missing.length === COMPARISONS.length) return { status: 'no_data', reasons: missingDays };
  return stateFor([
    ...missingDays,
    ...(hasPartialEnergies(metrics) ? [{ code: 'energies_incomplete' } as const] : []),
  ]);
}

function hasPartialEnergies({ load, generation, exchanges }: DayMetrics): boolean {
  return [load, ...Object.values(generation.by_source), exchanges.physical].some(
    ({ coverage }) => coverage > 0 && coverage < 1,
  );
}

function checksState(checks: readonly CheckResult[]): SectionState {
  if (checks.length === 0) return { status: 'no_data', reasons: [{ code: 'no_checks' }] };
  const failed = checks.filter((check) => check.failed > 0).map((check) => check.check);
  return stateFor(failed.length === 0 ? [] : [{ code: 'checks_failed', checks: failed }]);
}

function stateFor(reasons: readonly Reason[]): SectionState {
  return { status: reasons.length === 0 ? 'ok' : 'degraded', reasons };
}
