/**
 * Runs every check of package.json (`check:…`), in two lanes, because most of them use one core.
 * What a check wrote is shown once it has ended; all of them run, and the exit code is 0 only when
 * none failed.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The two that take longest go first, each in a lane of its own. */
const LONGEST = ['check:lint', 'check:types'];

const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
const others = Object.keys(scripts).filter(
  (name) => name.startsWith('check:') && !LONGEST.includes(name),
);
const waiting = [...LONGEST, ...others];
const failed = [];

function run(name) {
  const npm = process.env.npm_execpath;
  const args = ['run', '-s', name];
  const [program, given] = npm?.endsWith('.js')
    ? [process.execPath, [npm, ...args]]
    : ['npm', args];
  return new Promise((done) => {
    const child = spawn(program, given, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => done({ code: 127, output: `${program}: ${error.message}\n` }));
    child.on('close', (code) =>
      done({ code: code ?? 1, output: Buffer.concat(output).toString() }),
    );
  });
}

async function lane() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const startedAt = Date.now();
    const { code, output } = await run(name);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    process.stdout.write(`${output}${name}: ${code === 0 ? 'clean' : 'FAILED'}, ${seconds} s\n`);
    if (code !== 0) failed.push(name);
  }
}

await Promise.all([lane(), lane()]);
process.exitCode = failed.length === 0 ? 0 : 1;
