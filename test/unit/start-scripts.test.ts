import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../scripts', import.meta.url));

/**
 * A project of the same shape as ours, whose npm, compiler and test runner only write down that
 * they were called.
 */
let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'quotidien-start-'));
  // Without the script that bundles the commands: it needs the real packages.
  for (const name of ['start.mjs', 'test.mjs'])
    await cp(path.join(SCRIPTS, name), path.join(root, 'scripts', name));
  await put('package.json', '{"type":"module"}');
  await put('package-lock.json', '{"lock":1}');
  await put('tsconfig.json', '{}');
  await put('tsconfig.build.json', '{}');
  await put('src/errors.ts', 'export const one = 1;');
  await put('npm.js', NPM);
  await put('tsc.js', TSC);
  await put('vitest.js', VITEST);
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const NPM = `
import fs from 'node:fs';
fs.appendFileSync('calls', 'npm ' + process.argv.slice(2).join(' ') + '\\n');
if (process.argv[2] === 'run') process.exit(fs.existsSync('check-fails') ? 1 : 0);
if (process.argv[2] === 'ci' && fs.existsSync('lock-incomplete')) {
  console.error('npm error code EUSAGE');
  process.exit(1);
}
await new Promise((next) => setTimeout(next, 300));
for (const [name, from] of [['@typescript/native/bin/tsc', 'tsc.js'], ['vitest/vitest.mjs', 'vitest.js']]) {
  fs.mkdirSync('node_modules/' + name.replace(/[^/]*$/, ''), { recursive: true });
  fs.copyFileSync(from, 'node_modules/' + name);
}
fs.writeFileSync('node_modules/.package-lock.json', '{}');
`;

const TSC = `
const fs = await import('node:fs');
fs.appendFileSync('calls', 'tsc\\n');
if (fs.existsSync('src/wrong.ts')) { console.log('src/wrong.ts(1,1): error TS1'); process.exit(2); }
fs.mkdirSync('dist/bundle', { recursive: true });
fs.writeFileSync('dist/errors.js', '');
fs.writeFileSync('dist/bundle/main.js', fs.readFileSync('main.js'));
`;

/** Answers for the selection of its arguments with the report \`report-<name>.json\`. */
const VITEST = `
const fs = await import('node:fs');
const target = process.argv.find((arg) => arg.startsWith('--outputFile.json=')).split('=')[1];
const name = target.split('/').at(-1);
fs.writeFileSync('temporary', process.env.TMPDIR + ' ' + fs.existsSync(process.env.TMPDIR));
fs.appendFileSync('calls', 'vitest ' + process.argv.slice(2).filter((arg) => !arg.startsWith('--outputFile')).join(' ') + '\\n');
if (fs.existsSync('report-' + name)) fs.copyFileSync('report-' + name, target);
else process.exit(3);
process.exit(JSON.parse(fs.readFileSync(target)).success ? 0 : 1);
`;

