import type { FastifyReply, FastifyRequest } from 'fastify';
import { asPipelineError, ERROR_TABLE, PipelineError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { redactText } from '../../redaction.ts';

/** Errors over HTTP: problem details (RFC 9457) with the codes of the error table. */

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INPUT_INVALID: 400,
  AUTH_REQUIRED: 401,
  AUTH_DENIED: 403,
  PIPELINE_UNKNOWN: 404,
  NOT_FOUND: 404,
  NOT_ACCEPTABLE: 406,
  PLAN_INVALID: 409,
  STORE_CONFLICT: 409,
  RANGE_TOO_LARGE: 422,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  CONFIG_INVALID: 503,
  ISSUER_UNAVAILABLE: 503,
  BUSY: 503,
};

/** After this long a store that is away is worth another try. */
const TRY_AGAIN_S = 10;

/** Problem details (RFC 9457), with our code and what to do. */
export interface Problem {
  /** The page that describes the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  /** What a person does next. */
  readonly remedy: string;
}

/** What HTTP itself has a status for, more exact than that of the code. */
export class HttpRefusal extends PipelineError {
  readonly status: number;

  constructor(status: number, message: string, code: ErrorCode = 'INPUT_INVALID') {
    super(code, message);
    this.status = status;
  }
}

/** 500 for codes that no request should bring about. */
export function statusOf(error: PipelineError): number {
  return error instanceof HttpRefusal ? error.status : (STATUS[error.code] ?? 500);
}

/** What fastify throws for requests that it refuses itself, in our codes. */
export function pipelineErrorOf(error: unknown): PipelineError {
  const { statusCode, message, validation } = error as {
    statusCode?: number;
    message?: string;
    validation?: unknown;
  };
  if (validation !== undefined)
    return new PipelineError('INPUT_INVALID', message ?? 'the request is not valid');
  if (error instanceof PipelineError) return error;
  if (statusCode === 413)
    return new HttpRefusal(413, 'the body is larger than this route takes', 'RANGE_TOO_LARGE');
  if (statusCode === 415)
    return new HttpRefusal(415, 'the body has a media type that this route does not take');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new PipelineError('INPUT_INVALID', message ?? 'the request is not valid');
  return asPipelineError(error);
}

/** The message without secrets; that of an `INTERNAL` error is replaced, it may quote anything. */
export function problemOf(error: PipelineError, instance: string): Problem {
  const { code } = error;
  const { meaning, remedy } = ERROR_TABLE[code];
  // What an unexpected error says may quote anything.
  const detail =
    code === 'INTERNAL'
      ? 'the request failed; the log of the server says more'
      : redactText(error.message);
  return {
    type: `/api/errors#${code}`,
    title: meaning,
    status: statusOf(error),
    detail,
    instance,
    code,
    remedy,
  };
}

/** Errors of unknown kind are `INTERNAL`, and written to the log with their stack. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = pipelineErrorOf(error);
  const problem = problemOf(known, request.url.split('?')[0] ?? '/');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503 || problem.status === 429)
    reply.header('retry-after', Math.ceil((known.retryAfterMs ?? TRY_AGAIN_S * 1000) / 1000));
  // They tell of what would have been sent.
  for (const name of ['etag', 'repr-digest', 'content-disposition', 'accept-ranges'])
    reply.removeHeader(name);
  if (problem.status === 500) request.log.error({ err: error }, 'a request failed');
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .header('cache-control', 'no-store')
    .send(problem);
}

/** `what` follows "there is no", such as `table x`. */
export function notFound(what: string): PipelineError {
  return new PipelineError('NOT_FOUND', `there is no ${what}`);
}
