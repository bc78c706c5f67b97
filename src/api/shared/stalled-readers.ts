import type { ServerResponse } from 'node:http';
import { onceDone } from './hung-up.ts';

/** Pieces of a stream are up to 64 KiB: a reader has to take about one in a minute. */
const STALL_MS = 60_000;

/**
 * Ends the connection of a reader who takes nothing of a stream for a minute while there is
 * something to take: it holds memory, and what the stream reads from. Time in which we have nothing
 * to send does not count.
 */
export function dropStalled(response: ServerResponse, stallMs = STALL_MS): void {
  const timer = setTimeout(() => {
    if (response.writableNeedDrain) response.destroy();
    else timer.refresh();
  }, stallMs).unref();
  response.on('drain', () => timer.refresh());
  onceDone(response, () => {
    clearTimeout(timer);
  });
}
