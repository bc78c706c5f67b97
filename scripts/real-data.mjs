/**
 * Fetches the publishers' real files that some tests read: `npm run real-data [-- --into DIR] [--
 * --from URL]`.
 *
 *   --into DIR   where they go; default `.cache/real-data`, where `npm test` finds them by itself
 *   --from URL   a copy of all of them, `<URL>/<path>`, asked instead of the addresses in the list
 *   --list FILE  another list than `scripts/real-data.json`
 *
 * A file counts only with the sha256 of the list: the tests state figures of exactly these bytes.
 * What is there and right already is not asked for again. The exit code is 1 when a file that has
 * an address could not be had. Only built-in modules are used, because node_modules may not exist
 * yet.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The largest file of the list has 3 MB. */
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: join(ROOT, '.cache', 'real-data') },
    from: { type: 'string' },
    list: { type: 'string', default: join(ROOT, 'scripts', 'real-data.json') },
  },
});

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

function isThere({ path, sha256 }) {
  const file = join(values.into, path);
  return existsSync(file) && hashOf(readFileSync(file)) === sha256;
}

async function bytesOf(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const parts = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > MAX_BYTES) throw new Error(`${url} sends more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** What became of one file: `there`, `fetched`, `no address` or `failed`, with why. */
async function fetchFile(file) {
  if (isThere(file)) return { state: 'there' };
  const url =
    values.from === undefined ? file.url : `${values.from.replace(/\/$/, '')}/${file.path}`;
  if (url === undefined)
    return { state: 'no address', why: 'nobody offers these bytes under a lasting address' };
  try {
    const bytes = await bytesOf(url);
    if (hashOf(bytes) !== file.sha256)
      throw new Error(`${url} has other bytes now (sha256 ${hashOf(bytes)})`);
    const target = join(values.into, file.path);
    mkdirSync(dirname(target), { recursive: true });
    const part = `${target}.${process.pid}.part`;
    try {
      writeFileSync(part, bytes);
      renameSync(part, target);
    } finally {
      rmSync(part, { force: true });
    }
    return { state: 'fetched' };
  } catch (error) {
    const cause = error.cause === undefined ? '' : `: ${error.cause.message}`;
    return { state: 'failed', why: `${error.message}${cause}` };
  }
}

const counts = { there: 0, fetched: 0, 'no address': 0, failed: 0 };
for (const file of JSON.parse(readFileSync(values.list, 'utf8'))) {
  const { state, why } = await fetchFile(file);
  counts[state] += 1;
  const note = why ?? file.note;
  process.stdout.write(
    `${state.padEnd(10)}  ${file.path}: ${file.what}; ${file.publisher}, ${file.licence}\n`,
  );
  if (note !== undefined) process.stdout.write(`${' '.repeat(12)}${note}\n`);
}
const { there, fetched, failed } = counts;
process.stdout.write(
  `${there + fetched} files are in ${resolve(values.into)} (${fetched} fetched now), ${failed} could not be fetched, ` +
    `${counts['no address']} have no address.\n`,
);
if (there + fetched > 0) process.stdout.write('`npm test` runs the tests that read them.\n');
process.exitCode = failed > 0 ? 1 : 0;
