/**
 * Runs what must hold. All of it runs even after a failure, for the whole picture. Every failure is
 * named once more at the end; the last line is `N passed, N failed` over all tests, and the exit
 * code is 0 only when nothing failed.
 *
 *   (nothing)   `npm run check`, then every test but the long ones
 *   --long      the long ones: many random schedules, the simulator, and the chaos tests, which
 *               kill servers and so run alone and one after the other; CHAOS_SEEDS=n plays those
 *               that draw their faults with n seeds
 *   --all       both, with one sum
 *   names       only the tests that vitest selects by them: `node scripts/test.mjs test/unit/cli`
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORTS = join(ROOT, '.cache', 'test-reports');
const FAILURE_LINES = 12;

let current;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // As in start.mjs: a terminal has sent Ctrl-C to the child itself. Nothing more is started
    // after a signal.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) current?.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });
}

function run(command, args, env = process.env) {
  return new Promise((done) => {
    current = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
    current.on('error', () => done(127));
    current.on('close', (code, signal) => done(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/**
 * Failed tests, by name: what is said far above of a test that failed is easily cut from a kept
 * output.
 */
const failedTests = [];
/**
 * Failures that no test reports, by name: the checks, a test file that cannot be loaded, a runner
 * that broke.
 */
const otherFailures = [];
/** The title that `describeOnRealFiles` of `test/fixtures/real-data.ts` gives. */
const ON_REAL_FILES = 'on publishers’ files: ';
let skippedOnRealFiles = 0;
const totals = { passed: 0, failed: 0, skipped: 0 };

async function runChecks() {
  const npm = process.env.npm_execpath;
  const args = ['run', 'check'];
  const code = await (npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args])
    : run('npm', args));
  if (code !== 0) otherFailures.push(`npm run check (exit code ${code})`);
}

const MEMORY = '/dev/shm';
const IN_MEMORY = 'quotidien-tests-';
/** Seven times what the tests hold at once, measured, so that those of several checkouts fit. */
const NEEDED_BYTES = 2 ** 30;

/**
 * A folder of this process in memory, for all that the tests make: waiting until small files are
 * safe on a disk took a third of their time. Undefined where the system has no such place, or too
 * little of it. The long tests stay on the disk.
 */
function folderInMemory() {
  try {
    for (const name of readdirSync(MEMORY).filter((name) => name.startsWith(IN_MEMORY)))
      removeIfLeft(name);
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < NEEDED_BYTES) return undefined;
    const folder = mkdtempSync(join(MEMORY, `${IN_MEMORY}${process.pid}-`));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  } catch {
    return undefined;
  }
}

/** Memory that a killed run has left would be lost until the machine starts again. */
function removeIfLeft(name) {
  try {
    process.kill(Number.parseInt(name.slice(IN_MEMORY.length), 10), 0);
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(join(MEMORY, name), { recursive: true, force: true });
  }
}

async function runTests(name, args, env = process.env) {
  const report = join(REPORTS, `${name}.json`);
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(process.execPath, [vitest, 'run', ...reporters, ...args], env);
  const failures = existsSync(report) ? count(JSON.parse(readFileSync(report, 'utf8'))) : 0;
  if (code !== 0 && failures === 0)
    otherFailures.push(`the test runner, ${name} (exit code ${code})`);
}

/** Adds one report of vitest to the totals; returns how many failures it holds. */
function count({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  totals.skipped += numPendingTests + numTodoTests;
  for (const { name, assertionResults } of testResults) {
    skippedOnRealFiles += assertionResults.filter(isSkippedOnRealFiles).length;
    for (const test of assertionResults.filter(({ status }) => status === 'failed'))
      failedTests.push(
        `${relative(ROOT, name)} > ${test.fullName}\n${indented(test.failureMessages.join('\n'))}`,
      );
  }
  const broken = testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  for (const file of broken) otherFailures.push(`${file.name}: ${file.message.split('\n')[0]}`);
  return numFailedTests + broken.length;
}

function isSkippedOnRealFiles({ status, ancestorTitles }) {
  return (
    status !== 'passed' &&
    status !== 'failed' &&
    ancestorTitles.some((title) => title.startsWith(ON_REAL_FILES))
  );
}

/** The beginning of a failure's message: what was expected and where. */
function indented(message) {
  return message
    .split('\n')
    .slice(0, FAILURE_LINES)
    .map((line) => `    ${line}`)
    .join('\n');
}

mkdirSync(REPORTS, { recursive: true });
const selection = process.argv.slice(2);
const [only] = selection;
if (only !== undefined && only !== '--long' && only !== '--all') {
  await runTests('selected', selection);
} else {
  if (only !== '--long') {
    await runChecks();
    const temporary = process.env.TMPDIR === undefined ? folderInMemory() : undefined;
    const projects = ['parts', 'workflow', 'runtime'].flatMap((name) => ['--project', name]);
    await runTests(
      'tests',
      projects,
      temporary === undefined ? process.env : { ...process.env, TMPDIR: temporary },
    );
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
  if (only !== undefined) {
    await runTests('long', ['--project', 'long', '--project', 'simulate']);
    await runTests('chaos', ['--project', 'chaos', '--no-file-parallelism']);
  }
}
if (totals.passed + totals.failed + otherFailures.length === 0)
  otherFailures.push('no test was run');
for (const failure of [...failedTests, ...otherFailures])
  process.stdout.write(`FAILED: ${failure}\n`);
if (skippedOnRealFiles > 0) {
  process.stdout.write(
    `${skippedOnRealFiles} tests on publishers' real files were skipped, because these files are not part of this repository.\n` +
      '`npm run real-data` fetches the open ones that have a lasting address; REAL_DATA_DIR names a folder that has them.\n',
  );
}
const failed = totals.failed + otherFailures.length;
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
process.stdout.write(`${totals.passed} passed, ${failed} failed${skipped}\n`);
process.exitCode = failed === 0 ? 0 : 1;
