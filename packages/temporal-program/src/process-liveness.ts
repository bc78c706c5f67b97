import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '@quotidien/machine/living-process';

/** A killed process is gone in milliseconds, or its id belongs to another one by now. */
const AFTER_KILL_MS = 2_000;

/** Sends a signal; a process that is gone already is no error. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends a process and resolves when it is gone: SIGTERM, and SIGKILL once `graceMs` have passed.
 * `gone` resolves when the process has ended; the system tells that of own children only,
 * `gonePoll` is for others.
 */
export async function endProcess(
  pid: number,
  gone: Promise<unknown>,
  graceMs: number,
): Promise<void> {
  signalProcess(pid, 'SIGTERM');
  if (await settlesWithin(gone, graceMs)) return;
  signalProcess(pid, 'SIGKILL');
  await untilKilled(gone);
}

/**
 * Waits, two seconds at most, for the end of a process that was killed: it closes its connections
 * before it is gone.
 */
export async function untilKilled(gone: Promise<unknown>): Promise<void> {
  await settlesWithin(gone, AFTER_KILL_MS);
}

async function settlesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const abort = new AbortController();
  const late = delay(limitMs, false, { signal: abort.signal }).catch(() => false);
  const settled = await Promise.race([work.then(() => true), late]);
  abort.abort();
  return settled;
}

/**
 * Resolves when a process that is not our child is gone. No event tells of that, so this looks 20
 * times a second; it is for the one or two seconds between a signal and the end, never for waiting
 * on a healthy process.
 */
export async function gonePoll(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(50);
}
