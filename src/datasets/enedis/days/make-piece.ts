import { createHash } from 'node:crypto';
import { mkdir, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { EncodedFile } from '../../kit/index.ts';
import type { ArchiveName } from '../decode/archive-name.ts';
import type { ArchiveKey } from '../decode/key-ring.ts';
import { readArchive } from '../decode/read-archive.ts';
import { causeOf } from '../decode/refusal.ts';
import type { PieceEnd } from './piece.ts';
import { headWriter } from './piece.ts';
import { BYTES_A_UNIT, openLines } from './tables.ts';

/** An archive as delivered, and where its occurrences are written. */
export interface PieceTask extends Pick<EncodedFile, 'path'> {
  readonly name: ArchiveName;
  readonly ring: readonly ArchiveKey[];
  /** A folder that is removed afterwards. */
  readonly scratch: string;
  /** The file of its occurrences; empty when the archive cannot be read. */
  readonly occurrences: string;
}

/**
 * Writes the occurrences of an archive. An archive that cannot be read is a piece too: that it came
 * is known, and its number is no gap; a later piece of the same archive that is whole replaces it.
 */
export async function makePiece({
  path: archive,
  name,
  ring,
  scratch,
  occurrences,
}: PieceTask): Promise<PieceEnd> {
  // Two folders may hold archives of one name.
  const folder = path.join(
    scratch,
    createHash('sha256').update(archive).digest('hex').slice(0, 16),
  );
  await mkdir(folder, { recursive: true });
  const lines = openLines(occurrences);
  const headOf = headWriter();
  let longest = 0;
  try {
    const documents = await readArchive(
      { path: archive, name },
      { ring, scratch: folder },
      (records, document) => {
        for (const { occurrence, head, record } of records) {
          const line = `${document}\t${occurrence}\t${headOf(head)}\t${JSON.stringify(record)}\n`;
          longest = Math.max(longest, line.length);
          lines.add(line);
        }
        return lines.drained();
      },
    );
    await lines.close();
    return { documents, longestLine: longest * BYTES_A_UNIT };
  } catch (error) {
    await lines.close();
    const cause = causeOf(error);
    if (cause === undefined) throw error;
    // What was read before it failed counts as nothing.
    await truncate(occurrences);
    return { failure: { cause, message: (error as Error).message } };
  } finally {
    await rm(path.join(folder, 'plain.zip'), { force: true });
  }
}
