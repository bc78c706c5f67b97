import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { definedMembers } from '../../kit/index.ts';
import type { DecodedFile, Decoder } from '../../kit/index.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import type { ArchiveKey } from '../decode/key-ring.ts';
import { parseKeyRing } from '../decode/key-ring.ts';
import { decodeLines } from '../lines/decode-lines.ts';
import { LINES_PART } from '../lines/part.ts';
import { makePiece } from './make-piece.ts';

/** The name that the distributor's settings go by: `QUOTIDIEN_ENEDIS_URL` and others. */
export const HOST = 'enedis';

/** Archives as delivered become pieces: decrypted, unzipped, split into occurrences. One that cannot be read is a piece that says so. */
export const enedisDecoder: Decoder = {
  host: HOST,
  checkKeys: (keys) => void ringOf(keys),
  async decode(task) {
    if (task.part === LINES_PART) return decodeLines(task);
    const { files, keys, target, scratch, progress, signal } = task;
    const ring = ringOf(keys);
    const decoded: DecodedFile[] = [];
    const pieces = path.join(scratch, 'pieces');
    await pipeline([], createWriteStream(target, { mode: 0o600 }));
    for await (const { name, path: archive, sha256 } of files) {
      signal.throwIfAborted();
      progress(`opening ${name}`);
      const known = parseDeliveredName(name);
      if ('other' in known) continue;
      await mkdir(pieces, { recursive: true });
      const piece = await makePiece({ path: archive, name: known, ring, scratch: pieces });
      await pipeline(createReadStream(piece.path), createWriteStream(target, { flags: 'a' }));
      await rm(pieces, { recursive: true, force: true });
      decoded.push({ name, sha256, ...definedMembers({ failure: piece.failure }) });
    }
    return decoded;
  },
};

/** In the settings the keys stand in one line, with commas between. */
function ringOf(keys: string): ArchiveKey[] {
  return parseKeyRing(keys.replace(/\s*[,;]\s*/g, '\n'));
}
