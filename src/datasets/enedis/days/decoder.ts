import { mkdir, writeFile } from 'node:fs/promises';
import { definedMembers } from '../../kit/index.ts';
import type { DecodedFile, Decoder } from '../../kit/index.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import type { ArchiveKey } from '../decode/key-ring.ts';
import { parseKeyRing } from '../decode/key-ring.ts';
import { decodeLines } from '../lines/decode-lines.ts';
import { LINES_PART } from '../lines/part.ts';
import { makePiece } from './make-piece.ts';
import { archivesFile, occurrencesFile, pieceLine } from './piece.ts';

/** The name that the distributor's settings go by: `QUOTIDIEN_ENEDIS_URL` and others. */
export const HOST = 'enedis';

/**
 * Archives as delivered become pieces: decrypted, unzipped, split into occurrences. One that cannot
 * be read is a piece that says so.
 */
export const enedisDecoder: Decoder = {
  host: HOST,
  checkKeys: (keys) => void ringOf(keys),
  async decode(task) {
    if (task.part === LINES_PART) return decodeLines(task);
    const { files, keys, target, scratch, progress, signal } = task;
    const ring = ringOf(keys);
    const decoded: DecodedFile[] = [];
    let archives = '';
    await mkdir(target, { mode: 0o700 });
    for await (const { name, path, sha256, bytes } of files) {
      signal.throwIfAborted();
      progress(`opening ${name}`);
      const known = parseDeliveredName(name);
      if ('other' in known) continue;
      const occurrences = occurrencesFile(target, decoded.length);
      const end = await makePiece({ path, name: known, ring, scratch, occurrences });
      archives += pieceLine({ archive: known.name, sha256, bytes }, end);
      decoded.push({
        name,
        sha256,
        ...('failure' in end ? definedMembers({ failure: end.failure }) : {}),
      });
    }
    await writeFile(archivesFile(target), archives, { mode: 0o600 });
    return decoded;
  },
};

/** In the settings the keys stand in one line, with commas between. */
function ringOf(keys: string): ArchiveKey[] {
  return parseKeyRing(keys.replace(/\s*[,;]\s*/g, '\n'));
}
