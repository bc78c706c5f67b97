import { nthOf } from '../../given.ts';

/**
 * The items of `base` with those of `own` among them. Both are in the order that `isBefore` tells,
 * and have no item in common.
 */
export async function* mergeSorted<T>(
  base: AsyncIterable<T>,
  own: readonly T[],
  isBefore: (one: T, other: T) => boolean,
): AsyncGenerator<T> {
  let at = 0;
  for await (const item of base) {
    for (; at < own.length && isBefore(nthOf(own, at), item); at += 1) yield nthOf(own, at);
    yield item;
  }
  yield* own.slice(at);
}
