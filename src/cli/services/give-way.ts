import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';

/** Where the system knows no idle policy. */
const NICENESS = 10;

/**
 * Workers of this machine go first: the process gets what time they leave. Niceness alone costs a
 * worker a fifth of its speed while the API is busy, because a thread that wakes up waits for the
 * end of a nice one's slice; one of Linux's idle policy ends its slice at once. To be called before
 * the engine is there: threads that are started later take it over. There is no way back without
 * rights.
 */
export async function giveWay(): Promise<void> {
  setPriority(NICENESS);
  if (process.platform !== 'linux') return;
  // Without `chrt`, or with one that cannot do this, niceness has to do.
  await new Promise<void>((done) => {
    execFile('chrt', ['-a', '-i', '-p', '0', String(process.pid)], () => {
      done();
    });
  });
}
