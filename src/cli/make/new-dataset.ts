import {
  cp,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../shared/context.ts';
import type { ExitCode } from '../shared/context.ts';

/**
 * The folder of this package, from `dist/<room>/<room>/`, `dist/bundle/` or `src/<room>/<room>/`.
 */
async function packageRoot(): Promise<string> {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => '{}');
    if ((JSON.parse(text) as { name?: string }).name === 'quotidien') return folder;
    if (folder === path.dirname(folder))
      throw new Error('the package quotidien is not found above its own code');
  }
}

/**
 * What a repository of a dataset leaves out. npm packs no such file, so the copy of an installed
 * package has none.
 */
const IGNORED = ['node_modules', '.quotidien/*', '!.quotidien/settings.json'];

/** The dataset that the new one is a copy of, and the word that its name takes the place of. */
const EXAMPLE = 'tides';

/**
 * `quotidien new dataset <name>`: the example dataset under another name, in a folder of its own,
 * with everything that its `npm test` needs.
 */
export async function newDataset(name: string, cwd: string): Promise<ExitCode> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    process.stderr.write(
      `INPUT_INVALID: a dataset is named in small letters, digits and hyphens, not ${name}\n`,
    );
    return EXIT.usage;
  }
  const folder = path.join(cwd, name);
  const root = await packageRoot();
  if ((await readdir(folder).catch(() => [])).length > 0) {
    process.stderr.write(
      `INPUT_INVALID: ${folder} is there and not empty; choose another name or another folder\n`,
    );
    return EXIT.usage;
  }
  await cp(path.join(root, 'examples', EXAMPLE), folder, {
    recursive: true,
    filter: (file) =>
      !/[/\\](node_modules|\.quotidien\/(?!settings))/.test(path.relative(root, file)),
  });
  await writeFile(path.join(folder, '.gitignore'), `${IGNORED.join('\n')}\n`);
  await renameAll(folder, name);
  await linkPackage(root, folder);
  const lines = [
    `${name}: a working dataset; its tests: cd ${name} && npm test`,
    `then read ${name}/docs/${name}.md`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.done;
}

async function renameAll(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll(EXAMPLE, name));
    if (entry.name.includes(EXAMPLE)) {
      await rename(file, path.join(entry.parentPath, entry.name.replaceAll(EXAMPLE, name)));
    }
  }
}

/**
 * Names this package as the dependency, and links it where npm has not installed it: the tests run
 * before any install.
 */
async function linkPackage(root: string, folder: string): Promise<void> {
  const manifest = path.join(folder, 'package.json');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const isInstalled = root.split(path.sep).includes('node_modules');
  const wanted = isInstalled
    ? `^${version}`
    : `file:${path.relative(await realpath(folder), await realpath(root))}`;
  const own = JSON.parse(await readFile(manifest, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  own.dependencies['quotidien'] = wanted;
  await writeFile(manifest, `${JSON.stringify(own, null, 2)}\n`);
  try {
    createRequire(manifest).resolve('quotidien/kit');
  } catch {
    await mkdir(path.join(folder, 'node_modules'), { recursive: true });
    await symlink(root, path.join(folder, 'node_modules', 'quotidien'), 'dir');
  }
}
