/**
 * Stands in for `node:timers/promises`: nothing that is simulated waits for the clock of the
 * machine.
 */

export async function setTimeout<T>(_ms?: number, value?: T): Promise<T | undefined> {
  return Promise.resolve(value);
}

export async function setImmediate<T>(value?: T): Promise<T | undefined> {
  return Promise.resolve(value);
}
