import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The secret of an installation by which ids of meters become keys: the setting, or a file of the
 * home that is made once and that its owner alone may read. Whoever loses it cannot add readings to
 * the meters that are there.
 */
export async function meterSecret(home: string, setting: string | undefined): Promise<string> {
  if (setting !== undefined) return setting;
  const file = path.join(home, 'meter-secret');
  await mkdir(home, { recursive: true });
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  // Of several processes the first one gives it its name whole, and all read the same.
  const own = `${file}.${randomBytes(8).toString('hex')}`;
  await writeFile(own, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await link(own, file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await rm(own);
  return (await readFile(file, 'utf8')).trim();
}
