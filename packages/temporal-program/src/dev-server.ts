import path from 'node:path';

import { Connection } from '@temporalio/client';

import { isProgramError, TemporalProgramError } from './program-error.ts';
import type { RunnableCli } from './find-cli.ts';
import { firstFreePort, isPortFree, unusedPort } from './ports.ts';
import { holdServer, letGoServer } from './held-servers.ts';
import { endProcess, gonePoll, untilKilled } from './process-liveness.ts';
import { isAlive } from '@quotidien/machine/living-process';
import { ensureSearchAttributes } from './search-attributes.ts';
import type { SearchAttributeTypes } from './search-attributes.ts';
import { serverArguments } from './server-flags.ts';
import {
  EarlyExitError,
  earlyExitOf,
  spawnServer,
  startFailure,
  untilReady,
} from './server-process.ts';
import type { ServerExit, ServerProcess } from './server-process.ts';
import {
  readRecord,
  recordFile,
  removeRecord,
  replaceRecord,
  writeFirstRecord,
} from './server-record.ts';
import type { ServerRecord } from './server-record.ts';
import { clusterIdOf, serverStanding } from './server-standing.ts';
import { watchServer } from './server-watch.ts';
import { withStartLock } from './start-lock.ts';

/*
 * One server for one database, shared by programs.
 *
 * I1  Two servers never hold one database. They would both start and fight over its shard; so a
 *     start looks for a running server first, and start and stop exclude each other by the start
 *     lock.
 * I2  A server that runs can be found: its record is written in the same breath as its start.
 * I3  The last user stops the server. `users` counts them; users that died without a word are left
 *     out of the count. A server whose users all died by kill -9 runs on, and the next start takes
 *     it over and, in the end, stops it.
 * I4  A signal goes only to a process that was seen to answer as the recorded server.
 */

/** The namespace that every development server has. */
const NAMESPACE = 'default';
const USUAL_PORT = 7233;
const USUAL_UI_PORT = 8233;
/** The settings by which a person chooses the ports, for messages. */
const PORT_SETTINGS = { port: 'TEMPORAL_PORT', uiPort: 'TEMPORAL_UI_PORT' } as const;
/** Between SIGTERM and SIGKILL; an idle server needs 1.3 s. Nothing is lost by the kill. */
const STOP_GRACE_MS = 10_000;
/**
 * How often a start is tried with other ports when something takes them between our look and the
 * server's.
 */
const PORT_RACES = 4;

/** A server that keeps its state in a file. */
export interface DevServerOptions {
  readonly cli: RunnableCli;
  /** The server's database; its folder also holds the record, the lock, and no second database. */
  readonly dbFile: string;
  /**
   * Must be free; without one, the first free port from 7233 up, or any when others take that one
   * meanwhile.
   */
  readonly port?: number | undefined;
  /** Of the web UI; the same, from 8233 up. */
  readonly uiPort?: number | undefined;
  readonly searchAttributes: SearchAttributeTypes;
  /** Of this server alone: what it writes there tells that it is ready. */
  readonly logFile: string;
  /** Gives up a start that is under way; the server that was started for it is ended. */
  readonly signal?: AbortSignal | undefined;
}

/** One use of a server, which may have others. */
export interface DevServer {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly pid: number;
  /**
   * Whether the server ran before and is shared; then it has its own ports, whatever was asked for.
   */
  readonly joined: boolean;
  /**
   * Resolves when the server has ended, for whatever reason; never rejects. Silent once `stop` has
   * left it to others.
   */
  readonly exited: Promise<ServerExit>;
  /**
   * Leaves the server: ends it when nobody else uses it, and resolves once its process is gone.
   * Repeatable.
   */
  stop(): Promise<void>;
}

/**
 * Starts the tuned development server, or joins the one that runs for this database, and resolves
 * when it answers and knows the search attributes. All that was in the database is there again,
 * also after kill -9. Throws `CONFIG_INVALID` when a demanded port is taken, when the server ends
 * early (with its last lines), when the folder belongs to another database, or when a search
 * attribute has another type than asked; `STORE_DENIED` when the folder cannot be written;
 * `STORE_UNAVAILABLE` when somebody ends the server while it starts.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const dbFile = path.resolve(options.dbFile);
  const home = path.dirname(dbFile);
  return withStartLock(home, async () => {
    const standing = await serverStanding(home);
    switch (standing.state) {
      case 'running':
        return joinServer(home, standing.record, { ...options, dbFile });
      case 'silent':
        throw silentServer(home, standing.record);
      case 'none':
        return launchServer(home, { ...options, dbFile });
    }
  });
}

/**
 * Keeps I1 when the recorded server takes connections and does not answer: it is stopped, or much
 * too busy.
 */
