/**
 * Asks again and again, and tells of each answer; call the result to stop. A question that fails is
 * asked the next time: the server may be busy.
 */
export function askEvery<T>(
  ms: number,
  ask: () => Promise<T>,
  tell: (answer: T) => void,
): () => void {
  const timer = setInterval(() => {
    void ask().then(tell, () => undefined);
  }, ms);
  return () => {
    clearInterval(timer);
  };
}
