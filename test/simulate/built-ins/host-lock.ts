import { activityContext } from '../runtime/contexts.ts';
import { currentServer } from '../runtime/current-server.ts';
import type { Process } from '../scheduler.ts';

/**
 * Stands in for `src/storage/local/host-lock.ts`: the same promise among the processes of a seed,
 * which are not those of the machine.
 */

const held = new Map<string, { readonly process: Process | undefined }>();

const LOOK_AGAIN_MS = 50;

export async function withHostLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const process = activityContext.getStore()?.process;
  for (
    let holder = held.get(file);
    holder !== undefined && holder.process?.dead !== true;
    holder = held.get(file)
  ) {
    await currentServer().scheduler.turn(undefined, process, LOOK_AGAIN_MS);
  }
  const own = { process };
  held.set(file, own);
  try {
    return await work();
  } finally {
    if (held.get(file) === own) held.delete(file);
  }
}
