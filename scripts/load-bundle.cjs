'use strict';

/**
 * Loads the files of `dist/bundle/`, of which this is `main.js`, with the code that V8 made of them
 * in the build: it spares a small command a third of its time. That code is for the very program
 * that made it. V8 looks at its own version alone, and code of Node.js 20.20 ends 20.19 with a
 * segmentation fault; so the names of the files say for which program they are, and any other one
 * compiles, which is slower and as right. `KEEP_COMPILED_CODE` is for `scripts/bundle-cli.mjs`.
 */
const { readFileSync, readdirSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const scripts = new Map();
const modules = new Map();

/** Tells programs apart, also two builds of one version. */
const PROGRAM = `${process.version}-${process.arch}-${statSync(process.execPath).size}`;
const cacheOf = (file) => join(__dirname, `${file}.${PROGRAM}.cache`);

function compiledCode(file) {
  try {
    return readFileSync(cacheOf(file));
  } catch {
    return undefined;
  }
}

function compile(file) {
  const filename = join(__dirname, file);
  const source = `(function(exports,require,module,__filename,__dirname,importModule){${readFileSync(filename, 'utf16le')}\n})`;
  const script = new Script(source, { filename, cachedData: compiledCode(file) });
  scripts.set(file, script);
  return script;
}

/**
 * Code that was kept has forgotten how modules are imported: it says `importModule`, which is this
 * file's `import`.
 */
const importModule = (id) => import(id);

function load(file) {
  const known = modules.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(file, module);
  const requireFrom = (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id));
  compile(file).runInThisContext()(
    ...[module.exports, requireFrom, module, join(__dirname, file), __dirname, importModule],
  );
  return module.exports;
}

/** Of the files that were loaded with what ran of them, of all others as they lie. */
function keepCompiled() {
  const files = readdirSync(__dirname).filter((file) => file.endsWith('.js') && file !== 'main.js');
  for (const file of files)
    writeFileSync(cacheOf(file), (scripts.get(file) ?? compile(file)).createCachedData());
}

if (process.env.KEEP_COMPILED_CODE !== undefined) process.on('exit', keepCompiled);
load('program.js');
