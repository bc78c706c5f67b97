import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { promisify } from 'node:util';
import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { refusal } from './refusal.ts';
import type { Place } from './refusal.ts';

/** What an archive may unfold to; the distributor's have a few files of some MB. */
export interface UnzipLimits {
  readonly documents: number;
  readonly documentBytes: number;
  readonly archiveBytes: number;
  /** Unpacked bytes for one packed byte; XML packs 20 to 50 times. */
  readonly ratio: number;
}

/** Far above every archive seen, and far below what fills a disk or memory. */
export const UNZIP_LIMITS: UnzipLimits = {
  documents: 2_000,
  documentBytes: 2 ** 30,
  archiveBytes: 2 ** 32,
  ratio: 400,
};

/** Small files may pack better than the limit. */
const SMALL_BYTES = 2 ** 20;
/**
 * Unpacked at once: each piece is a way to another thread and back, and zlib would give 16 KB of
 * them.
 */
const PIECE_BYTES = 2 ** 16;
/** Of zlib. */
const SMALLEST_CHUNK = 64;
/** Of `compressionMethod`: the library refuses whatever is neither this nor plain. */
const DEFLATED = 8;
const ENCRYPTED = 0x1;
/** Of `externalFileAttributes`: the file type of Unix, and what a symbolic link is there. */
const UNIX_TYPE_SHIFT = 28;
const SYMBOLIC_LINK = 0xa;

/** A file in an archive. */
export interface PackedDocument {
  readonly name: string;
  /** Unpacked. */
  readonly bytes: number;
  /** The content, checked against size and CRC while it is read. */
  read(): AsyncIterable<Uint8Array>;
}

/**
 * Unpacked at once where the packed bytes are held: some milliseconds, and less than the ways to
 * another thread and back for all its pieces.
 */
const AT_ONCE_BYTES = 2 ** 23;

const openFile = promisify<string, yauzl.Options, ZipFile>(yauzl.open);
const openHeld = promisify<Buffer, yauzl.Options, ZipFile>(yauzl.fromBuffer);

/** A zip as a file, or the zip itself. */
type ZipSource = string | Uint8Array;

function openZip(source: ZipSource): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true };
  if (typeof source === 'string') return openFile(source, options);
  return openHeld(Buffer.from(source.buffer, source.byteOffset, source.byteLength), options);
}

/**
 * Opens a plain zip within limits, and gives its documents to `use`. Names with folders, control
 * characters or twice the same are refused, like links, encrypted entries and whatever unfolds
 * beyond the limits: nothing is ever written under a name from an archive.
 *
 * @throws refusals `broken_zip`, `too_large`, `unsafe_name`
 */
export async function withDocuments<T>(
  source: ZipSource,
  archive: string,
  use: (documents: readonly PackedDocument[]) => Promise<T>,
  limits: UnzipLimits = UNZIP_LIMITS,
): Promise<T> {
  const zip = await openZip(source).catch((error: unknown) => {
    throw brokenZip({ archive }, error);
  });
  try {
    const entries = await listEntries(zip, archive, limits);
    const isHeld = typeof source !== 'string';
    return await use(entries.map((entry) => documentOf(zip, entry, archive, isHeld)));
  } finally {
    zip.close();
  }
}

function brokenZip(place: Place, error: unknown) {
  return refusal(
    'broken_zip',
    place,
    `the zip cannot be read (${error instanceof Error ? error.message : String(error)})`,
  );
}

function listEntries(zip: ZipFile, archive: string, limits: UnzipLimits): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    const said = zip.entryCount;
    if (said > limits.documents)
      reject(
        refusal('too_large', { archive }, `it has ${said} files, more than ${limits.documents}`),
      );
    zip.on('entry', (entry: Entry) => {
      if (entries.length === said) {
        reject(
          refusal('broken_zip', { archive }, `it has more files than the ${said} that it says`),
        );
        return;
      }
      entries.push(entry);
      try {
        checkEntry(entry, entries, archive, limits);
        zip.readEntry();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    zip.on('end', () => {
      // The library believes the count. A file that it leaves out would be lost without a trace, so
      // one more is looked for.
      zip.entryCount = said + 1;
      zip.readEntry();
    });
    zip.on('error', (error: Error) => {
      if (
        zip.entryCount > said &&
        /^(unexpected EOF|invalid central directory file header signature)/i.test(error.message)
      ) {
        resolve(entries);
        return;
      }
      const isPath = /relative path|absolute path|characters in fileName/.test(error.message);
      reject(
        isPath ? refusal('unsafe_name', { archive }, error.message) : brokenZip({ archive }, error),
      );
    });
    zip.readEntry();
  });
}

