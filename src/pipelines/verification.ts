import type { DocumentKey } from '../ports/documents.ts';
import type { JsonObject } from '../ports/json.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { CheckResult } from './check-result.ts';
import { scopePartition } from './ledger.ts';
import type { LedgerEntry } from './ledger.ts';
import type { ManifestStep } from './manifest.ts';
import { stepKey } from './step-key.ts';
import type { Scope, StepId, StepKey } from './vocabulary.ts';

/**
 * What came of rebuilding a finished day from its raw files, or a period from its days, and
 * comparing every byte.
 */

/**
 * - identical: rebuilt, and every byte, fact and check is as recorded; the stored bytes are right
 *   too.
 * - different: something is not as recorded, see the findings.
 * - not_rebuildable: nothing is known to be wrong, but the step cannot be repeated here.
 */
export type VerificationResult = 'identical' | 'different' | 'not_rebuildable';

/** What two copies must share to count as the same bytes. */
export interface ContentIdentity {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** One output three times: as recorded, as rebuilt now, and as the store has it. */
export interface OutputVerification {
  readonly output: string;
  /** Null: the rebuilt step has an output that the recorded one had not. */
  readonly recorded: ContentIdentity | null;
  /** Null: not rebuilt. */
  readonly rebuilt: ContentIdentity | null;
  /** What the store holds under the recorded key now; `destroyed`: nothing, on purpose. */
  readonly stored: 'intact' | 'damaged' | 'missing' | 'none' | 'destroyed';
}

/** What came of one step; `different` wins over `not_rebuildable`. */
export interface StepVerification {
  readonly step: StepId;
  readonly key: StepKey;
  readonly result: VerificationResult;
  /** In words, what differs or why the step cannot be rebuilt; empty when identical. */
  readonly findings: readonly string[];
  /**
   * What was destroyed on purpose of that from which it could be rebuilt, or of what it gave;
   * absent where nothing was.
   */
  readonly destroyed?: readonly string[];
  readonly outputs: readonly OutputVerification[];
}

/**
 * A name under which users read, and what the store has there now; `withdrawn`: it belongs to an
 * earlier version alone.
 */
export interface PublishedVerification {
  readonly name: string;
  readonly state: 'intact' | 'damaged' | 'missing' | 'withdrawn';
}

/** What is wrong with a published name, in words; undefined when nothing is. */
export function publishedFinding({ name, state }: PublishedVerification): string | undefined {
  if (state === 'intact') return undefined;
  if (state === 'missing') return `${name}: is missing, run it again to publish it`;
  const what =
    state === 'damaged'
      ? 'does not show the newest version'
      : 'shows an earlier version, the newest has none';
  return `${name}: ${what}, run it again to put it right`;
}

/** One verification of one day or period; kept in its table, never changed. */
export interface Verification {
  readonly pipeline: string;
  readonly scope: Scope;
  /** Of the manifest that was verified. */
  readonly version: number;
  readonly result: VerificationResult;
  /**
   * The steps that were done, in the order of the definition; steps that failed or were left out
   * have nothing to compare.
   */
  readonly steps: readonly StepVerification[];
  /**
   * The published names, by the hash of their bytes; absent in verifications of earlier releases.
   */
  readonly published?: readonly PublishedVerification[];
  /**
   * Objects that versions of the scope name and that were destroyed on purpose, this version and
   * earlier ones together: their hashes are all that is left of them. Absent where there are none.
   */
  readonly destroyed?: number;
  /** ISO instant. */
  readonly verifiedAt: string;
  readonly host: string;
  /** Of the code that rebuilt it. */
  readonly codeVersion: string;
}

/**
 * Whether something that is stored is gone or wrong, which `verify --repair` makes again; other
 * differences are those of code.
 */
export function isDamaged({
  steps,
  published = [],
}: Pick<Verification, 'steps' | 'published'>): boolean {
  const stored = steps.flatMap(({ outputs }) =>
    outputs.filter(({ recorded }) => recorded !== null),
  );
  const isThere = (state: OutputVerification['stored']): boolean =>
    state === 'intact' || state === 'destroyed';
  return (
    stored.some((output) => !isThere(output.stored)) ||
    published.some(({ state }) => state !== 'intact')
  );
}

/** Only ever added to: an older result says since when something is wrong. */
export const VERIFICATION_TABLE = 'verifications';

/** Verifications of a scope sort by their instant. */
export function verificationKey(pipeline: string, scope: Scope, verifiedAt: string): DocumentKey {
  return {
    table: VERIFICATION_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${verifiedAt}`,
  };
}

/** What came of executing a recorded step again. */
export type Rebuilt =
  | {
      readonly kind: 'built';
      readonly outputs: Readonly<Record<string, ContentIdentity>>;
      readonly facts: JsonObject;
      readonly checks: readonly CheckResult[];
    }
  /** It was executed and gave no outputs, which it did when it was recorded. */
  | { readonly kind: 'failed'; readonly why: string }
  /** It could not be executed here. */
  | { readonly kind: 'impossible'; readonly why: string }
  /** What it was made from was destroyed on purpose: its own hash is the proof that is left. */
  | { readonly kind: 'destroyed'; readonly why: string };

/** A step of a version that has outputs. */
export type DoneStep = Extract<ManifestStep, { readonly state: 'done' }>;

/** What `verifyStep` compares. */
export interface StepEvidence {
  readonly step: StepId;
  readonly recorded: DoneStep;
  /** The ledger entry that the manifest names. */
  readonly entry: LedgerEntry | undefined;
  readonly rebuilt: Rebuilt;
  /** What the store holds now, by output. */
  readonly stored: Readonly<Record<string, OutputVerification['stored']>>;
}

/** Holds a recorded step against what the store has and what its rebuild gave. */
export function verifyStep({
  step,
  recorded,
  entry,
  rebuilt,
  stored,
}: StepEvidence): StepVerification {
  const outputs = compareOutputs(recorded.outputs, rebuilt, stored);
  const differences = [
    ...ledgerFindings(recorded, entry),
    ...outputs.flatMap(outputFindings),
    ...rebuiltFindings(entry, rebuilt),
  ];
  const impossible = rebuilt.kind === 'impossible' ? [rebuilt.why] : [];
  const result =
    differences.length > 0 ? 'different' : impossible.length > 0 ? 'not_rebuildable' : 'identical';
  const gone = outputs
    .filter((output) => output.stored === 'destroyed')
    .map(({ output }) => `${output} was destroyed`);
  const destroyed = [...(rebuilt.kind === 'destroyed' ? [rebuilt.why] : []), ...gone];
  const findings = [...differences, ...impossible];
  return {
    step,
    key: recorded.key,
    result,
    findings,
    ...(destroyed.length === 0 ? {} : { destroyed }),
    outputs,
  };
}

function compareOutputs(
  recorded: DoneStep['outputs'],
  rebuilt: Rebuilt,
  stored: StepEvidence['stored'],
): OutputVerification[] {
  const built = rebuilt.kind === 'built' ? rebuilt.outputs : {};
  const names = new Set([...Object.keys(recorded), ...Object.keys(built)]);
  return [...names].map((output) => ({
    output,
    recorded: identityOf(recorded[output]),
    rebuilt: built[output] ?? null,
    stored: stored[output] ?? 'none',
  }));
}

function identityOf(ref: ArtefactRef | undefined): ContentIdentity | null {
  return ref === undefined ? null : { sha256: ref.sha256, bytes: ref.bytes };
}

/** What is wrong with the records themselves. */
function ledgerFindings(recorded: DoneStep, entry: LedgerEntry | undefined): string[] {
  if (entry === undefined) return ['its ledger entry is gone'];
  const findings: string[] = [];
  if (stepKey(entry) !== entry.key) {
    findings.push('its key is not the hash of its recorded version, parameters and inputs');
  }
  if (canonicalJson(entry.outputs) !== canonicalJson(recorded.outputs)) {
    findings.push('manifest and ledger name different outputs');
  }
  return findings;
}

function outputFindings({ output, recorded, rebuilt, stored }: OutputVerification): string[] {
  const findings: string[] = [];
  if (stored === 'damaged') findings.push(`${output}: the stored bytes no longer match their hash`);
  if (stored === 'missing') findings.push(`${output}: is missing in the store`);
  if (recorded === null) findings.push(`${output}: was rebuilt, and is not recorded`);
  else if (rebuilt !== null && rebuilt.sha256 !== recorded.sha256) {
    const sizes =
      rebuilt.bytes === recorded.bytes
        ? `${recorded.bytes} bytes each`
        : `${recorded.bytes} bytes recorded, ${rebuilt.bytes} rebuilt`;
    findings.push(`${output}: rebuilt bytes differ (${sizes})`);
  }
  return findings;
}

function rebuiltFindings(entry: LedgerEntry | undefined, rebuilt: Rebuilt): string[] {
  if (rebuilt.kind === 'failed') return [rebuilt.why];
  if (rebuilt.kind !== 'built' || entry === undefined) return [];
  const findings = Object.keys(entry.outputs)
    .filter((output) => rebuilt.outputs[output] === undefined)
    .map((output) => `${output}: is recorded, and was not rebuilt`);
  // Steps that read an output together with its facts depend on these too.
  if (canonicalJson(entry.facts) !== canonicalJson(rebuilt.facts))
    findings.push('its facts differ');
  if (canonicalJson(entry.checks) !== canonicalJson(rebuilt.checks))
    findings.push('its check results differ');
  return findings;
}

/** Different when any is; identical only when all are. */
export function worstResult(results: readonly VerificationResult[]): VerificationResult {
  const order = ['different', 'not_rebuildable'] as const;
  return order.find((result) => results.includes(result)) ?? 'identical';
}
