import { definedMembers } from '../given.ts';
import { shardText, splitShard } from './shard.ts';
import type { StepId } from './vocabulary.ts';

/** Lists of steps as people read them: the shards of one step are told together. Pure. */

/** A step, or all listed shards of one. */
export interface ToldStep<T> {
  /** Without a shard. */
  readonly step: StepId;
  /** In how many shards the step comes; absent for a step without shards. */
  readonly of?: number;
  /** One for a step without shards. */
  readonly members: readonly T[];
}

/**
 * Puts the shards of a step together where `sameAs` says that they are told alike; the first one's
 * place in the list is kept.
 */
export function tellTogether<T>(
  list: readonly T[],
  stepOf: (item: T) => StepId,
  sameAs: (item: T) => string = () => '',
): ToldStep<T>[] {
  const told = new Map<string, { step: StepId; of?: number; members: T[] }>();
  for (const item of list) {
    const { name: step, shard } = splitShard(stepOf(item));
    const key = `${step} ${shard === undefined ? '' : sameAs(item)}`;
    const known = told.get(key);
    if (known !== undefined) known.members.push(item);
    else told.set(key, { step, ...definedMembers({ of: shard?.of }), members: [item] });
  }
  return [...told.values()];
}

/** `1 of 16 shards`; empty for a step without shards. */
export function shareText({ of, members }: Pick<ToldStep<unknown>, 'of' | 'members'>): string {
  return of === undefined ? '' : `${members.length} of ${of} shards`;
}

/** Names of steps, the shards of one told together: `transform/readings (1 of 16 shards)`. */
export function namesTold(steps: readonly StepId[]): string[] {
  return tellTogether(steps, (step) => step).map((told) =>
    told.of === undefined ? told.step : `${told.step} (${shareText(told)})`,
  );
}

/**
 * Why the shards of a list do what they do: each reason once, with the first shard that gives it.
 */
export function reasonsTold(
  members: readonly { readonly step: StepId; readonly reason: string }[],
): string {
  const first = new Map<string, string>();
  for (const { step, reason } of members) {
    const { shard } = splitShard(step);
    if (!first.has(reason)) first.set(reason, shard === undefined ? '' : `${shardText(shard)}: `);
  }
  return [...first]
    .map(([reason, shard]) => `${shard}${reason}`)
    .slice(0, REASONS_TOLD)
    .join('; ');
}

const REASONS_TOLD = 3;
