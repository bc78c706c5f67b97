export function empty(): Promise<void> {
  return Promise.resolve();
}
