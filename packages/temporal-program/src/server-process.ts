import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';

import { TemporalProgramError } from './program-error.ts';
import type { RunnableCli } from './find-cli.ts';
import { untilKilled } from './process-liveness.ts';

/** Measured 0.4 s; the rest is for the recovery of a large database on a slow disk. */
const READY_WITHIN_MS = 60_000;
/**
 * As patient as a machine with ten times more work than processors asks for: there it took more
 * than two seconds.
 */
const ANNOUNCED_WITHIN_MS = 15_000;
const LOG_LIMIT_BYTES = 10_000_000;
const TAIL_BYTES = 32_000;
const TAIL_LINES = 12;

/**
 * How a server ended; both are null when it was not our child, because the system does not tell
 * then.
 */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server that was started, ready or not. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Whether that has happened. */
  readonly ended: () => boolean;
  readonly logFile: string;
  /** Where this process's own lines begin in the log. */
  readonly logStart: number;
}

/** The log file is appended to. */
export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /**
   * A pipe whose end tells the process that its owner is gone; without it standard input is empty.
   */
  readonly stdinPipe?: boolean;
}

/**
 * Starts a server in a session of its own, so that Ctrl-C in the terminal reaches only the program
 * that owns it: the workers still need the server while they drain. Its output goes straight to the
 * log file, not through us, because it may outlive us. Throws `CONFIG_INVALID` when the program
 * cannot be started at all.
 */
export async function spawnServer(options: SpawnOptions): Promise<ServerProcess> {
  const { logFile } = options;
  const logStart = await prepareLog(logFile);
  const log = openSync(logFile, 'a');
  const stdio: StdioOptions = [options.stdinPipe === true ? 'pipe' : 'ignore', log, log];
  // An empty environment: a TEMPORAL_… variable meant for clients must not change the server.
  const child = spawn(options.command, options.args, { detached: true, stdio, env: {} });
  closeSync(log);
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const { pid } = child;
  if (pid !== undefined) return { child, pid, exited, ended, logFile, logStart };
  const reason = await new Promise<Error>((resolve) => child.once('error', resolve));
  throw new TemporalProgramError(
    'CONFIG_INVALID',
    `${options.command} cannot be started: ${reason.message}`,
    {
      cause: reason,
    },
  );
}

/**
 * Makes the log's folder, sets a log that has grown too long aside as `.old`, and returns where new
 * lines begin.
 */
async function prepareLog(logFile: string): Promise<number> {
  await mkdir(path.dirname(logFile), { recursive: true });
  const size = await logSize(logFile);
  if (size < LOG_LIMIT_BYTES) return size;
  await rename(logFile, `${logFile}.old`);
  return 0;
}

function logSize(logFile: string): Promise<number> {
  return stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
}

/** The server ended before it was ready. */
export class EarlyExitError extends Error {
  /**
   * Whether it lost one of its ports to somebody else. It says so, or crashes for it: 2 is how a Go
   * program ends by a panic.
   */
  readonly portLost: boolean;
  /**
   * Somebody ended it: it said nothing against its ports or its database. A shell that waited for
   * it tells that as 128 and the signal.
   */
  readonly killed: boolean;
  /** What it wrote last. */
  readonly tail: string;

  constructor(exit: ServerExit, tail: string) {
    super(`it ended with ${exit.signal ?? `code ${exit.code ?? 'unknown'}`}`);
    this.killed = exit.signal !== null || exit.code === 0 || (exit.code ?? 0) > 128;
    this.portLost = exit.code === 2 || tail.includes('address already in use');
    this.tail = tail;
  }
}

/**
 * What a person is told when a server did not get ready: why, its last lines, what to do. A
 * `TemporalProgramError` says so itself.
 */
