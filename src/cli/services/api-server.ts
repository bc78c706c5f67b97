import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { createServer, openApiOf } from '../../api/server.ts';
import type { ApiApp } from '../../api/shared/app.ts';
import type { ApiContext, RunStarts, ToldRun } from '../../api/shared/context.ts';
import { KnownCalendar } from '../../engine/look/known-calendar.ts';
import { KnownVersions } from '../../engine/look/known-versions.ts';
import { errorCodeOf } from '../../errors.ts';
import { CODE_VERSION } from '../../workers/code-version.ts';
import { ordersOf, startOrders } from '../../workers/hear-objects.ts';
import { connectClient } from '../../workers/temporal-target.ts';
import { targetOf } from '../temporal/known-temporal.ts';
import {
  decidePeriodUnit,
  decideUnit,
  startBackfill,
  startDay,
  startFetch,
  startWatch,
} from '../temporal/runs.ts';
import type { RunTarget } from '../temporal/runs.ts';
import { findRunningDays } from '../temporal/running-days.ts';
import type { CommandContext } from '../shared/context.ts';
import { definedMembers } from '../../given.ts';
import { sqlScratchOf } from '../../workers/open-engine.ts';
import { timesOfHome, WorkersFirst } from './workers-first.ts';
import { reachOf } from './api-reach.ts';
import type { AskedReach, Reach } from './api-reach.ts';
import { API_PORT, forgetApiAddress, keepApiAddress } from './api-address.ts';
import { homeOption, nameHome } from '../shared/proposed-commands.ts';

/** Where the server listens, and who may ask it. */
export interface ApiOptions extends AskedReach {
  readonly port: number;
  readonly corsOrigins?: readonly string[];
  readonly perMinute?: number;
  /** Whether requests wait while workers of the home are at work. */
  readonly giveWay?: boolean;
}

/** Addresses have the port that was really taken. */
export interface RunningApi {
  /** As people and programs reach it. */
  readonly url: string;
  /** As a proxy reaches it; the same where there is none. */
  readonly listensOn: string;
  close(): Promise<void>;
}

/**
 * Who is on this machine may read without a key: not more than a person's pages and scripts need.
 */
const LOOPBACK_PER_MINUTE = 60_000;
const PER_MINUTE = 60;
const BURST = 10;

/**
 * Starts the API. What it takes for others than this machine, `reachOf` says, whose
 * `CONFIG_INVALID` it throws.
 */
