import type { ServerResponse } from 'node:http';
import { PipelineError } from '../../errors.ts';

/** When nobody waits for an answer any more. */

/**
 * Calls once when an answer is done with: it was sent, or its caller has hung up; at once where
 * that has been. Of an answer that waits behind others of its connection, only the connection tells
 * that it was closed.
 */
export function onceDone(response: ServerResponse, done: () => void): void {
  const { socket } = response.req;
  if (response.destroyed || socket.destroyed) {
    done();
    return;
  }
  let isDone = false;
  const end = (): void => {
    response.off('close', end);
    socket.off('close', end);
    // One that is told of its end already is told by the other too.
    if (!isDone) done();
    isDone = true;
  };
  // As many as the caller has sent at once.
  socket.setMaxListeners(0);
  response.once('close', end);
  socket.once('close', end);
}

/** Aborts when an answer is done with: nobody reads on for who has hung up, or waits for a turn. */
export function untilHungUp(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  onceDone(response, () => {
    gone.abort(new PipelineError('BUSY', 'the caller has hung up'));
  });
  return gone.signal;
}
