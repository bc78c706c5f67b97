import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { CipherGCM } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { finished, pipeline } from 'node:stream/promises';
import { measuring } from '@quotidien/machine/file-hash';
import { PipelineError } from '../../errors.ts';
import type { EncodedFile } from '../../pipelines/dataset.ts';

/**
 * A file that is sealed with AES-256-GCM, as lines of text, so that several can stand in one file
 * one after the other:
 *
 * | line | content |
 * |---|---|
 * | first | JSON: `sealed`, `name`, `sha256` and `bytes` of the file as delivered, `nonce` |
 * | then | the ciphertext as Base64 |
 * | last | JSON: `tag` |
 *
 * The nonce is made of the key, name and content: the same file sealed twice is the same bytes, and
 * no two contents have one nonce.
 */

interface Head {
  readonly sealed: 'aes-256-gcm';
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly nonce: string;
}

const NONCE_BYTES = 12;
/** A multiple of three: each piece is a line of Base64 by itself. */
const PIECE_BYTES = 48 * 1_024;

/**
 * Files of at most so many bytes are sealed and opened in memory: ways to other threads and back
 * take longer than the work.
 */
const HELD_BYTES = 2 ** 22;

/** The sealed form of a file: itself where it is small, else it is written to `target`. */
export async function sealFile(
  key: Uint8Array,
  file: EncodedFile,
  target: string,
): Promise<{ readonly path: string } | { readonly bytes: Uint8Array }> {
  const lines = new SealedLines(key, file);
  if (file.bytes <= HELD_BYTES) {
    const content = await readFile(file.path);
    const text = [lines.first];
    for (let at = 0; at < content.byteLength; at += PIECE_BYTES)
      text.push(lines.piece(content.subarray(at, at + PIECE_BYTES)));
    return { bytes: Buffer.from([...text, lines.last(), ''].join('\n')) };
  }
  const out = createWriteStream(target, { mode: 0o600 });
  const write = async (line: string): Promise<void> => {
    if (!out.write(`${line}\n`)) await once(out, 'drain');
  };
  try {
    await write(lines.first);
    for await (const piece of createReadStream(file.path, {
      highWaterMark: PIECE_BYTES,
    }) as AsyncIterable<Uint8Array>)
      await write(lines.piece(piece));
    await write(lines.last());
  } finally {
    out.end();
    await finished(out);
  }
  return { path: target };
}

/** The lines of a sealed file, in their order. */
class SealedLines {
  readonly first: string;
  readonly #cipher: CipherGCM;

  constructor(key: Uint8Array, { name, sha256, bytes }: EncodedFile) {
    const nonce = createHmac('sha256', key)
      .update(`${name}\n${sha256}`)
      .digest()
      .subarray(0, NONCE_BYTES);
    const head: Head = {
      sealed: 'aes-256-gcm',
      name,
      sha256,
      bytes,
      nonce: nonce.toString('base64'),
    };
    this.first = JSON.stringify(head);
    this.#cipher = createCipheriv('aes-256-gcm', key, nonce);
    this.#cipher.setAAD(Buffer.from(this.first));
  }

  piece(bytes: Uint8Array): string {
    return this.#cipher.update(bytes).toString('base64');
  }

  last(): string {
    this.#cipher.final();
    return JSON.stringify({ tag: this.#cipher.getAuthTag().toString('base64') });
  }
}

/**
 * The files that are sealed in one file, each opened into the folder when it is asked for. A folder
 * holds one at a time.
 *
 * @throws `STORE_CORRUPT` for what does not open with the key, or is no sealed file
 */
export async function* openSealed(
  key: Uint8Array,
  sealed: string,
  folder: string,
): AsyncGenerator<EncodedFile> {
  const lines = await linesOf(sealed);
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    if (line.value === '') continue;
    yield await openOne(key, line.value, lines, folder);
  }
}

type Lines = AsyncIterator<string> | Iterator<string>;

async function linesOf(sealed: string): Promise<Lines> {
  const { size } = await stat(sealed);
  if (size <= HELD_BYTES) return (await readFile(sealed, 'utf8')).split('\n')[Symbol.iterator]();
  return createInterface({ input: createReadStream(sealed), crlfDelay: Infinity })[
    Symbol.asyncIterator
  ]();
}

async function openOne(
  key: Uint8Array,
  first: string,
  lines: Lines,
  folder: string,
): Promise<EncodedFile> {
  const head = headOf(first);
  // The name was given by others: nothing is ever written under it.
  const target = path.join(folder, 'delivered');
  const { chunks, measured } = measuring(openedPieces(key, first, head, lines));
  if (head.bytes <= HELD_BYTES) {
    const pieces: Uint8Array[] = [];
    for await (const piece of chunks) pieces.push(piece);
    await writeFile(target, Buffer.concat(pieces), { mode: 0o600 });
  } else await pipeline(chunks, createWriteStream(target, { mode: 0o600 }));
  const { sha256, bytes } = measured();
  if (sha256 !== head.sha256) throw corrupt(head.name, 'it holds other bytes than its head says');
  return { name: head.name, path: target, sha256, bytes };
}

async function* openedPieces(
  key: Uint8Array,
  first: string,
  head: Head,
  lines: Lines,
): AsyncGenerator<Uint8Array> {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(head.nonce, 'base64'));
  decipher.setAAD(Buffer.from(first));
  try {
    for (let line = await lines.next(); ; line = await lines.next()) {
      if (line.done === true) throw corrupt(head.name, 'it ends too early');
      if (line.value.startsWith('{')) {
        decipher.setAuthTag(Buffer.from(tagOf(line.value), 'base64'));
        decipher.final();
        return;
      }
      yield decipher.update(Buffer.from(line.value, 'base64'));
    }
  } catch (error) {
    throw error instanceof PipelineError
      ? error
      : corrupt(head.name, 'it does not open with its key');
  }
}

function headOf(line: string): Head {
  try {
    const head = JSON.parse(line) as Partial<Head>;
    if (head.sealed === 'aes-256-gcm' && typeof head.name === 'string') return head as Head;
  } catch {
    // Refused below.
  }
  throw new PipelineError(
    'STORE_CORRUPT',
    'a raw file that should be sealed is not; import what it was made of again',
  );
}

function tagOf(line: string): string {
  return (JSON.parse(line) as { tag?: string }).tag ?? '';
}

function corrupt(name: string, why: string): PipelineError {
  return new PipelineError('STORE_CORRUPT', `the sealed ${name} cannot be opened: ${why}`);
}
