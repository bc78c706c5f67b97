import { PortalError } from './portal-error.ts';

/**
 * The bytes of a body, made while they are read; each call of the function that gives them starts
 * from the beginning.
 */
export type Bytes = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A complete answer that nothing of has been sent yet. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: () => Bytes;
  /** Size of the body in bytes where it is known without making it. */
  readonly length?: number;
}

/** UTF-8, whatever the media type says. */
export function textAnswer(status: number, mediaType: string, text: string): Answer {
  const bytes = Buffer.from(text, 'utf8');
  return {
    status,
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: () => [bytes],
    length: bytes.length,
  };
}

/** As the publishers write it: UTF-8, without a line end. */
export function jsonAnswer(status: number, value: unknown): Answer {
  return textAnswer(status, 'application/json; charset=utf-8', JSON.stringify(value));
}

/** A request that the publisher's API refuses, with the status and the error code that it gives. */
export function refusal(status: 400 | 404 | 405, errorCode: string, message: string): PortalError {
  return new PortalError('INPUT_INVALID', message, { context: { status, error_code: errorCode } });
}

/** A query in the publisher's language that cannot be understood. */
export function odsqlRefusal(reason: string): PortalError {
  return refusal(
    400,
    'ODSQLError',
    `ODSQL query is malformed: ${reason}. Clause(s) containing the error(s): where.`,
  );
}

/** A parameter whose value, or whose presence, is refused. */
export function parameterRefusal(message: string): PortalError {
  return refusal(400, 'InvalidRESTParameterError', message);
}

/**
 * What the API says to a refused request; anything that is no refusal is a fault of the portal
 * itself, status 500.
 */
export function refusalAnswer(error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  const { status, error_code: code } = error instanceof PortalError ? error.context : {};
  if (typeof status === 'number') return jsonAnswer(status, { error_code: code, message });
  return jsonAnswer(500, { error_code: 'InternalServerError', message });
}

/** How many bytes a body has, by making it once. */
export async function countBytes(body: () => Bytes): Promise<number> {
  let length = 0;
  for await (const chunk of body()) {
    length += chunk.length;
    await nextTurn();
  }
  return length;
}

/** Lets other requests have their turn between two chunks: making them is synchronous work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The bytes `[start, end)` of a body. */
export async function* sliceBytes(
  body: Bytes,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for await (const chunk of body) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, chunk.length);
    if (from < to) yield chunk.subarray(from, to);
    position += chunk.length;
    if (position >= end) return;
    if (from >= to) await nextTurn();
  }
}