export function startFailure(
  error: unknown,
  { cli, logFile }: { readonly cli: RunnableCli; readonly logFile: string },
  whatNext: string,
): unknown {
  if (error instanceof TemporalProgramError) return error;
  if (error instanceof EarlyExitError && error.killed) {
    const message = `the Temporal server was ended by somebody while it started: ${error.message}. Start the command again, nothing is lost`;
    return new TemporalProgramError('STORE_UNAVAILABLE', message, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  const wrote = error instanceof EarlyExitError && error.tail !== '' ? `:\n${error.tail}\n` : '. ';
  return new TemporalProgramError(
    'CONFIG_INVALID',
    `the Temporal server (${cli.path}, version ${cli.version}) did not start: ${reason}. ` +
      `What it wrote last is in ${logFile}${wrote}${whatNext}`,
    { cause: error },
  );
}

/**
 * What a server did that died under work on it: the broken connection is told a moment before the
 * exit, which is the truer reason.
 */
export async function earlyExitOf(server: ServerProcess): Promise<EarlyExitError | undefined> {
  await untilKilled(server.exited);
  return server.ended()
    ? new EarlyExitError(await server.exited, await logTail(server))
    : undefined;
}

/**
 * Resolves when the server answers, with a connection that the caller closes. Attempts are 10 ms
 * apart at first and 250 ms at most. Throws `EarlyExitError` when the process ends first.
 */
export async function untilReady(server: ServerProcess, port: number): Promise<Connection> {
  const abort = new AbortController();
  const died = server.exited.then(async (exit) => {
    throw new EarlyExitError(exit, await logTail(server));
  });
  let connection: Connection | undefined;
  try {
    connection = await Promise.race([died, connectWhenOpen(port, abort.signal)]);
    await Promise.race([died, untilAnnounced(server, port, abort.signal)]);
    return connection;
  } catch (error) {
    await connection?.close();
    // The port can close under an attempt a moment before the exit is reported: the exit is the
    // truer reason.
    if (error instanceof EarlyExitError || !server.ended()) throw error;
    return await died;
  } finally {
    abort.abort();
    died.catch(() => undefined);
  }
}

async function connectWhenOpen(port: number, signal: AbortSignal): Promise<Connection> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (let pauseMs = 10; !(await isOpen(port)); pauseMs = Math.min(pauseMs * 1.5, 250)) {
    if (Date.now() > deadline) {
      const message = `the Temporal server has not opened port ${port} within ${READY_WITHIN_MS / 1000} s`;
      throw new TemporalProgramError('CONFIG_INVALID', message);
    }
    await delay(pauseMs, undefined, { signal });
  }
  return Connection.connect({
    address: `127.0.0.1:${port}`,
    connectTimeout: Math.max(deadline - Date.now(), 1_000),
  });
}

/**
 * Waits until the server has written its address to the log, which it does once it holds the port
 * (0.25 s after the port opens). Until then what answers may be another server that took the same
 * port at the same moment, while ours is about to crash for want of it. A server that announces
 * itself in other words, and lives on, is believed after 15 s.
 */
async function untilAnnounced(
  server: ServerProcess,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const announcement = new RegExp(`^(Temporal )?Server: .*:${port}$`, 'm');
  const deadline = Date.now() + ANNOUNCED_WITHIN_MS;
  for (let pauseMs = 20; Date.now() < deadline; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    if (announcement.test(await logTail(server))) return;
    await delay(pauseMs, undefined, { signal });
  }
}

/** Whether something accepts connections on this port of the loopback address. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}

/**
 * The last lines that this server wrote, at most twelve; after a crash those that say why, not the
 * end of the trace.
 */
async function logTail(server: ServerProcess): Promise<string> {
  const size = await logSize(server.logFile);
  const start = Math.max(server.logStart, size - TAIL_BYTES);
  const file = await open(server.logFile);
  try {
    const { buffer, bytesRead } = await file.read({
      position: start,
      buffer: Buffer.alloc(Math.max(size - start, 1)),
    });
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .filter((line) => line !== '');
    const crash = lines.findIndex((line) => line.startsWith('panic: '));
    return (crash === -1 ? lines.slice(-TAIL_LINES) : lines.slice(crash, crash + TAIL_LINES)).join(
      '\n',
    );
  } finally {
    await file.close();
  }
}