export async function startApi(context: CommandContext, options: ApiOptions): Promise<RunningApi> {
  const { host, port } = options;
  const reach = reachOf(options, context.config.settings, Object.keys(context.datasets));
  const connected = new SharedClient(context);
  const server = await buildServer(context, options, { reach, connected });
  await server.listen({ host, port });
  const { port: bound } = server.server.address() as AddressInfo;
  const listensOn = `http${reach.tls === undefined ? '' : 's'}://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  const url = reach.publicUrl ?? listensOn;
  const { home } = context.config;
  await keepApiAddress(home, url);
  return {
    url,
    listensOn,
    async close() {
      await forgetApiAddress(home, url);
      server.server.closeAllConnections();
      await server.close();
      await connected.close();
    },
  };
}

/** The API of this machine on its usual port, or on a free one when another program has that. */
export async function startApiNear(context: CommandContext): Promise<RunningApi> {
  const host = '127.0.0.1';
  try {
    return await startApi(context, { host, port: API_PORT });
  } catch (error) {
    if ((error as { code?: string }).code !== 'EADDRINUSE') throw error;
    return startApi(context, { host, port: 0 });
  }
}

async function buildServer(
  context: CommandContext,
  {
    corsOrigins = [],
    perMinute,
    giveWay = false,
  }: Pick<ApiOptions, 'corsOrigins' | 'perMinute' | 'giveWay'>,
  { reach, connected }: { readonly reach: Reach; readonly connected: SharedClient },
): Promise<ApiApp> {
  const engine = await context.engine();
  const taskQueue = context.config.settings.QUOTIDIEN_TASK_QUEUE;
  const known = new KnownVersions(engine);
  const room = giveWay
    ? new WorkersFirst(timesOfHome(sqlScratchOf(context.config.home)))
    : undefined;
  return createServer({
    ...definedMembers({ untilRoom: room && ((gone: AbortSignal) => room.enter(gone)) }),
    engine,
    known,
    calendar: new KnownCalendar(engine, known),
    running: async (pipeline) => (await findRunningDays(context.config, pipeline)).days,
    withClient: (work) => connected.use(work),
    runs: runStarts(connected, taskQueue),
    deposits: {
      ordersOf: (message) => ordersOf(engine, message),
      start: (orders) => connected.use((client) => startOrders(client, taskQueue, orders)),
    },
    taskQueue,
    settings: {
      version: CODE_VERSION,
      ...reach,
      nameHome: (text) => nameHome(text, homeOf(context)),
      corsOrigins,
      quota: quotaOf(reach.loopback, perMinute),
    },
  });
}

/** As an option; undefined for the home of the working folder. */
function homeOf({ config: { env, home } }: CommandContext): string | undefined {
  const cwd = process.cwd();
  return home === path.resolve(cwd, '.quotidien') ? undefined : homeOption({ env, cwd, home });
}

function runStarts(connected: SharedClient, taskQueue: string): RunStarts {
  const start = (
    work: (target: RunTarget) => Promise<{ readonly workflowId: string }>,
  ): Promise<string> =>
    connected.use(async (client) => (await work({ client, taskQueue })).workflowId);
  const tell = (
    work: (
      target: RunTarget,
    ) => Promise<{ readonly told: string; readonly handle: { readonly workflowId: string } }>,
  ): Promise<ToldRun> =>
    connected.use(async (client) => {
      const { told, handle } = await work({ client, taskQueue });
      return { id: handle.workflowId, told };
    });
  return {
    startDay: (input) => start((target) => startDay(target, input)),
    startBackfill: (input) => start((target) => startBackfill(target, input)),
    startWatch: (pipeline) => start((target) => startWatch(target, pipeline)),
    startFetch: (input, called) =>
      connected.use(
        async (client) => (await startFetch({ client, taskQueue }, input, called)).runId,
      ),
    decideUnit: (day, decision) => tell((target) => decideUnit(target, day, decision)),
    decidePeriodUnit: (pipeline, decision) =>
      tell((target) => decidePeriodUnit(target, pipeline, decision)),
  };
}

/** The OpenAPI document of the routes, as text; nothing listens. */
export async function openApiText(context: CommandContext): Promise<string> {
  const connected = new SharedClient(context);
  const reach = reachOf({ host: '127.0.0.1' }, context.config.settings, []);
  const server = await buildServer(context, {}, { reach, connected });
  await server.ready();
  const text = openApiOf(server);
  await server.close();
  return text;
}

function quotaOf(
  loopback: boolean,
  perMinute: number | undefined,
): ApiContext['settings']['quota'] {
  if (loopback)
    return { perMinute: perMinute ?? LOOPBACK_PER_MINUTE, burst: perMinute ?? LOOPBACK_PER_MINUTE };
  return { perMinute: perMinute ?? PER_MINUTE, burst: BURST };
}

/**
 * One connection to Temporal for all requests, opened by the first that needs it and again after it
 * broke.
 */
class SharedClient {
  readonly #context: CommandContext;
  #client: Promise<Client> | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#client ??= targetOf(this.#context.config).then(connectClient);
    try {
      return await work(await this.#client);
    } catch (error) {
      // Of a connection that broke nothing comes any more; what was refused came over a good one.
      if (errorCodeOf(error) === undefined || errorCodeOf(error) === 'STORE_UNAVAILABLE')
        await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.#client;
    this.#client = undefined;
    await (await open?.catch(() => undefined))?.connection.close();
  }
}
