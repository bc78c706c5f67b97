/**
 * The last step of the build: `dist/cli/main.js` and what it imports, in a few files under `dist/bundle/`, where a command
 * finds all that it needs with some twenty reads instead of five hundred. What a command imports when it is called stays
 * in a file of its own. Packages that carry binaries, look for their own files or are large stay outside.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const inRoot = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Small packages of plain code; all others are loaded as they lie. */
const BUNDLED = [
  '@noble/hashes',
  '@turf',
  'commander',
  'luxon',
  'picocolors',
  'point-in-polygon-hao',
  'robust-predicates',
  'saxes',
  'xmlchars',
  'zod',
];

const isBundled = (name) => BUNDLED.some((known) => name === known || name.startsWith(`${known}/`));

const OUTSIDE = {
  name: 'packages stay outside',
  setup(context) {
    context.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || isBundled(path) ? undefined : { path, external: true },
    );
  },
};

rmSync(inRoot('dist/bundle'), { recursive: true, force: true });
await build({
  entryPoints: [inRoot('dist/cli/main.js')],
  outdir: inRoot('dist/bundle'),
  // Flat, so that a place beside a module is as many folders away from it as in `dist/<room>/`.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  keepNames: true,
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [OUTSIDE],
  // Packages in the older module format ask for built-in modules by `require`.
  banner: {
    js: "import { createRequire as _createRequire } from 'node:module'; const require = _createRequire(import.meta.url);",
  },
});