function silentServer(
  home: string,
  { pid, address, dbFile }: ServerRecord,
  cause?: unknown,
): TemporalProgramError {
  return new TemporalProgramError(
    'CONFIG_INVALID',
    `process ${pid} is recorded as the Temporal server of ${dbFile}, and does not answer at ${address}. ` +
      `Start again in a moment; if it still hangs, end it with "kill -9 ${pid}": nothing is lost by that. ` +
      `If that process is no Temporal server, delete ${recordFile(home)}.`,
    { cause },
  );
}

async function joinServer(
  home: string,
  found: ServerRecord & { readonly clusterId: string },
  options: DevServerOptions,
): Promise<DevServer> {
  if (found.dbFile !== options.dbFile) {
    throw new TemporalProgramError(
      'CONFIG_INVALID',
      `the Temporal server that runs in ${home} holds ${found.dbFile}, not ${options.dbFile}: ` +
        'a folder has room for one. Stop that server, or put the other database into another folder.',
    );
  }
  try {
    const connection = await Connection.connect({ address: found.address });
    try {
      await ensureSearchAttributes(connection, NAMESPACE, options.searchAttributes);
    } finally {
      await connection.close();
    }
  } catch (error) {
    // It answered a moment ago; a wrong type of a search attribute is the only thing that it can be
    // clear about.
    throw isProgramError(error, 'CONFIG_INVALID') ? error : silentServer(home, found, error);
  }
  await replaceRecord(home, { ...found, users: [...found.users.filter(isAlive), process.pid] });
  const { pid, address, uiUrl } = found;
  holdServer(home, pid);
  const watch = watchServer(address);
  const exited = watch.gone.then((): ServerExit => ({ code: null, signal: null }));
  const stop = leaveOnce(home, {
    pid,
    exited,
    processGone: () => gonePoll(pid),
    letGo: () => {
      watch.close();
    },
  });
  return { address, uiUrl, pid, joined: true, exited, stop };
}

/**
 * Starts a server on free ports. One that loses a port between our look and its own says "address
 * already in use" at best; at worst it crashes, and by then the winner may have crashed for its
 * other port as well, so that both are free again: a crash counts as a lost port.
 */
async function launchServer(home: string, options: DevServerOptions): Promise<DevServer> {
  for (let race = 1; ; race += 1) {
    const { port, uiPort } = await choosePorts(options, race);
    const { cli, dbFile, logFile, searchAttributes } = options;
    const args = serverArguments({
      serverVersion: cli.serverVersion,
      port,
      uiPort,
      dbFile,
      searchAttributes,
    });
    const server = await spawnServer({ command: cli.path, args, logFile });
    const record: ServerRecord = {
      pid: server.pid,
      address: `127.0.0.1:${port}`,
      uiUrl: `http://127.0.0.1:${uiPort}`,
      startedAt: new Date().toISOString(),
      cliVersion: cli.version,
      dbFile,
      users: [process.pid],
    };
    holdServer(home, server.pid);
    try {
      writeFirstRecord(home, record);
      const clusterId = await unlessAborted(
        options.signal,
        prepareServer(server, port, searchAttributes),
      );
      await replaceRecord(home, { ...record, clusterId });
      return ownedServer(home, server, record);
    } catch (error) {
      if (!server.ended()) await endProcess(server.pid, server.exited, STOP_GRACE_MS);
      letGoServer(home);
      await removeRecord(home);
      const portLost =
        error instanceof EarlyExitError && (error.portLost || !(await areFree(port, uiPort)));
      if (!portLost || race === PORT_RACES)
        throw startFailure(error, options, whatNext(portLost, dbFile));
    }
  }
}

/** Rejects with the reason of the signal as soon as it is aborted. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const aborted = deferredAbort(signal);
  work.catch(() => undefined);
  return Promise.race([work, aborted]);
}

function deferredAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const tell = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

/**
 * Waits for the server and makes it know the search attributes; returns the name of its database.
 */
