import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { PipelineError } from '../../errors.ts';
import type { EncodedFile } from '../../pipelines/dataset.ts';

/**
 * A file that is sealed with AES-256-GCM, as lines of text, so that several can stand in one file one after the other:
 *
 * | line | content |
 * |---|---|
 * | first | JSON: `sealed`, `name`, `sha256` and `bytes` of the file as delivered, `nonce` |
 * | then | the ciphertext as Base64 |
 * | last | JSON: `tag` |
 *
 * The nonce is made of the key, name and content: the same file sealed twice is the same bytes, and no two contents have one nonce.
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

/** Writes the sealed form of a file to `target`. */
export async function sealFile(key: Uint8Array, file: EncodedFile, target: string): Promise<void> {
  const { name, sha256, bytes } = file;
  const nonce = createHmac('sha256', key).update(`${name}\n${sha256}`).digest().subarray(0, NONCE_BYTES);
  const head: Head = { sealed: 'aes-256-gcm', name, sha256, bytes, nonce: nonce.toString('base64') };
  const first = JSON.stringify(head);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(first));
  const out = createWriteStream(target, { mode: 0o600 });
  const write = async (line: string): Promise<void> => {
    if (!out.write(`${line}\n`)) await once(out, 'drain');
  };
  try {
    await write(first);
    for await (const piece of createReadStream(file.path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>)
      await write(cipher.update(piece).toString('base64'));
    cipher.final();
    await write(JSON.stringify({ tag: cipher.getAuthTag().toString('base64') }));
  } finally {
    out.end();
    await finished(out);
  }
}

/**
 * The files that are sealed in one file, each opened into the folder when it is asked for. A folder holds one at a time.
 *
 * @throws `STORE_CORRUPT` for what does not open with the key, or is no sealed file
 */
export async function* openSealed(key: Uint8Array, sealed: string, folder: string): AsyncGenerator<EncodedFile> {
  const lines = createInterface({ input: createReadStream(sealed), crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    if (line.value === '') continue;
    yield await openOne(key, line.value, lines, folder);
  }
}

async function openOne(
  key: Uint8Array,
  first: string,
  lines: AsyncIterator<string>,
  folder: string,
): Promise<EncodedFile> {
  const head = headOf(first);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(head.nonce, 'base64'));
  decipher.setAAD(Buffer.from(first));
  // The name was given by others: nothing is ever written under it.
  const target = path.join(folder, 'delivered');
  const out = createWriteStream(target, { mode: 0o600 });
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for (let line = await lines.next(); ; line = await lines.next()) {
      if (line.done === true) throw corrupt(head.name, 'it ends too early');
      if (line.value.startsWith('{')) {
        decipher.setAuthTag(Buffer.from(tagOf(line.value), 'base64'));
        decipher.final();
        break;
      }
      const piece = decipher.update(Buffer.from(line.value, 'base64'));
      hash.update(piece);
      bytes += piece.byteLength;
      if (!out.write(piece)) await once(out, 'drain');
    }
  } catch (error) {
    throw error instanceof PipelineError ? error : corrupt(head.name, 'it does not open with its key');
  } finally {
    out.end();
    await finished(out);
  }
  if (hash.digest('hex') !== head.sha256) throw corrupt(head.name, 'it holds other bytes than its head says');
  return { name: head.name, path: target, sha256: head.sha256, bytes };
}

function headOf(line: string): Head {
  try {
    const head = JSON.parse(line) as Partial<Head>;
    if (head.sealed === 'aes-256-gcm' && typeof head.name === 'string') return head as Head;
  } catch {
    // Refused below.
  }
  throw new PipelineError('STORE_CORRUPT', 'a raw file that should be sealed is not; import what it was made of again');
}

function tagOf(line: string): string {
  return (JSON.parse(line) as { tag?: string }).tag ?? '';
}

function corrupt(name: string, why: string): PipelineError {
  return new PipelineError('STORE_CORRUPT', `the sealed ${name} cannot be opened: ${why}`);
}
