import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = path.join(ROOT, 'dist', 'bundle', 'main.js');

/** The oldest that is supported, and the newest of the later lines with long support. */
const VERSIONS = ['20.19.0', '22.23.3', '24.19.0'];

/**
 * Rules, native modules (SQLite, DuckDB, Temporal's core), golden bytes, and days through a real
 * Temporal server.
 */
const TESTS = [
  'test/unit/pipelines',
  'test/unit/storage/sqlite-documents.test.ts',
  'test/golden/eco2mix/step-bytes.test.ts',
  'test/workflow/day.test.ts',
];

const run = promisify(execFile);

/**
 * The program of one version, from the packages that carry it; fetched once, into the cache of this
 * checkout.
 */
async function nodeOf(version: string): Promise<string> {
  const folder = path.join(ROOT, '.cache', 'node', version);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const program = path.join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`]);
  return program;
}

/** This process runs in vitest, which tells its children. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$)/.test(name)),
  );
}

describe.each(VERSIONS)('Node.js %s', (version) => {
  it(
    'runs the rules, the native modules, golden bytes and days',
    { timeout: 300_000 },
    async () => {
      const node = await nodeOf(version);
      const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
      const options = { cwd: ROOT, env: ownEnvironment() };
      const { stdout } = await run(node, [vitest, 'run', '--reporter=json', ...TESTS], options);
      const report = JSON.parse(stdout.slice(stdout.indexOf('{"numTotalTestSuites"'))) as Record<
        string,
        unknown
      >;
      expect(report).toMatchObject({ success: true, numFailedTests: 0 });
      expect(report['numPassedTests']).toBeGreaterThan(100);
    },
  );

  it.skipIf(!existsSync(BUILT))(
    'starts what another version has built, and its compiled code',
    async () => {
      const { stdout } = await run(await nodeOf(version), [BUILT, '--version'], { cwd: ROOT });
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    },
  );
});
