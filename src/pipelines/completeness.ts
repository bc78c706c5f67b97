import type { PartDefinition, PipelineDefinition } from './definition.ts';
import type { LedgerEntry } from './ledger.ts';
import { keyIn } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** How much of a day was delivered, as far as the newest version of the day tells. */

/** What a finished day does not have all of. */
export interface Lack {
  /** The part, or several that stand in for each other; null: the day as a whole, where no part tells. */
  readonly part: string | null;
  /** 0–1 of what there is to be; null: nothing was delivered. */
  readonly share: number | null;
  /** With this share it counts as whole. */
  readonly least: number;
}

/** Whether a part delivered all of a day; undefined where the part says nothing of it, or the step that tells was not done. */
export function isWhole(
  { completeness }: Pick<PartDefinition, 'completeness'>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): boolean | undefined {
  const share = completeness === undefined ? undefined : shareOf(completeness, manifest, ledger);
  return completeness === undefined || typeof share !== 'number' ? undefined : share >= completeness.least;
}

/**
 * The parts of which a finished day does not have all: by the definition's own measure, where it has one, and by the fact `coverage` otherwise.
 * A part that cannot be asked for is not missed.
 */
export function lacksOf(
  { parts }: Pick<PipelineDefinition, 'parts'>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): Lack[] {
  if (manifest === undefined || manifest.verdict === 'no_data') return [];
  const measures = new Map<string, Measure>();
  for (const { id, completeness } of parts) {
    if (completeness === undefined) continue;
    const name = `${completeness.step} ${completeness.fact}`;
    measures.set(name, { completeness, parts: [...(measures.get(name)?.parts ?? []), id] });
  }
  if (measures.size === 0) return lackOfCoverage(manifest);
  return [...measures.values()].flatMap(({ completeness, parts: told }): Lack[] => {
    const share = shareOf(completeness, manifest, ledger);
    const { least } = completeness;
    if (told.every((id) => isClosed(parts, id)) || share === undefined) return [];
    return share !== null && share >= least ? [] : [{ part: told.join(' or '), share, least }];
  });
}

/** What tells of one or several parts. */
interface Measure {
  readonly completeness: NonNullable<PartDefinition['completeness']>;
  readonly parts: readonly string[];
}

function isClosed(parts: readonly PartDefinition[], id: string): boolean {
  return parts.some((part) => part.id === id && part.closed !== undefined);
}

function lackOfCoverage({ facts: { coverage } }: Manifest): Lack[] {
  return typeof coverage === 'number' && coverage < 1 ? [{ part: null, share: coverage, least: 1 }] : [];
}

/** Null when the step that tells was not done, for want of rows; undefined when it does not tell. */
function shareOf(
  { step, fact }: NonNullable<PartDefinition['completeness']>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): number | null | undefined {
  const key = keyIn(manifest, step);
  if (key === undefined) return null;
  const share = ledger.find((entry) => entry.step === step && entry.key === key)?.facts[fact];
  return typeof share === 'number' ? share : undefined;
}
