import type { PartDefinition, PipelineDefinition } from './definition.ts';
import type { LedgerEntry } from './ledger.ts';
import { keyIn } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { sinceOf, whyNotAsked } from './part-days.ts';
import type { CivilDate } from './vocabulary.ts';

/** How much of a day was delivered, as far as the newest version of the day tells. */

/** What a finished day does not have all of. */
export interface Lack {
  /**
   * The part, or several that stand in for each other; null: the day as a whole, where no part
   * tells.
   */
  readonly part: string | null;
  /** 0–1 of what there is to be; null: nothing was delivered. */
  readonly share: number | null;
  /** With this share it counts as whole. */
  readonly least: number;
}

/** What is known of the day. */
export interface KnownDay {
  readonly date: CivilDate;
  /** ISO instant of the asking. */
  readonly now: string;
  readonly manifest: Manifest | undefined;
  /** Every ledger entry of the day. */
  readonly ledger: readonly LedgerEntry[];
}

/**
 * Whether a part delivered all of a day; undefined where the part says nothing of it, or the step
 * that tells was not done.
 */
export function isWhole(
  { completeness }: Pick<PartDefinition, 'completeness'>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): boolean | undefined {
  const share = completeness === undefined ? undefined : shareOf(completeness, manifest, ledger);
  return completeness === undefined || typeof share !== 'number'
    ? undefined
    : share >= completeness.least;
}

/**
 * The parts of which a finished day does not have all: by the definition's own measure, where it
 * has one, and by the fact `coverage` otherwise. A part of which nothing came, and nobody can be
 * asked for that day, is not missed; nor is one that begins later.
 */
export function lacksOf(
  definition: Pick<PipelineDefinition, 'parts' | 'since' | 'zone'>,
  { manifest, ledger, date, now }: KnownDay,
): Lack[] {
  if (manifest === undefined || manifest.verdict === 'no_data') return [];
  const measures = new Map<string, Measure>();
  for (const part of definition.parts) {
    if (part.completeness === undefined || date < sinceOf(definition, part)) continue;
    const name = `${part.completeness.step} ${part.completeness.fact}`;
    measures.set(name, {
      completeness: part.completeness,
      parts: [...(measures.get(name)?.parts ?? []), part],
    });
  }
  if (definition.parts.every(({ completeness }) => completeness === undefined))
    return lackOfCoverage(manifest);
  return [...measures.values()].flatMap(({ completeness, parts }): Lack[] => {
    const share = shareOf(completeness, manifest, ledger);
    const { least } = completeness;
    if (share === undefined || (share !== null && share >= least)) return [];
    const canBeAsked = parts.some(
      (part) => whyNotAsked(definition, part, date, new Date(now)) === undefined,
    );
    return share === null && !canBeAsked
      ? []
      : [{ part: parts.map(({ id }) => id).join(' or '), share, least }];
  });
}

/** What tells of one or several parts. */
interface Measure {
  readonly completeness: NonNullable<PartDefinition['completeness']>;
  readonly parts: readonly PartDefinition[];
}

function lackOfCoverage({ facts: { coverage } }: Manifest): Lack[] {
  return typeof coverage === 'number' && coverage < 1
    ? [{ part: null, share: coverage, least: 1 }]
    : [];
}

/**
 * Null when the step that tells was not done, for want of rows, or says so; undefined when it does
 * not tell.
 */
function shareOf(
  { step, fact, otherwise }: Omit<NonNullable<PartDefinition['completeness']>, 'least'>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): number | null | undefined {
  const key = keyIn(manifest, step);
  if (key === undefined)
    return otherwise === undefined ? null : shareOf(otherwise, manifest, ledger);
  const share = ledger.find((entry) => entry.step === step && entry.key === key)?.facts[fact];
  return typeof share === 'number' || share === null ? share : undefined;
}
