import { setMaxListeners } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { PipelineError } from '../../errors.ts';
import type { Portal } from '@quotidien/sample-portal/portal';
import { startDevServer } from '@quotidien/temporal-program/dev-server';
import type { DevServer } from '@quotidien/temporal-program/dev-server';
import { findTemporalCli } from '@quotidien/temporal-program/find-cli';
import { ensureSearchAttributes } from '@quotidien/temporal-program/search-attributes';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { openConnection } from '../../workers/client-connection.ts';
import { quietRuntime } from '../../workers/logging.ts';
import { QUEUE_KINDS, runWorkers } from '../../workers/run-workers.ts';
import type { RunningWorkers } from '../../workers/run-workers.ts';
import {
  configuredTarget,
  connectClient,
  developmentTarget,
} from '../../workers/temporal-target.ts';
import type { TemporalTarget } from '../../workers/temporal-target.ts';
import type { CommandContext } from '../shared/context.ts';
import { Interrupted } from '../shared/interrupted.ts';
import { watchDisk } from './full-disk.ts';
import type { RunTarget } from './runs.ts';
import { startSamplePortal } from './sample-portal.ts';

/** The system tells of the end of a child at once, of another's process by its connection. */
const END_KNOWN_WITHIN_MS = 2_000;

/** A Temporal server to work with: the configured one, or the development server of this home. */
export interface TemporalSession {
  readonly client: Client;
  readonly target: TemporalTarget;
  /** The address of the UI, where it is known. */
  readonly uiUrl: string | undefined;
  /** Whether this process runs workers beside the command. */
  readonly ownsWorkers: boolean;
  /** Rejects when the server or the workers of this session break. */
  readonly broken: Promise<never>;
  close(): Promise<void>;
}

/**
 * Opens the configured server, whose workers run elsewhere; or, without one, starts or joins the
 * development server and runs workers in this process for as long as the session lasts.
 */
export async function openTemporal(context: CommandContext): Promise<TemporalSession> {
  quietRuntime(context.config);
  const target = configuredTarget(context.config.env);
  if (target !== undefined) {
    await prepareServer(target);
    const client = await connectClient(target);
    return {
      client,
      target,
      uiUrl: undefined,
      ownsWorkers: false,
      broken: new Promise<never>(() => undefined),
      close: () => client.connection.close(),
    };
  }
  const server = await startServer(context);
  const gone = endOf(server);
  let opened = false;
  try {
    const session = await Promise.race([openOn(server, context, gone), gone]);
    opened = true;
    return session;
  } catch (error) {
    if (error instanceof PipelineError && error.code !== 'STORE_UNAVAILABLE') throw error;
    // A call to a server that was just killed finds nobody, before its end is known here.
    await Promise.race([gone, delay(END_KNOWN_WITHIN_MS)]);
    throw error;
  } finally {
    if (!opened) await server.stop();
  }
}

/**
 * Connects to the development server and runs workers on it, in a sample home with the portal that
 * they ask.
 */
async function openOn(
  server: DevServer,
  context: CommandContext,
  gone: Promise<never>,
): Promise<TemporalSession> {
  const portal = await startSamplePortal(context.config.home);
  try {
    return await workOn(server, context, gone, portal);
  } catch (error) {
    await portal?.close();
    throw error;
  }
}

async function workOn(
  server: DevServer,
  context: CommandContext,
  gone: Promise<never>,
  portal: Portal | undefined,
): Promise<TemporalSession> {
  const local = developmentTarget(server.address, context.config.env);
  const client = await connectClient(local);
  const disk = watchDisk(context.config.home);
  try {
    const workers = await runWorkers({
      engine: await context.engine(),
      target: local,
      kinds: QUEUE_KINDS,
    });
    return {
      client,
      target: local,
      uiUrl: server.uiUrl,
      ownsWorkers: true,
      broken: breakage(Promise.race([gone, disk.full]), workers),
      async close() {
        disk.close();
        await workers.shutdown();
        await portal?.close();
        await client.connection.close();
        await server.stop();
      },
    };
  } catch (error) {
    disk.close();
    // An open connection would keep the process.
    await client.connection.close();
    throw error;
  }
}

/** Rejects when the server has ended; whoever waits for something looks at it. */
function endOf(server: DevServer): Promise<never> {
  const gone = server.exited.then(() => {
    throw new PipelineError(
      'STORE_UNAVAILABLE',
      'the Temporal development server ended; start the command again, nothing is lost',
    );
  });
  gone.catch(() => undefined);
  return gone;
}

/** Fetches the program when it is not there; the server ends with this process. */
export async function startServer({
  config,
  terminal,
  signal,
}: CommandContext): Promise<DevServer> {
  const { settings, home } = config;
  const cli = await findTemporalCli({
    env: config.env,
    cacheDir: config.cacheDir,
    onProgress: (line) => {
      terminal.note(line);
    },
  });
  return startDevServer({
    cli,
    dbFile: path.join(home, 'temporal.db'),
    logFile: path.join(home, 'logs', 'temporal-server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
    port: settings.TEMPORAL_PORT,
    uiPort: settings.TEMPORAL_UI_PORT,
    signal,
  });
}

/** Registers the search attributes that a server which we did not start may lack. */
export async function prepareServer(target: TemporalTarget): Promise<void> {
  const connection = await openConnection(target.connection);
  try {
    await ensureSearchAttributes(connection, target.namespace, SEARCH_ATTRIBUTES);
  } finally {
    await connection.close();
  }
}

function breakage(serverGone: Promise<never>, workers: RunningWorkers): Promise<never> {
  const workersGone = workers.ended.then(() => new Promise<never>(() => undefined));
  const broken = Promise.race([serverGone, workersGone]);
  // Whoever waits for a result looks at it; when nobody does, a late breakage must not end the
  // process.
  broken.catch(() => undefined);
  return broken;
}

/** Whose runs a command starts and waits for, with the session that it has for them. */
export interface SessionTarget extends RunTarget, Pick<TemporalSession, 'uiUrl' | 'ownsWorkers'> {}

/** Opens a session for one piece of work (see `workWith`), and closes it whatever came of that. */
export async function withTemporal<T>(
  context: CommandContext,
  work: (target: SessionTarget) => Promise<T>,
): Promise<T> {
  const session = await openTemporal(context);
  const { client, uiUrl, ownsWorkers } = session;
  const taskQueue = context.config.settings.QUOTIDIEN_TASK_QUEUE;
  try {
    return await workWith(session, context.signal, () =>
      work({ client, taskQueue, uiUrl, ownsWorkers }),
    );
  } finally {
    await session.close();
  }
}

/**
 * Works with a session until the work is done, the session breaks, or Ctrl-C. Calls that are under
 * way then are given up before the connection is closed: the client would try them again on the
 * closed one, and that ends the process.
 */
export async function workWith<T>(
  { client, broken }: TemporalSession,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const calls = new AbortController();
  // The client leaves one listener for each call.
  setMaxListeners(0, calls.signal);
  try {
    return await Promise.race([
      client.withAbortSignal(calls.signal, work),
      broken,
      interrupted(signal),
    ]);
  } finally {
    calls.abort();
  }
}

/** A day that runs on the server goes on when workers are there again; only this command ends. */
function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      const by = signal.reason instanceof Interrupted ? signal.reason.by : 'Ctrl-C';
      reject(new Interrupted(by, 'the run continues when a worker runs again'));
    });
  });
}
