import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = path.join(ROOT, 'dist', 'bundle', 'main.js');

const run = promisify(execFile);

/** What this process got from vitest and npm is not what a person has. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|NODE_ENV|TEST$|npm_package)/.test(name),
    ),
  );
}

/** What npm packs of the built product, installed into a folder that has nothing else. */
describe.skipIf(!existsSync(BUILT))(
  'the packed package in an empty folder',
  { timeout: 600_000 },
  () => {
    let folder: string;
    let tarball: string;

    const called = (cwd: string, command: string, ...args: string[]) =>
      run(command, args, { cwd, env: ownEnvironment() });

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'quotidien-installed-'));
      const { stdout } = await called(
        ROOT,
        'npm',
        'pack',
        '--json',
        '--ignore-scripts',
        '--pack-destination',
        folder,
      );
      const [packed] = JSON.parse(stdout) as { filename: string }[];
      tarball = path.join(folder, packed!.filename);
      folder = path.join(folder, 'empty');
      await mkdir(folder);
      await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
      await called(
        folder,
        'npm',
        'install',
        '--prefer-offline',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        tarball,
      );
    }, 600_000);

    afterAll(() => rm(path.dirname(folder), { recursive: true, force: true }));

    it('is a program that tells its version', async () => {
      const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect((await called(folder, 'npx', 'quotidien', '--version')).stdout.trim()).toBe(version);
    });

    it('brings the packages of this repository along: nothing of them is looked for elsewhere', async () => {
      const installed = path.join(folder, 'node_modules', 'quotidien', 'dist');
      const files = (await readdir(installed, { recursive: true })).filter((name) =>
        /\.(js|d\.ts)$/.test(name),
      );
      const texts = await Promise.all(
        files.map((name) => readFile(path.join(installed, name), 'utf8')),
      );
      expect(files.filter((_, at) => texts[at]?.includes("'@quotidien/"))).toEqual([]);
      expect(files.filter((name) => name.startsWith(path.join('packages', 'machine')))).not.toEqual(
        [],
      );
      const imports =
        'for (const name of ["kit", "kit/page", "kit/testing"]) await import("quotidien/" + name)';
      await called(folder, process.execPath, '--input-type=module', '--eval', imports);
    });

    it('writes a dataset whose tests pass at once, and takes its file in', async () => {
      await called(folder, 'npx', 'quotidien', 'new', 'dataset', 'harbour');
      const dataset = path.join(folder, 'harbour');
      expect(await readFile(path.join(dataset, '.gitignore'), 'utf8')).toContain('node_modules');
      expect((await called(dataset, 'npm', 'test')).stdout).toMatch(/^# pass [1-9]/m);
      const plan = ['--home', '.quotidien', 'plan', 'harbour', '2024-01-15'];
      // The build that was packed, which has its compiled code beside it.
      expect((await called(dataset, process.execPath, BUILT, ...plan)).stdout).toContain(
        'transform/levels',
      );
      const given = ['--home', '.quotidien', 'import', 'harbour', 'test/2024-01-15.csv'];
      expect((await called(dataset, 'npx', 'quotidien', ...given)).stdout).toContain('2024-01-15');
    });
  },
);
