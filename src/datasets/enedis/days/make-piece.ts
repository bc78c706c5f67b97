import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { sha256OfFile } from '../../kit/index.ts';
import type { ArchiveName } from '../decode/archive-name.ts';
import type { ArchiveKey } from '../decode/key-ring.ts';
import { readArchive } from '../decode/read-archive.ts';
import type { ReadDocument } from '../decode/read-archive.ts';
import { causeOf } from '../decode/refusal.ts';
import type { PieceFailure } from './piece.ts';
import { pieceLine, recordLine } from './piece.ts';

/** An archive and where its piece is written. */
export interface PieceTask {
  readonly path: string;
  readonly name: ArchiveName;
  readonly ring: readonly ArchiveKey[];
  /** A folder that is removed afterwards. */
  readonly scratch: string;
}

/** Where the piece is; with a failure it holds what is known of the archive and no occurrence. */
export interface MadePiece {
  readonly path: string;
  readonly failure?: PieceFailure;
}

/**
 * Writes the piece of an archive. An archive that cannot be read has a piece too: that it came is known, and its number is no gap; a later piece of the
 * same archive that is whole replaces it.
 */
export async function makePiece({ path: archive, name, ring, scratch }: PieceTask): Promise<MadePiece> {
  // Two folders may hold archives of one name.
  const folder = path.join(scratch, createHash('sha256').update(archive).digest('hex').slice(0, 16));
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'piece.ndjson');
  const head = pieceLine({ archive: name.name, ...(await identify(archive)) });
  try {
    await writeRecords(file, head, (write) =>
      readArchive({ path: archive, name }, { ring, scratch: folder }, (record, document) =>
        write(recordLine(record, document)),
      ),
    );
    return { path: file };
  } catch (error) {
    const cause = causeOf(error);
    if (cause === undefined) throw error;
    const failure = { cause, message: (error as Error).message };
    await writeFile(file, `${head}${pieceLine({ failure })}`);
    return { path: file, failure };
  } finally {
    await rm(path.join(folder, 'plain.zip'), { force: true });
  }
}

async function identify(file: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  return { sha256: await sha256OfFile(file), bytes: (await stat(file)).size };
}

/** Written at once: a write for every occurrence takes longer than reading it. */
const WRITE_CHARACTERS = 2 ** 18;

async function writeRecords(
  file: string,
  head: string,
  read: (write: (line: string) => Promise<void>) => Promise<readonly ReadDocument[]>,
): Promise<void> {
  const stream = createWriteStream(file);
  let waiting = head;
  const write = async (line: string): Promise<void> => {
    waiting += line;
    if (waiting.length < WRITE_CHARACTERS) return;
    const chunk = waiting;
    waiting = '';
    if (!stream.write(chunk)) await once(stream, 'drain');
  };
  try {
    const end = pieceLine({ documents: await read(write) });
    stream.write(waiting + end);
  } finally {
    stream.end();
    await finished(stream);
  }
}
