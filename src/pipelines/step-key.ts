import type { JsonObject } from '../ports/json.ts';
import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import type { CheckResult } from './check-result.ts';
import type { StepNote } from './kept-delivery.ts';
import type { UnitDecision } from './units.ts';
import type { StepId, StepKey } from './vocabulary.ts';

/**
 * What a step reads under one input name: the sha256 of each artefact in order, or null for a
 * missing optional input.
 */
export type InputHashes = readonly string[] | null;

/** Everything that the outputs depend on, and nothing else: no date, no clock, no host. */
export interface StepKeyParts {
  readonly step: StepId;
  readonly version: number;
  readonly params: JsonObject;
  readonly inputs: Readonly<Record<string, InputHashes>>;
  /** Of a step that declares `withNotes`. */
  readonly notes?: readonly StepNote[];
  /** Of a step with checks that name units. */
  readonly decided?: readonly UnitDecision[];
}

/** The same parts give the same key wherever and whenever they come together. */
export function stepKey({
  step,
  version,
  params,
  inputs,
  notes = [],
  decided = [],
}: StepKeyParts): StepKey {
  const more = {
    ...(notes.length === 0 ? {} : { notes }),
    ...(decided.length === 0 ? {} : { decided }),
  };
  return sha256Hex(canonicalJson({ step, version, params, inputs, ...more }));
}

/**
 * The hash by which an artefact enters a key. An input declared `withFacts` is the artefact
 * together with what its step recorded, so that a step may read both.
 */
export function inputHash(
  sha256: string,
  recorded?: { readonly facts: JsonObject; readonly checks: readonly CheckResult[] },
): string {
  return recorded === undefined
    ? sha256
    : sha256Hex(canonicalJson([sha256, recorded.facts, recorded.checks]));
}
