/**
 * The last step of the build: `dist/cli/main.js` and what it imports, in a few files under
 * `dist/bundle/`. Three things make a command start quickly:
 *
 *   - what every command needs lies in two files, `start` and `engine`, instead of some five
 *     hundred, and what only one command needs stays in a file of its own, which is loaded when
 *     that command is called;
 *   - beside each file lies the code that V8 made of it (`<file>.….cache`), so that a start
 *     compiles nothing;
 *   - for both, the files are CommonJS; `scripts/load-bundle.cjs` reads them and becomes
 *     `dist/bundle/main.js`.
 *
 * Packages that carry binaries, look for their own files or are large stay outside.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const inRoot = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const BUNDLE = inRoot('dist/bundle');
const MAIN = inRoot('dist/cli/main.js');
/** What runs a command; `main.js` imports it when one is called. */
const EXECUTE = inRoot('dist/cli/execute.js');

/** Small packages of plain code; all others are loaded as they lie. */
const BUNDLED = [
  '@noble/hashes',
  '@streamparser/json',
  '@turf',
  'commander',
  'luxon',
  'pend',
  'picocolors',
  'point-in-polygon-hao',
  'preact',
  'preact-render-to-string',
  'robust-predicates',
  'saxes',
  'xmlchars',
  'yauzl',
  'zod',
];

const isBundled = (name) => BUNDLED.some((known) => name === known || name.startsWith(`${known}/`));

/** The modules that `entry` imports before it runs, and theirs. */
function importedBy(entry, graph) {
  const found = new Set();
  const visit = (id) => {
    if (found.has(id)) return;
    found.add(id);
    for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) visit(imported);
  };
  visit(entry);
  return found;
}

/** A group takes the modules of `entry` that no group before it has. */
function inOneFile(name, entry, priority) {
  let modules;
  return {
    name: (id, graph) => ((modules ??= importedBy(entry, graph)).has(id) ? name : null),
    debugName: name,
    priority,
  };
}

async function writeFiles() {
  const bundle = await rolldown({
    input: { program: MAIN },
    platform: 'node',
    external: (id, importer) => importer !== undefined && /^[^./]/.test(id) && !isBundled(id),
  });
  await bundle.write({
    // Flat, so that a place beside a module is as many folders away from it as in `dist/<room>/`.
    dir: BUNDLE,
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // Names stay, because they are in the traces of failures.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    comments: false,
    codeSplitting: { groups: [inOneFile('start', MAIN, 2), inOneFile('engine', EXECUTE, 1)] },
  });
  await bundle.close();
  // `importModule` is told by `load-bundle.cjs`, and why. As V8 holds a text with letters like "é":
  // to read a megabyte of UTF-8 takes longer than all that is left of a start.
  for (const file of readdirSync(BUNDLE).map((name) => join(BUNDLE, name)))
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/\bimport\(/g, 'importModule('),
      'utf16le',
    );
  writeFileSync(join(BUNDLE, 'package.json'), '{ "type": "commonjs" }\n');
  copyFileSync(inRoot('scripts/load-bundle.cjs'), join(BUNDLE, 'main.js'));
}

/**
 * Lets a command run up to the point where it finds nothing, and keeps the code that was compiled
 * for it.
 */
function writeCompiledCode() {
  const home = mkdtempSync(join(tmpdir(), 'quotidien-build-'));
  const args = [join(BUNDLE, 'main.js'), '--home', home, 'show', 'cityflow', '2024-01-01'];
  const { stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH, KEEP_COMPILED_CODE: 'yes' },
    encoding: 'utf8',
  });
  rmSync(home, { recursive: true, force: true });
  if (stderr.includes('nothing is known of cityflow')) return;
  process.stderr.write(stderr);
  process.exitCode = 1;
}

rmSync(BUNDLE, { recursive: true, force: true });
await writeFiles();
writeCompiledCode();
