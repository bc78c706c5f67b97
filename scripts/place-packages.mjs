/**
 * The second step of the build: what was compiled of `packages/*` is put into `dist/packages/`, and
 * imports of it by name become relative. The packages are in no registry and are not bundled by
 * npm, which would take their native dependencies along; so what `npm pack` packs has everything of
 * ours in `dist/`, and nothing else has to be installed beside it.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const inRoot = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const DIST = inRoot('dist');
const PLACED = join(DIST, 'packages');
const OWN = /(['"])@quotidien\/([\w-]+)\/([\w/-]+)\1/g;

for (const name of readdirSync(inRoot('packages')))
  cpSync(inRoot(`packages/${name}/dist`), join(PLACED, name), {
    recursive: true,
    filter: (file) => !file.endsWith('.tsbuildinfo'),
  });

for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath ?? entry.path, entry.name);
  // What is bundled has the modules themselves, and is written after this.
  if (!entry.isFile() || !/\.(js|d\.ts)$/.test(file) || file.startsWith(join(DIST, 'bundle')))
    continue;
  const text = readFileSync(file, 'utf8');
  const placed = text.replace(OWN, (_, quote, name, module) => {
    const way = relative(dirname(file), join(PLACED, name, `${module}.js`)).replaceAll(sep, '/');
    return `${quote}${way.startsWith('.') ? way : `./${way}`}${quote}`;
  });
  if (placed !== text) writeFileSync(file, placed);
}