async function put(file: string, text: string): Promise<void> {
  const full = path.join(root, file);
  await mkdir(path.dirname(full), { recursive: true });
  await writeFile(full, text);
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(
  args: readonly string[],
  whenReady?: (pid: number) => void,
  more: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const env = {
    ...process.env,
    TMPDIR: os.tmpdir(),
    QUOTIDIEN_CACHE: '',
    npm_execpath: path.join(root, 'npm.js'),
    ...more,
  };
  const child = spawn(process.execPath, args, {
    cwd: os.tmpdir(),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout.includes('ready')) whenReady?.(child.pid!);
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const start = (...args: string[]) => node([path.join(root, 'scripts', 'start.mjs'), ...args]);
const test = (...args: string[]) => node([path.join(root, 'scripts', 'test.mjs'), ...args]);

async function calls(): Promise<string[]> {
  const text = await readFile(path.join(root, 'calls'), 'utf8').catch(() => '');
  await rm(path.join(root, 'calls'), { force: true });
  return text.split('\n').filter((line) => line !== '');
}

const INSTALL = 'npm ci --include=dev --no-audit --no-fund';

describe('start.mjs', () => {
  beforeEach(() =>
    put('main.js', 'console.log(process.argv.slice(2).join(" "), process.cwd()); process.exit(7);'),
  );

  it('installs, compiles and runs the command from any folder, and passes its exit code on', async () => {
    const { code, stdout, stderr } = await start('demo', '--days', '3');
    expect({ code, stdout }).toEqual({
      code: 7,
      stdout: `demo --days 3 ${await realpath(os.tmpdir())}\n`,
    });
    expect(stderr).toMatch(/^installing packages… \d+ s\ncompiling… \d+ s\n$/);
    expect(await calls()).toEqual([INSTALL, 'tsc']);
  });

  it('leaves it to the command where tools are kept, and keeps none in its own folder', async () => {
    await put('main.js', 'console.log(process.env.QUOTIDIEN_CACHE === "");');
    expect((await start('demo')).stdout).toBe('true\n');
    expect(await readdir(path.join(root, '.cache'))).toEqual(['build.sha256']);
  });

  it('says and does nothing the second time', async () => {
    await start('demo');
    await calls();
    expect(await start('demo')).toMatchObject({ code: 7, stderr: '' });
    expect(await calls()).toEqual([]);
  });

  it('compiles again when a source changed, and installs again when the lock file did', async () => {
    await start('build');
    await calls();
    await put('src/deep/new.ts', 'export {};');
    await start('build');
    expect(await calls()).toEqual(['tsc']);
    await put('package-lock.json', '{"lock":2}');
    await start('build');
    expect(await calls()).toEqual([INSTALL, 'tsc']);
  });

  it('installs by the same lock file when it lacks packages of other platforms, which "npm ci" refuses', async () => {
    await put('lock-incomplete', '');
    expect(await start('build')).toMatchObject({ code: 0 });
    expect(await calls()).toEqual([
      INSTALL,
      'npm install --no-save --include=dev --no-audit --no-fund',
      'tsc',
    ]);
  });

  it('keeps packages that npm itself installed after the lock file was written', async () => {
    await start('build');
    await rm(path.join(root, 'node_modules', '.quotidien-installed'));
    await calls();
    await start('build');
    expect(await calls()).toEqual([]);
  });

  it('shows what the compiler said, does not run the command, and tries again the next time', async () => {
    await put('src/wrong.ts', '');
    const first = await start('demo');
    expect(first).toMatchObject({ code: 2, stdout: '' });
    expect(first.stderr).toContain('compiling… failed\nsrc/wrong.ts(1,1): error TS1\n');
    await rm(path.join(root, 'src', 'wrong.ts'));
    expect(await start('demo')).toMatchObject({ code: 7 });
  });

  it('installs and compiles once when many start at the same moment', async () => {
    const all = await Promise.all([start('demo'), start('demo'), start('demo'), start('demo')]);
    expect(all.map(({ code }) => code)).toEqual([7, 7, 7, 7]);
    expect(await calls()).toEqual([INSTALL, 'tsc']);
  });

  it('does not wait for a start that was killed', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await put('.cache/start.lock', String(pid));
    await put('.cache/start.lock.breaking', String(pid));
    expect(await start('build')).toMatchObject({ code: 0 });
    expect(await calls()).toEqual([INSTALL, 'tsc']);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'passes %s on and lets the command end in its own way',
    async (signal) => {
      const body = `process.on('${signal}', () => process.exit(5)); setInterval(() => {}, 1000); console.log('ready');`;
      await put('main.js', body);
      const args = [path.join(root, 'scripts', 'start.mjs'), 'demo'];
      expect(await node(args, (pid) => process.kill(pid, signal))).toMatchObject({ code: 5 });
    },
  );

  it('counts the end by a signal as a shell does', async () => {
    await put('main.js', "process.kill(process.pid, 'SIGKILL');");
    expect(await start('demo')).toMatchObject({ code: 137 });
  });

  it('tells an old Node.js what it needs before it does anything', async () => {
    const old =
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.9' } })";
    const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`];
    const { code, stderr } = await node([...args, path.join(root, 'scripts', 'start.mjs'), 'demo']);
    expect(code).toBe(1);
    expect(stderr).toContain('This needs Node.js 20.19 or newer');
    expect(await calls()).toEqual([]);
  });

  it('names its commands when it is given none', async () => {
    expect(await start()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage:') as string,
    });
  });
});

describe('test.mjs', () => {
  const file = (status: string, tests: string[], message = '') => ({
    name: '/t/some.test.ts',
    status,
    message,
    assertionResults: tests.map((result) => ({ status: result })),
  });
  const report = (passed: number, failed: number, extra: object = {}) =>
    JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: 0,
      numTodoTests: 0,
      success: failed === 0,
      testResults: [
        file(failed === 0 ? 'passed' : 'failed', failed === 0 ? ['passed'] : ['failed']),
      ],
      ...extra,
    });
  const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

  // What `start build` leaves, as far as tests need it.
  beforeEach(() => put('node_modules/vitest/vitest.mjs', VITEST));

  const CALLS = {
    check: 'npm run check',
    tests:
      'vitest run --reporter=default --reporter=json --project parts --project workflow --project runtime',
    long: 'vitest run --reporter=default --reporter=json --project long --project simulate',
    chaos: 'vitest run --reporter=default --reporter=json --project chaos --no-file-parallelism',
  };

  it('runs the checks and the tests, and with --long only what takes long', async () => {
    await put('report-tests.json', report(40, 0));
    await put('report-long.json', report(2, 0));
    await put('report-chaos.json', report(3, 0));
    expect(lastLine((await test()).stdout)).toBe('40 passed, 0 failed');
    expect(await calls()).toEqual([CALLS.check, CALLS.tests]);
    expect(lastLine((await test('--long')).stdout)).toBe('5 passed, 0 failed');
    expect(await calls()).toEqual([CALLS.long, CALLS.chaos]);
  });

  it('runs everything one after the other with --all, and adds it up', async () => {
    await put('report-tests.json', report(40, 0, { numPendingTests: 2 }));
    await put('report-long.json', report(2, 0));
    await put('report-chaos.json', report(3, 0));
    const { code, stdout } = await test('--all');
    expect(code).toBe(0);
    expect(lastLine(stdout)).toBe('45 passed, 0 failed, 2 skipped');
    expect(await calls()).toEqual([CALLS.check, CALLS.tests, CALLS.long, CALLS.chaos]);
  });

  it('counts failed checks as a failure with its name, and still runs the tests', async () => {
    await put('check-fails', '');
    await put('report-tests.json', report(40, 0));
    const { code, stdout } = await test();
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED: npm run check (exit code 1)\n');
    expect(lastLine(stdout)).toBe('40 passed, 1 failed');
  });

  it('counts failed tests, and names each again with the beginning of its message', async () => {
    const failed = {
      status: 'failed',
      fullName: 'a day ends',
      failureMessages: ['expected 1 to be 2\n at x'],
    };
    const testResults = [
      { name: path.join(root, 'test/day.test.ts'), status: 'failed', assertionResults: [failed] },
    ];
    await put('report-tests.json', report(38, 1, { testResults }));
    const { code, stdout } = await test();
    expect(code).toBe(1);
    expect(stdout).toBe(
      'FAILED: test/day.test.ts > a day ends\n    expected 1 to be 2\n     at x\n38 passed, 1 failed\n',
    );
  });

  it('counts a test file that cannot be loaded, in which no test failed', async () => {
    const testResults = [
      file('failed', [], 'Error: no such module\n at x'),
      file('passed', ['passed']),
    ];
    await put('report-tests.json', report(1, 0, { success: false, testResults }));
    const { code, stdout } = await test();
    expect(code).toBe(1);
    expect(stdout).toBe('FAILED: /t/some.test.ts: Error: no such module\n1 passed, 1 failed\n');
  });

  it('counts a test runner that fails without a failed test, or without a report', async () => {
    await put('report-tests.json', report(5, 0, { success: false }));
    expect(lastLine((await test()).stdout)).toBe('5 passed, 1 failed');
    await rm(path.join(root, 'report-tests.json'));
    const { code, stdout } = await test();
    expect(code).toBe(1);
    expect(stdout).toBe('FAILED: the test runner, tests (exit code 3)\n0 passed, 1 failed\n');
  });

  it('does not call a run without a test a success', async () => {
    await put('report-tests.json', report(0, 0, { testResults: [] }));
    expect(await test()).toMatchObject({
      code: 1,
      stdout: 'FAILED: no test was run\n0 passed, 1 failed\n',
    });
  });

  it('lets the tests keep their files in memory and the long ones on the disk, and leaves none behind', async () => {
    const left = (pid: number): string => `/dev/shm/quotidien-tests-${pid}-left`;
    const { pid } = spawnSync(process.execPath, ['--version']);
    const inMemory = spawnSync('mkdir', [left(pid), left(process.pid)]).status === 0;
    const used = async (...args: string[]) => {
      await node([path.join(root, 'scripts', 'test.mjs'), ...args], undefined, {
        TMPDIR: undefined,
      });
      return readFile(path.join(root, 'temporary'), 'utf8');
    };
    try {
      const [folder] = (await used()).split(' ');
      expect(folder).toMatch(inMemory ? /^\/dev\/shm\/quotidien-tests-\d+-/ : /^undefined$/);
      expect([folder, left(pid), left(process.pid)].map((name) => existsSync(name!))).toEqual([
        false,
        false,
        inMemory,
      ]);
      expect(await used('--long')).toBe('undefined false');
      expect(await used('test/unit/cli')).toBe('undefined false');
    } finally {
      await rm(left(process.pid), { recursive: true, force: true });
    }
    await test();
    expect(await readFile(path.join(root, 'temporary'), 'utf8')).toBe(`${os.tmpdir()} true`);
  });

  it('runs only what is selected', async () => {
    await put('report-selected.json', report(4, 0));
    expect(await test('test/unit/cli')).toMatchObject({ code: 0, stdout: '4 passed, 0 failed\n' });
    expect(await calls()).toEqual(['vitest run --reporter=default --reporter=json test/unit/cli']);
  });
});