async function prepareServer(
  server: ServerProcess,
  port: number,
  wanted: SearchAttributeTypes,
): Promise<string> {
  const connection = await untilReady(server, port);
  try {
    await ensureSearchAttributes(connection, NAMESPACE, wanted);
    return await clusterIdOf(connection);
  } catch (error) {
    throw error instanceof TemporalProgramError ? error : ((await earlyExitOf(server)) ?? error);
  } finally {
    await connection.close();
  }
}

function ownedServer(
  home: string,
  server: ServerProcess,
  { address, uiUrl }: ServerRecord,
): DevServer {
  const { pid, exited, child } = server;
  const stop = leaveOnce(home, {
    pid,
    exited,
    processGone: () => exited,
    letGo: () => {
      child.unref();
    },
  });
  return { address, uiUrl, pid, joined: false, exited, stop };
}

interface HeldServer {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  /** Resolves when the process is gone; asked only when that is near. */
  readonly processGone: () => Promise<unknown>;
  /** Lets our own program end while the server runs on for others. */
  readonly letGo: () => void;
}

/** A function that leaves the server (I3) at its first call; later calls wait for the same end. */
function leaveOnce(home: string, held: HeldServer): () => Promise<void> {
  let ended = false;
  void held.exited.then(() => {
    ended = true;
  });
  let leaving: Promise<void> | undefined;
  const leave = async (): Promise<void> => {
    const record = await readRecord(home);
    const ours = record?.pid === held.pid ? record : undefined;
    const others = usersBeside(ours, process.pid);
    if (ended) {
      await untilKilled(held.processGone());
      if (ours !== undefined) await removeRecord(home);
    } else if (ours !== undefined && others.length > 0) {
      await replaceRecord(home, { ...ours, users: others });
    } else {
      await endProcess(held.pid, held.processGone(), STOP_GRACE_MS);
      await held.exited;
      if (ours !== undefined) await removeRecord(home);
    }
    letGoServer(home);
    held.letGo();
  };
  return () => (leaving ??= leaveUnderLock(home, leave));
}

/** On a disk that is full or read-only there is no lock, and a server of ours all the same. */
async function leaveUnderLock(home: string, leave: () => Promise<void>): Promise<void> {
  const entered = new AbortController();
  try {
    await withStartLock(home, () => {
      entered.abort();
      return leave();
    });
  } catch (error) {
    if (entered.signal.aborted || !isProgramError(error, 'STORE_DENIED')) throw error;
    await leave();
  }
}

/**
 * The living users without one use by `pid`; a program that holds the server twice stays with its
 * other use.
 */
function usersBeside(record: ServerRecord | undefined, pid: number): readonly number[] {
  const users = record?.users ?? [];
  const own = users.indexOf(pid);
  return users.filter((user, index) => index !== own && isAlive(user));
}

async function choosePorts(
  options: DevServerOptions,
  race: number,
): Promise<{ port: number; uiPort: number }> {
  const demanded = [
    [options.port, PORT_SETTINGS.port],
    [options.uiPort, PORT_SETTINGS.uiPort],
  ] as const;
  for (const [port, setting] of demanded) {
    if (port === undefined || (await isPortFree(port))) continue;
    throw new TemporalProgramError(
      'CONFIG_INVALID',
      `port ${port}, demanded by ${setting}, is not free: another program has it, or it needs privileges. ` +
        'End that program, choose another port, or leave the setting away so that a free one is found.',
    );
  }
  // Those who lost one race would run into each other again at the next number: they take any port
  // instead.
  const free = (usual: number, except?: number): Promise<number> =>
    race === 1 ? firstFreePort(usual, except) : unusedPort();
  const port = options.port ?? (await free(USUAL_PORT, options.uiPort));
  return { port, uiPort: options.uiPort ?? (await free(USUAL_UI_PORT, port)) };
}

async function areFree(...ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isPortFree(port))) return false;
  return true;
}

function whatNext(portLost: boolean, dbFile: string): string {
  const { port, uiPort } = PORT_SETTINGS;
  return portLost
    ? `Most likely another program took one of its ports at this moment: start again, or choose ports with ${port} and ${uiPort}.`
    : `Correct what it says. When it is about the database, move ${dbFile} aside: the server then starts with an empty one.`;
}
