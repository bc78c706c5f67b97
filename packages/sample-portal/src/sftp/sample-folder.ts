import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KEY_16, KEY_32, keysText } from './archive-writer.ts';
import { octoberArchives, overrunsFile, SAMPLE_MARK, servedAt } from './sample-archives.ts';

/**
 * The archives of the invented supplier in a folder of this disk, as the distributor's server has
 * them.
 */
export interface SampleFolder {
  /** `file://` address of the folder with a folder for each flux. */
  readonly url: string;
  /** The keys that open the archives, as a setting takes them. */
  readonly fileKeys: string;
  /** The file of the billing team with the hours over the power: no archive has them. */
  readonly overruns: string;
}

/**
 * Writes what October 2025 needs. Files that are there are written again with the same content.
 *
 * @param folder - absolute
 */
export async function writeSampleFolder(folder: string): Promise<SampleFolder> {
  const flux = path.join(folder, 'flux_enedis');
  for (const { path: file, bytes } of [...octoberArchives(), SAMPLE_MARK].map((archive) =>
    servedAt(flux, archive),
  )) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  const { name, bytes } = overrunsFile();
  const overruns = path.join(folder, name);
  await writeFile(overruns, bytes);
  return { url: `file://${flux}`, fileKeys: keysText([KEY_16, KEY_32]), overruns };
}
