import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

function json(file: string): Record<string, Record<string, unknown>> {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Record<
    string,
    Record<string, unknown>
  >;
}

/** A workspace is declared in several places, and each tool reads its own. */
describe.each(readdirSync(path.join(ROOT, 'packages')))('packages/%s', (name) => {
  const { dependencies = {}, ...manifest } = json(`packages/${name}/package.json`);

  it('is in the lock file with its dependencies (else: npm install --package-lock-only)', () => {
    const { packages } = json('package-lock.json');
    expect(packages?.[`packages/${name}`] ?? {}).toMatchObject({ version: manifest['version'] });
    expect((packages?.[`packages/${name}`] as typeof manifest)['dependencies'] ?? {}).toEqual(
      dependencies,
    );
    expect(packages?.[`node_modules/@quotidien/${name}`]).toEqual({
      resolved: `packages/${name}`,
      link: true,
    });
  });

  it('is private, takes exact versions, and has a short README', () => {
    expect(manifest).toMatchObject({ name: `@quotidien/${name}`, private: true });
    for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const lines = readFileSync(path.join(ROOT, `packages/${name}/README.md`), 'utf8').split('\n');
    expect(lines.length).toBeLessThanOrEqual(14);
  });

  it('is found as source by the compiler and built before src', () => {
    expect(json('tsconfig.json')['compilerOptions']?.['paths']).toHaveProperty(
      [`@quotidien/${name}/*`],
      [`./packages/${name}/src/*.ts`],
    );
    expect(json('tsconfig.build.json')['references']).toContainEqual({ path: `packages/${name}` });
  });
});

/**
 * npm leaves a platform's build out of the lock file when the registry has not got it yet, and `npm
 * ci` then refuses on another day.
 */
it('the lock file has every optional dependency of every package, for every platform', () => {
  const { packages = {} } = json('package-lock.json');
  const missing = Object.entries(packages).flatMap(([place, entry]) =>
    Object.keys((entry as { optionalDependencies?: object }).optionalDependencies ?? {})
      .filter((name) => !foundFrom(packages, place, name))
      .map((name) => `${name} (of ${place || 'the root'})`),
  );
  expect(missing).toEqual([]);
});

/**
 * Looks as Node.js does: in the package's own node_modules, then in those of the folders above it.
 */
function foundFrom(packages: Record<string, unknown>, place: string, name: string): boolean {
  const folders = place
    .split('/node_modules/')
    .map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'));
  return [...folders, ''].some(
    (folder) => `${folder}${folder && '/'}node_modules/${name}` in packages,
  );
}
