import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { PipelineError } from '../errors.ts';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** gRPC's number of the status CANCELLED, which is not tried again. */
const CANCELLED = 1;

/**
 * Opens a connection whose calls end when it is closed. Those of the SDK's own may wait for their
 * next try then, and make it on the closed channel: gRPC throws "Channel has been shut down" into a
 * timer, which ends the process, also after its work was done. `STORE_UNAVAILABLE` names the
 * address where nobody answers.
 */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  try {
    return await Connection.connect({
      ...options,
      // Inside the one that tries again: it sees each try.
      interceptors: [
        makeGrpcRetryInterceptor(defaultGrpcRetryOptions()),
        endWithTheChannel as unknown as Interceptor,
      ],
    });
  } catch (error) {
    throw unreachable(options.address, error);
  }
}

/** Nobody answers, or not as a Temporal server does. */
export function unreachable(address: string | undefined, error: unknown): PipelineError {
  const why = error instanceof Error ? error.message : String(error);
  return new PipelineError(
    'STORE_UNAVAILABLE',
    `the Temporal server at ${address ?? 'its usual address'} does not answer (${why}): start it, or correct TEMPORAL_ADDRESS`,
    { cause: error },
  );
}

type Next = Parameters<Interceptor>[1];

function endWithTheChannel(options: Parameters<Next>[0], nextCall: Next): unknown {
  try {
    return nextCall(options);
  } catch (error) {
    return endedCall(error instanceof Error ? error.message : String(error));
  }
}

interface Listener {
  onReceiveMessage?(message: unknown): void;
  onReceiveStatus?(status: object): void;
}

/** A call that ends as cancelled as soon as it starts. */
function endedCall(details: string): object {
  const ignore = (): void => undefined;
  return {
    start(metadata: unknown, listener?: Listener) {
      setImmediate(() => {
        listener?.onReceiveMessage?.(null);
        listener?.onReceiveStatus?.({ code: CANCELLED, details, metadata });
      });
    },
    sendMessage: ignore,
    sendMessageWithContext: ignore,
    halfClose: ignore,
    startRead: ignore,
    cancelWithStatus: ignore,
    getPeer: () => '',
    getAuthContext: () => null,
  };
}
