import { isOlder } from './find-cli.ts';
import type { SearchAttributeTypes } from './search-attributes.ts';

/**
 * What the development server is told beside its defaults, and why. Measured with days of four
 * empty activities: one day alone 250 → 52 ms, 365 at once 16 → 36 days/s. A key that the server
 * does not know is accepted without a word, so each was looked up in the server's own binary.
 */
const DYNAMIC_CONFIG: readonly (readonly [key: string, value: number | boolean, why: string])[] = [
  [
    'history.transferProcessorMaxPollRPS',
    2000,
    'default 20: every hop of a workflow waits up to 50 ms',
  ],
  ['history.timerProcessorMaxPollRPS', 2000, 'the same for timers'],
  ['history.visibilityProcessorMaxPollRPS', 2000, 'the same for what lists and the UI show'],
  ['history.outboundProcessorMaxPollRPS', 2000, 'the same for calls that leave the server'],
  [
    'matching.numTaskqueueReadPartitions',
    1,
    'default 4: a short tail, and exact priority and order, need one',
  ],
  ['matching.numTaskqueueWritePartitions', 1, 'must equal the number of read partitions'],
  [
    'matching.enableFairness',
    true,
    'a backfill must not starve the daily run on the same task queue',
  ],
  [
    'frontend.namespaceCount',
    20_000,
    'default 1200 long polls: many waiting results end in "concurrent poller limit"',
  ],
  [
    'system.enableActivityEagerExecution',
    true,
    'the worker that answers may take its next step at once',
  ],
  ['frontend.WorkflowPauseEnabled', true, 'pausing a day from the UI'],
  ['frontend.enableServerVersionCheck', false, 'no call to the internet'],
];

/**
 * Write-ahead log: readers do not block the writer. NORMAL syncs at checkpoints only: a crash of
 * the machine may lose the last moments, a kill -9 of the server loses nothing.
 */
const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** What differs between servers; the rest is above. */
export interface ServerFlags {
  readonly serverVersion: string;
  readonly port: number;
  /** Without one the server has no UI. */
  readonly uiPort?: number | undefined;
  /** Without one the server keeps its state in memory. */
  readonly dbFile?: string | undefined;
  readonly searchAttributes: SearchAttributeTypes;
}

/**
 * The arguments of `temporal` that start the tuned server. `--log-level` stays away on purpose: its
 * default is `warn` already, and only while it is not given does the server keep quiet about its
 * own shutdown.
 */
export function serverArguments(flags: ServerFlags): readonly string[] {
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(flags.port)];
  if (flags.uiPort === undefined) args.push('--headless');
  else args.push('--ui-port', String(flags.uiPort));
  // The news feed is fetched from the internet by the browser; older command lines neither have it
  // nor know the flag.
  if (!isOlder(flags.serverVersion, '1.32.0')) args.push('--ui-disable-news-fetch');
  if (flags.dbFile !== undefined) {
    args.push('--db-filename', flags.dbFile);
    for (const pragma of SQLITE_PRAGMAS) args.push('--sqlite-pragma', pragma);
  }
  for (const [key, value] of DYNAMIC_CONFIG) args.push('--dynamic-config-value', `${key}=${value}`);
  for (const [name, type] of Object.entries(flags.searchAttributes))
    args.push('--search-attribute', `${name}=${type}`);
  return args;
}