function checkEntry(
  entry: Entry,
  all: readonly Entry[],
  archive: string,
  limits: UnzipLimits,
): void {
  const place = { archive, document: printable(entry.fileName) };
  const problem = nameProblem(entry, all);
  if (problem !== undefined) throw refusal('unsafe_name', place, problem);
  const total = all.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  const { uncompressedSize, compressedSize } = entry;
  const unfolds =
    uncompressedSize > SMALL_BYTES && uncompressedSize > compressedSize * limits.ratio;
  if (uncompressedSize > limits.documentBytes || total > limits.archiveBytes || unfolds) {
    throw refusal(
      'too_large',
      place,
      `it unfolds from ${compressedSize} to ${uncompressedSize} bytes`,
    );
  }
}

function nameProblem(entry: Entry, all: readonly Entry[]): string | undefined {
  const { fileName: name, generalPurposeBitFlag, externalFileAttributes } = entry;

  if (/[/\\:\u0000-\u001f\u007f]/.test(name) || name === '' || name === '.' || name === '..') {
    return 'its name is not that of a plain file';
  }
  if ((generalPurposeBitFlag & ENCRYPTED) !== 0) return 'it is encrypted inside the zip';
  if (externalFileAttributes >>> UNIX_TYPE_SHIFT === SYMBOLIC_LINK) return 'it is a symbolic link';
  const isDouble = all.filter(({ fileName }) => fileName === name).length > 1;
  return isDouble ? 'the zip has two files of this name' : undefined;
}

function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1).slice(0, 200);
}

function documentOf(zip: ZipFile, entry: Entry, archive: string, isHeld: boolean): PackedDocument {
  const place = { archive, document: entry.fileName };
  const isAtOnce = isHeld && entry.uncompressedSize <= AT_ONCE_BYTES;
  return {
    name: entry.fileName,
    bytes: entry.uncompressedSize,
    read: () =>
      readEntry(entry, place, () => (isAtOnce ? unpackAtOnce(zip, entry) : openEntry(zip, entry))),
  };
}

async function* readEntry(
  entry: Entry,
  place: Place,
  open: () => Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let bytes = 0;
  try {
    for await (const chunk of await open()) {
      bytes += chunk.byteLength;
      if (bytes > entry.uncompressedSize) break;
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof RangeError ? otherSize(place) : brokenZip(place, error);
  }
  if (bytes !== entry.uncompressedSize) throw otherSize(place);
  if (checksum !== entry.crc32) throw refusal('broken_zip', place, 'its checksum is wrong');
}

function otherSize(place: Place) {
  return refusal('broken_zip', place, 'it has another size than it says');
}

/** The content as it unfolds, of whatever size. */
async function openEntry(zip: ZipFile, entry: Entry): Promise<AsyncIterable<Uint8Array>> {
  const stored = await openStored(zip, entry);
  if (entry.compressionMethod !== DEFLATED) return stored as AsyncIterable<Uint8Array>;
  const unpacked = createInflateRaw({ chunkSize: PIECE_BYTES });
  // An error of either ends the other, and is thrown where the content is read.
  pipeline(stored, unpacked, () => undefined);
  return unpacked as AsyncIterable<Uint8Array>;
}

/** As it stands in the zip. */
function openStored(zip: ZipFile, entry: Entry): Promise<Readable> {
  const isPacked = entry.compressionMethod === DEFLATED;
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, isPacked ? { decodeFileData: false } : {}, (error, opened) => {
      if (error === null) resolve(opened);
      else reject(error);
    });
  });
}

/** The content in pieces; a `RangeError` where it is longer than the entry says. */
async function unpackAtOnce(zip: ZipFile, entry: Entry): Promise<Iterable<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await openStored(zip, entry)) as AsyncIterable<Uint8Array>)
    chunks.push(chunk);
  const stored = Buffer.concat(chunks);
  if (entry.compressionMethod !== DEFLATED) return piecesOf(stored);
  // One byte more than it says tells that there is more.
  const most = entry.uncompressedSize + 1;
  return piecesOf(
    inflateRawSync(stored, { chunkSize: Math.max(most, SMALLEST_CHUNK), maxOutputLength: most }),
  );
}

function* piecesOf(content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += PIECE_BYTES)
    yield content.subarray(at, at + PIECE_BYTES);
}
