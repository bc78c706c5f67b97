import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { measuring } from '../../kit/index.ts';
import type { FluxReader } from '../flux/linear.ts';
import { READERS } from '../flux/readers.ts';
import { readJson } from '../flux/read-json.ts';
import { readRows } from '../flux/read-rows.ts';
import { readXml } from '../flux/read-xml.ts';
import type { DocumentRecord } from '../flux/document-tree.ts';
import { FLUX } from './archive-name.ts';
import type { ArchiveName } from './archive-name.ts';
import { decrypt, decryptTo, findOpening } from './decrypt.ts';
import { detailsOf } from './documents.ts';
import type { ArchiveKey } from './key-ring.ts';
import { refusal } from './refusal.ts';
import type { Place } from './refusal.ts';
import { withDocuments } from './unzip.ts';
import type { PackedDocument, UnzipLimits } from './unzip.ts';

/** An archive that is held is read once, and its plain form is in no file. */
const HELD_BYTES = 2 ** 22;

/** An archive as a local file. */
export interface ArchiveFile {
  readonly path: string;
  readonly name: ArchiveName;
}

/** What decoding works with. */
export interface Decoding {
  readonly ring: readonly ArchiveKey[];
  /** A folder for the plain archive; what is written there is removed by whoever made it. */
  readonly scratch: string;
  readonly limits?: UnzipLimits;
  /**
   * Larger archives are decrypted into a file; default 4 MiB, more than nearly every archive of a
   * supplier has.
   */
  readonly heldBytes?: number;
}

/** Takes occurrences of a document, in their order; the next ones come when it is done. */
export type TakeRecords = (
  records: readonly DocumentRecord[],
  document: string,
) => Promise<unknown> | undefined;

/** A document of an archive after all its occurrences were given out. */
export interface ReadDocument {
  readonly name: string;
  readonly sha256: string;
  readonly occurrences: number;
}

/**
 * The chain from an archive as delivered to its occurrences: name → key → padding and zip magic →
 * bounded unzip → counters → XML or JSON → version, units, calendars. Occurrences are given to
 * `take` as they are read, some at a time; nothing of the archive is held as a whole. A file that
 * the billing team gives is one document by itself.
 *
 * @returns the documents in order of their names
 * @throws a refusal of `refusal.ts` that names archive, inner file and remedy
 */
export async function readArchive(
  { path: file, name }: ArchiveFile,
  decoding: Decoding,
  take: TakeRecords,
): Promise<ReadDocument[]> {
  const flux = FLUX.find((own) => own === name.flux);
  if (flux === undefined)
    return [
      await readDocument(name, { name: name.name, read: () => createReadStream(file) }, take),
    ];
  const plain = await openPlain(file, name, decoding);
  const read = async (documents: readonly PackedDocument[]): Promise<ReadDocument[]> => {
    const details = detailsOf(
      flux,
      name.name,
      documents.map((document) => document.name),
    );
    const done: ReadDocument[] = [];
    for (const detail of details) {
      const document = documents.find((candidate) => candidate.name === detail);
      if (document !== undefined) done.push(await readDocument(name, document, take));
    }
    return done;
  };
  return withDocuments(plain, name.name, read, decoding.limits);
}

/** The plain archive: itself where it is small, else its file. */
async function openPlain(
  file: string,
  { name }: ArchiveName,
  { ring, scratch, heldBytes = HELD_BYTES }: Decoding,
): Promise<string | Uint8Array> {
  const { size } = await stat(file);
  const source = size <= heldBytes ? await readFile(file) : file;
  const opening = await findOpening(source, name, ring);
  if (opening.kind === 'plain') return source;
  if (typeof source !== 'string') return decrypt(source, opening);
  const plain = path.join(scratch, 'plain.zip');
  await decryptTo(source, opening, plain);
  return plain;
}

async function readDocument(
  { flux, name: archive }: ArchiveName,
  document: Pick<PackedDocument, 'name' | 'read'>,
  take: TakeRecords,
): Promise<ReadDocument> {
  const reader = READERS[flux];
  const place = { archive, document: document.name };
  const { chunks, measured } = measuring(document.read());
  let occurrences = 0;
  for await (const records of recordsOf(reader.shape, chunks, place)) {
    for (const record of records) {
      const [finding] = reader.findings(record);
      if (finding !== undefined) throw refusal(finding.cause, place, finding.detail);
    }
    occurrences += records.length;
    await take(records, document.name);
  }
  return { name: document.name, sha256: measured().sha256, occurrences };
}

function recordsOf(
  shape: FluxReader['shape'],
  chunks: AsyncIterable<Uint8Array>,
  place: Place,
): AsyncIterable<readonly DocumentRecord[]> {
  if ('xml' in shape) return readXml(chunks, shape.xml, place);
  return 'json' in shape
    ? readJson(chunks, shape.json, place)
    : readRows(chunks, shape.rows, place);
}
