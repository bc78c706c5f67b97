/** Maps with at most `limit` calls under way; the order of the answers is that of the items, the first error stops new calls. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  limit: number,
  call: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = new Array<R>(items.length);
  const pending = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of pending) answers[index] = await call(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return answers;
}
