import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { onceDone } from './hung-up.ts';
import { pipelineErrorOf, sendProblem } from './problems.ts';

/** As long as `Retry-After` says at least. */
const HOLD_MS = 1_000;

/**
 * Problems, of which "busy" is told after a second: who asks again at once, whatever `Retry-After`
 * says, would otherwise get so many refusals that those who wait for an answer have no processor
 * time left. A refusal that waits is a timer, and no work.
 */
export async function sendProblemInTime(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (pipelineErrorOf(error).code === 'BUSY') await untilLater(reply.raw);
  return sendProblem(error, request, reply);
}

async function untilLater(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, HOLD_MS);
    onceDone(response, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
