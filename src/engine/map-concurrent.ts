/**
 * Maps with at most `limit` calls under way; the order of the results is that of the items. The
 * first error stops new calls and is thrown when the calls under way have ended: a caller that
 * tries again must not find its own earlier work under way. Ours, because p-map and p-limit reject
 * with the first error while other calls still run.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  limit: number,
  call: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = new Array<R>(items.length);
  const pending = items.entries();
  const errors: unknown[] = [];
  // The lanes share an iterator that a lane which breaks off does not end.
  const lane = async (): Promise<void> => {
    for (
      let next = pending.next();
      next.done !== true && errors.length === 0;
      next = pending.next()
    ) {
      const [index, item] = next.value;
      try {
        answers[index] = await call(item, index);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (errors.length > 0) throw errors[0];
  return answers;
}

/**
 * Maps sets of at most `size` items, `limit` sets at a time; the results of all sets in one list,
 * in the order of the items.
 */
export async function mapSets<T, R>(
  items: readonly T[],
  { size, limit }: { readonly size: number; readonly limit: number },
  call: (set: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const sets = Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
  return (await mapConcurrent(sets, limit, call)).flat();
}
