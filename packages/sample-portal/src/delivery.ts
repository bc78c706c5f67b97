import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Bytes } from './answer.ts';
import { countBytes, nextTurn, sliceBytes } from './answer.ts';
import type { ActiveFault, BadDelivery } from './faults.ts';
import type { OpenRequest } from './requests.ts';

const NEWLINE = 10;
const TICK_MS = 50;
/**
 * A row begins with more than this many characters of its first columns, so a cut this far in
 * leaves columns out.
 */
const INSIDE_ROW_BYTES = 10;

/** Where an answer goes, and what ends the sending of it early. */
interface Outlet {
  readonly response: ServerResponse;
  readonly request: OpenRequest;
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal;
}

async function send({ response, request, signal }: Outlet, body: Bytes): Promise<void> {
  for await (const chunk of body) {
    signal.throwIfAborted();
    request.bytesSent += chunk.length;
    if (!response.write(chunk)) await once(response, 'drain', { signal });
    await nextTurn();
  }
}

async function end({ response, signal }: Outlet): Promise<void> {
  response.end();
  if (!response.writableFinished) await once(response, 'finish', { signal });
}

/**
 * Waits until everything written is with the operating system: what is destroyed before that never
 * leaves.
 */
async function flush({ response, signal }: Outlet): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write('', () => {
      resolve();
    });
  });
  if (response.writableNeedDrain) await once(response, 'drain', { signal });
}

async function* slowly(
  body: Bytes,
  bytesPerSecond: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const step = Math.max(1, Math.floor((bytesPerSecond * TICK_MS) / 1_000));
  const pauseMs = (step * 1_000) / bytesPerSecond;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += step) {
      yield chunk.subarray(at, at + step);
      await delay(pauseMs, undefined, { signal });
    }
  }
}

/** The bytes up to the first place from `least` on where the last row is cut open, or complete. */
async function* cutRow(
  body: Bytes,
  least: number,
  place: 'mid-row' | 'row',
): AsyncGenerator<Uint8Array> {
  let position = 0;
  let sinceNewline = 0;
  for await (const chunk of body) {
    for (const [index, byte] of chunk.entries()) {
      const fits =
        place === 'row' ? sinceNewline === 0 : sinceNewline >= INSIDE_ROW_BYTES && byte !== NEWLINE;
      if (position >= least && fits) {
        yield chunk.subarray(0, index);
        return;
      }
      position += 1;
      sinceNewline = byte === NEWLINE ? 0 : sinceNewline + 1;
    }
    yield chunk;
  }
}

async function half(answer: Answer, body: () => Bytes): Promise<number> {
  return Math.floor((answer.length ?? (await countBytes(body))) / 2);
}

async function truncate(
  outlet: Outlet,
  answer: Answer,
  fault: BadDelivery & { kind: 'truncated' },
): Promise<void> {
  const { response } = outlet;
  const body = answer.body ?? ((): Bytes => []);
  const total = answer.length ?? (await countBytes(body));
  const cut = fault.afterBytes ?? Math.floor(total / 2);
  const headers = Object.fromEntries(
    Object.entries(answer.headers).filter(([name]) => name !== 'content-length'),
  );
  if (fault.framing === 'chunked') {
    response.writeHead(answer.status, headers);
    await send(outlet, cutRow(body(), cut, fault.end ?? 'mid-row'));
    return end(outlet);
  }
  response.writeHead(answer.status, {
    ...headers,
    'content-length': String(total),
    connection: 'close',
  });
  await send(
    outlet,
    fault.end === undefined ? sliceBytes(body(), 0, cut) : cutRow(body(), cut, fault.end),
  );
  await flush(outlet);
  response.socket?.end();
}

async function stall(
  outlet: Outlet,
  answer: Answer,
  fault: BadDelivery & { kind: 'stall' },
  undone: Promise<unknown>,
): Promise<void> {
  const body = answer.body ?? ((): Bytes => []);
  const before = fault.afterBytes ?? (await half(answer, body));
  outlet.response.writeHead(answer.status, answer.headers);
  outlet.response.flushHeaders();
  await send(outlet, sliceBytes(body(), 0, before));
  const released = Promise.allSettled([fault.released ?? new Promise(() => undefined)]);
  outlet.signal.throwIfAborted();
  await Promise.race([released, undone, once(outlet.signal, 'abort')]);
  await send(outlet, sliceBytes(body(), before, Infinity));
  return end(outlet);
}

async function resetInBody(
  outlet: Outlet,
  answer: Answer,
  fault: BadDelivery & { kind: 'reset' },
): Promise<void> {
  const { response } = outlet;
  const body = answer.body ?? ((): Bytes => []);
  const cut = fault.afterBytes ?? (await half(answer, body));
  response.writeHead(answer.status, answer.headers);
  response.flushHeaders();
  await send(outlet, sliceBytes(body(), 0, cut));
  await flush(outlet);
  response.socket?.resetAndDestroy();
}

/**
 * Sends an answer, well or as badly as a fault says. Throws an `AbortError` when the client is gone
 * before the end.
 */
export async function deliver(
  outlet: Outlet,
  answer: Answer,
  active: ActiveFault | undefined,
): Promise<void> {
  const { response, request, signal } = outlet;
  const fault = active?.fault;
  if (fault?.kind === 'reset' && fault.at === 'start') {
    response.socket?.resetAndDestroy();
    return;
  }
  request.status = answer.status;
  if (request.method === 'HEAD' || answer.body === undefined) {
    response.writeHead(answer.status, answer.headers);
    return end(outlet);
  }
  if (fault?.kind === 'reset') return resetInBody(outlet, answer, fault);
  if (fault?.kind === 'truncated') return truncate(outlet, answer, fault);
  if (fault?.kind === 'stall' && active !== undefined)
    return stall(outlet, answer, fault, active.undone);
  response.writeHead(answer.status, answer.headers);
  const body = answer.body();
  await send(outlet, fault?.kind === 'slow' ? slowly(body, fault.bytesPerSecond, signal) : body);
  return end(outlet);
}
