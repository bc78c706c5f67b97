import { jsonOutput, PipelineError, readJson, forEachUnit } from '../kit/index.ts';
import type { Revision, StepImplementation, StepUnit, UnitResult } from '../kit/index.ts';
import type { Source } from './columns.ts';
import { SOURCES } from './columns.ts';
import type { ComparedQuantity, NationalComparison, RegionsDay } from './metrics-model.ts';
import { REGIONS } from './regions.ts';

/**
 * `metrics/comparison`: the sum over the regions beside the national figure of the same day, which
 * has the same perimeter: mainland France without Corsica. A difference is shown and never spread;
 * where one side is incomplete there is none, and the reason is named.
 */
export const metricsComparison: StepImplementation = {
  kind: 'sql',
  run: (task) => forEachUnit(task, compareUnit),
};

interface NationalEnergy {
  readonly energy_mwh: number | null;
  readonly coverage: number;
}

/** What is read of the metrics of the pipeline `eco2mix`. */
interface NationalDay {
  readonly date: string;
  readonly revision: Revision | null;
  readonly load: NationalEnergy;
  readonly generation: { readonly by_source: Readonly<Record<string, NationalEnergy>> };
}

/** The national sources that a regional one stands for, where their names differ. */
const NATIONAL_SOURCES: Readonly<Partial<Record<Source, readonly string[]>>> = {
  thermique: ['fioul', 'charbon', 'gaz'],
};

async function compareUnit(unit: StepUnit): Promise<UnitResult> {
  const day = await readJson<RegionsDay>(unit.inputs['regions']?.[0]);
  if (day === null)
    throw new PipelineError('INTERNAL', `${unit.scope} is to be compared and has no metrics`);
  const comparison = compareDays(day, await readJson<NationalDay>(unit.inputs['national']?.[0]));
  return {
    scope: unit.scope,
    outputs: { comparison: jsonOutput(comparison) },
    checks: [],
    facts: { compared: comparison.quantities.filter(({ reason }) => reason === null).length },
  };
}

/** Every quantity that both sides have. */
export function compareDays(day: RegionsDay, national: NationalDay | null): NationalComparison {
  const loads = day.regions.map(({ load }) => load);
  const sources = SOURCES.map((source): ComparedQuantity => {
    const names = NATIONAL_SOURCES[source] ?? [source];
    const published = day.regions.map(({ generation }) => generation.by_source[source]);
    // A region that never has a source publishes nothing of it: it is no gap.
    const regional = published.filter(({ energy_mwh: energy }) => energy !== null);
    return compare(
      source,
      regional,
      names.map((name) => national?.generation.by_source[name]),
    );
  });
  return {
    schema: 'eco2mix-regional.comparison/1',
    date: day.date,
    revisions: { regions: day.revision, national: national?.revision ?? null },
    quantities: [compare('consommation', loads, [national?.load], REGIONS.length), ...sources],
  };
}

function compare(
  quantity: ComparedQuantity['quantity'],
  regional: readonly NationalEnergy[],
  national: readonly (NationalEnergy | undefined)[],
  expected = 1,
): ComparedQuantity {
  const regionsMwh = sumOf(regional);
  const nationalMwh = sumOf(national);
  const isWhole = (sides: readonly (NationalEnergy | undefined)[]): boolean =>
    sides.every((side) => side !== undefined && side.energy_mwh !== null && side.coverage === 1);
  const reason =
    nationalMwh === null
      ? 'no national figure'
      : regional.length < expected || !isWhole(regional)
        ? 'regions incomplete'
        : isWhole(national)
          ? null
          : 'national incomplete';
  const difference =
    reason === null && regionsMwh !== null && nationalMwh !== null
      ? regionsMwh - nationalMwh
      : null;
  return {
    quantity,
    regions_mwh: regionsMwh,
    national_mwh: nationalMwh,
    difference_mwh: difference,
    difference_pct:
      difference === null || nationalMwh === null || nationalMwh === 0
        ? null
        : Math.round((difference * 10_000) / nationalMwh) / 100,
    reason,
  };
}

/** The sum of what is known; null where nothing is. */
function sumOf(energies: readonly (NationalEnergy | undefined)[]): number | null {
  const known = energies.map((energy) => energy?.energy_mwh ?? null).filter((mwh) => mwh !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
