import type { FolderSource } from '../kit/index.ts';
import { FLUX, parseArchiveName } from './decode/archive-name.ts';
import { HOST } from './days/decoder.ts';

/**
 * The distributor's folder: a folder per flux in it, whose names differ by supplier; what a file
 * is, its own name says.
 */
const FOLDER: FolderSource = {
  kind: 'folder',
  host: HOST,
  requestsPerSecond: 10,
  dayOf(file) {
    const name = parseArchiveName(file);
    return 'other' in name ? name.other : { part: name.flux.toLowerCase(), date: name.date };
  },
};

/** By part. */
export const ENEDIS_SOURCES: Readonly<Record<string, FolderSource>> = Object.fromEntries(
  FLUX.map((flux) => [flux.toLowerCase(), FOLDER]),
);
