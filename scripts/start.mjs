/**
 * Brings a fresh checkout to the point where a command can run, then runs it: `node
 * scripts/start.mjs <command> [args]`.
 *
 *   build          install packages, compile
 *   test [args]    the same, then scripts/test.mjs
 *   demo [args]    the same, then `quotidien demo`
 *   anything else  the same, then `quotidien <command>`
 *
 * Each step is left out when its result is there already (0.1 s for all of them), and only built-in
 * modules are used, because node_modules may not exist yet. Starts at the same time wait for each
 * other. Steps speak on stderr, so that stdout is the command's alone.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 19];
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/**
 * What is known of this folder; tools that are fetched once are kept for each user
 * (`src/config/cache-folder.ts`).
 */
const CACHE = join(ROOT, '.cache');
const LOCK = join(CACHE, 'start.lock');
const LOCK_PATIENCE_MS = 15 * 60_000;

/** A step that failed in a way that was already explained to the person. */
class StepFailed extends Error {
  constructor(exitCode) {
    super(`step failed with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

const say = (text) => void process.stderr.write(text);
const inRoot = (...parts) => join(ROOT, ...parts);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  say(
    `This needs Node.js ${OLDEST_NODE.join('.')} or newer, and ${process.execPath} is ${process.versions.node}.\n`,
  );
  say('Install a newer one (https://nodejs.org, or nvm install 22), then start again.\n');
  throw new StepFailed(1);
}

let current;

/**
 * Runs a program; resolves with its exit code (128 + n after signal n, as a shell counts) and what
 * it wrote to pipes.
 */
function run(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, options);
    current = child;
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => done({ code: 127, output: `${command}: ${error.message}` }));
    child.on('close', (code, signal) => {
      current = undefined;
      done({
        code: code ?? 128 + (constants.signals[signal] ?? 0),
        output: Buffer.concat(output).toString(),
      });
    });
  });
}

/**
 * A terminal sends Ctrl-C to every program it runs, so the child has it already and must not get it
 * twice: a second one means "at once". All other signals reach this process alone and are passed
 * on.
 */
function passOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (current === undefined) process.exit(128 + constants.signals[signal]);
      if (signal !== 'SIGINT' || !process.stdin.isTTY) current.kill(signal);
    });
  }
}

const PIPED = { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] };
const runNode = (...args) => run(process.execPath, args, PIPED);

/** Runs one step with a line of progress; when it fails, shows what it wrote and gives up. */
async function step(title, work) {
  const startedAt = Date.now();
  say(`${title}…`);
  const { code, output } = await work();
  if (code === 0) {
    say(` ${Math.max(1, Math.round((Date.now() - startedAt) / 1000))} s\n`);
    return;
  }
  say(code > 128 ? ' interrupted\n' : ` failed\n${abridged(output)}\n`);
  throw new StepFailed(code);
}

/** The beginning and the end of a long output: npm tells the reason first, a compiler last. */
function abridged(output) {
  const lines = output.trimEnd().split('\n');
  return (lines.length <= 60 ? lines : [...lines.slice(0, 20), '…', ...lines.slice(-40)]).join(
    '\n',
  );
}

function sha256(...chunks) {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** What `look` finds, or undefined: another start may remove the file at any moment. */
function ifThere(look) {
  try {
    return look();
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const textOf = (file) => ifThere(() => readFileSync(file, 'utf8'));
const timeOf = (file) => ifThere(() => statSync(file).mtimeMs);

const LOCKFILE = inRoot('package-lock.json');
const INSTALL_STAMP = inRoot('node_modules', '.quotidien-installed');

/**
 * Installed are the packages of this lock file, by our stamp or by npm's own record when it is the
 * younger file.
 */
function needsInstall() {
  if (textOf(INSTALL_STAMP) === sha256(readFileSync(LOCKFILE))) return false;
  const installedAt = timeOf(inRoot('node_modules', '.package-lock.json'));
  return installedAt === undefined || installedAt < timeOf(LOCKFILE);
}

async function install() {
  const script = process.env.npm_execpath;
  const npm = script?.endsWith('.js')
    ? (...args) => runNode(script, ...args)
    : (...args) => run('npm', args, PIPED);
  const flags = ['--include=dev', '--no-audit', '--no-fund'];
  await step('installing packages', async () => {
    const exact = await npm('ci', ...flags);
    // "ci" refuses a lock file that lacks a package of any other platform, as one is when it was
    // written with a registry that lacks it. "install" keeps to the same lock for all that is in
    // it, and adds what this platform needs.
    return exact.output.includes('npm error code EUSAGE')
      ? npm('install', '--no-save', ...flags)
      : exact;
  });
  writeFileSync(INSTALL_STAMP, sha256(readFileSync(LOCKFILE)));
}

const PLACER = inRoot('scripts', 'place-packages.mjs');
const BUNDLER = inRoot('scripts', 'bundle-cli.mjs');
const BUNDLE_LOADER = inRoot('scripts', 'load-bundle.cjs');
const BUILD_STAMP = join(CACHE, 'build.sha256');

/** The folders of sources: our own, and those of the packages that live in this repository. */
function sourceFolders() {
  const packages = existsSync(inRoot('packages')) ? readdirSync(inRoot('packages')) : [];
  return [inRoot('src'), ...packages.map((name) => inRoot('packages', name, 'src'))].filter(
    (folder) => existsSync(folder),
  );
}

/**
 * One hash over everything that the build reads: names and bytes of sources, the compiler's
 * settings, the packages.
 */
function sourceHash() {
  const settings = ['tsconfig.json', 'tsconfig.build.json'].map((name) => inRoot(name));
  const files = sourceFolders()
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .concat(
      settings,
      ...[PLACER, BUNDLER, BUNDLE_LOADER].filter((file) => existsSync(file)),
      LOCKFILE,
    )
    .sort();
  return sha256(...files.flatMap((file) => [`${relative(ROOT, file)}\0`, readFileSync(file)]));
}

function needsBuild() {
  return !existsSync(inRoot('dist', 'errors.js')) || textOf(BUILD_STAMP) !== sourceHash();
}

async function build() {
  const hash = sourceHash();
  await step('compiling', () =>
    runNode(
      inRoot('node_modules', '@typescript', 'native', 'bin', 'tsc'),
      '-b',
      'tsconfig.build.json',
    ),
  );
  if (existsSync(PLACER)) await step('placing the packages', () => runNode(PLACER));
  const bundler = inRoot('dist', 'workers', 'build-bundle.js');
  if (existsSync(bundler)) await step('bundling the workflows', () => runNode(bundler));
  if (existsSync(BUNDLER)) await step('bundling the commands', () => runNode(BUNDLER));
  writeFileSync(BUILD_STAMP, hash);
}

/** The tests always use a server of their own; the demo needs none when it is given one. */
async function ensureTemporal(command) {
  const ensure = inRoot('dist', 'cli', 'ensure-temporal.js');
  const needed = command === 'test' || (command === 'demo' && !process.env.TEMPORAL_ADDRESS);
  if (!needed || !existsSync(ensure)) return;
  const { code } = await run(process.execPath, [ensure], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (code !== 0) throw new StepFailed(code);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Creates a file that must not exist, with our process id in it. */
function claim(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * A claim whose maker is dead. One without an id yet is being made, unless it has been so for ten
 * seconds.
 */
function isAbandoned(file) {
  const pid = Number(textOf(file));
  if (pid > 0) return !isAlive(pid);
  return Date.now() - (timeOf(file) ?? Infinity) > 10_000;
}

/**
 * Removes an abandoned lock. Only the holder of a second claim may, and only after another look: of
 * two starts that find the same dead holder, the slower one would otherwise remove the lock that
 * the faster one has just taken.
 */
function breakAbandonedLock() {
  const guard = `${LOCK}.breaking`;
  if (isAbandoned(guard)) rmSync(guard, { force: true });
  if (!claim(guard)) return;
  if (isAbandoned(LOCK)) rmSync(LOCK, { force: true });
  rmSync(guard, { force: true });
}

async function withLock(work) {
  mkdirSync(CACHE, { recursive: true });
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (let told = false; !claim(LOCK);) {
    if (isAbandoned(LOCK)) {
      breakAbandonedLock();
      continue;
    }
    if (!told) say(`waiting for process ${textOf(LOCK) ?? ''}, which prepares the same folder…\n`);
    told = true;
    if (Date.now() > deadline) {
      say(
        `It still holds ${LOCK}. End it, or delete that file when it is no start of this project.\n`,
      );
      throw new StepFailed(1);
    }
    await new Promise((next) => setTimeout(next, 250));
  }
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

async function prepare(command) {
  if (needsInstall() || needsBuild()) {
    await withLock(async () => {
      if (needsInstall()) await install();
      if (needsBuild()) await build();
    });
  }
  await ensureTemporal(command);
}

async function main([command, ...args]) {
  checkNode();
  passOnSignals();
  if (command === undefined) {
    say(
      'usage: node scripts/start.mjs build | test [args] | demo [args] | <command of quotidien> [args]\n',
    );
    throw new StepFailed(2);
  }
  await prepare(command);
  if (command === 'build') return 0;
  const script =
    command === 'test'
      ? [inRoot('scripts', 'test.mjs')]
      : [inRoot('dist', 'bundle', 'main.js'), command];
  const { code } = await run(process.execPath, [...script, ...args], { stdio: 'inherit' });
  return code;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.exitCode = error.exitCode;
}
