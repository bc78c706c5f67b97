import type { JsonObject } from '../ports/json.ts';
import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import type { CheckResult } from './check-result.ts';
import type { Decision } from './decision.ts';
import type { CheckDefinition } from './definition.ts';
import type { LedgerEntry } from './ledger.ts';
import type { Manifest } from './manifest.ts';
import type { HeldUnit, UnitDecision } from './units.ts';
import type { StepId } from './vocabulary.ts';

/**
 * Checks that hold single units (a meter group, a contract) in place of their whole step. The rows
 * of a held unit are left out, the rest of the day goes on and is committed as degraded; a person
 * decides unit by unit. Pure.
 *
 * A decision is about a unit, a check and the evidence: the hash of the rows that fail. Other
 * evidence is another question. Decisions are a part of the step key, so that one re-runs the step,
 * or the one shard, that holds the unit, and what is above it.
 */

/** A row that fails a check, and the unit that it is of. */
export interface FailingRow {
  readonly unit: string;
  readonly row: JsonObject;
}

/** More held units than this are a fault of the step: it fails with `DATA_CHECK_FAILED`. */
export const MAX_HELD_UNITS = 2_000;

const EXAMPLES = 3;

/**
 * The result of a check that names units, and the units whose rows the step has to leave out.
 * Accepted units are in neither, rejected ones in both. The rows of a unit may come in any order.
 */
export function judgeUnits(
  { id, severity }: Pick<CheckDefinition, 'id' | 'severity'>,
  { tested, failing, decided = [] }: JudgedRows,
): { readonly result: CheckResult; readonly leftOut: readonly string[] } {
  const byUnit = new Map<string, JsonObject[]>();
  for (const { unit, row } of failing) {
    const rows = byUnit.get(unit);
    if (rows === undefined) byUnit.set(unit, [row]);
    else rows.push(row);
  }
  const units: HeldUnit[] = [];
  let failed = 0;
  for (const unit of [...byUnit.keys()].sort()) {
    const rows = (byUnit.get(unit) ?? []).map((row) => canonicalJson(row)).sort();
    const evidence = sha256Hex(rows.join('\n'));
    const known = decided.find(
      (one) => one.check === id && one.unit === unit && one.evidence === evidence,
    );
    if (known?.decision === 'accept') continue;
    const examples = rows.slice(0, EXAMPLES).map((row) => JSON.parse(row) as JsonObject);
    units.push({
      unit,
      evidence,
      examples,
      ...(known === undefined ? {} : { rejected: true as const }),
    });
    failed += rows.length;
  }
  return {
    result: { check: id, severity, tested, failed, examples: [], units },
    leftOut: units.map(({ unit }) => unit),
  };
}

/** What the step found; `failing` may name a unit many times. */
export interface JudgedRows {
  /** Rows that were looked at. */
  readonly tested: number;
  readonly failing: readonly FailingRow[];
  /** `unit.decided` of the step's task. */
  readonly decided?: readonly UnitDecision[] | undefined;
}

/** Whether a failed check holds its whole step until somebody decides. */
export function holdsStep({ severity, failed, units }: CheckResult): boolean {
  return severity === 'hold' && failed > 0 && units === undefined;
}

/**
 * What a step is told of decisions on its units; none for a step without such checks. In one order,
 * because it is part of the step key.
 */
export function unitDecisions(
  { id, checks = [] }: { readonly id: StepId; readonly checks?: readonly CheckDefinition[] },
  decisions: readonly Decision[],
): UnitDecision[] {
  if (!checks.some(({ perUnit }) => perUnit === true)) return [];
  return decisions
    .flatMap(({ step, check, unit, evidence, decision }): UnitDecision[] =>
      step === id && check !== undefined && unit !== undefined && evidence !== undefined
        ? [{ check, unit, evidence, decision }]
        : [],
    )
    .sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
}

/** How many units wait for a decision, as a member of plans and states; nothing where none does. */
export function waitingUnits({ checks }: Pick<LedgerEntry, 'checks'>): {
  readonly heldUnits?: number;
} {
  const units = checks
    .flatMap((check) => check.units ?? [])
    .filter(({ rejected }) => rejected !== true);
  return units.length === 0 ? {} : { heldUnits: units.length };
}

/** A unit that a version of a day is without. */
export interface HeldInVersion extends HeldUnit {
  readonly step: StepId;
  readonly check: string;
}

/** The units that a version is without, in the order of its steps. */
export function unitsHeldIn({ steps }: Pick<Manifest, 'steps'>): HeldInVersion[] {
  return (Object.entries(steps) as [StepId, Manifest['steps'][StepId]][]).flatMap(([step, state]) =>
    state.state === 'done'
      ? state.failedChecks.flatMap(({ check, units = [] }) =>
          units.map((unit) => ({ step, check, ...unit })),
        )
      : [],
  );
}

/**
 * What was decided on a day, as far as its evidence tells: records where they were read, else its
 * newest version.
 */
export function decisionsOf(day: {
  readonly decisions?: readonly Decision[];
  readonly manifest: Pick<Manifest, 'decisions'> | undefined;
}): readonly Decision[] {
  return day.decisions ?? day.manifest?.decisions ?? [];
}
