import { createCipheriv } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';

/**
 * Archives as the distributor sends them, made by us: a small writer of zips, and both ways to seal
 * them.
 */

/** An AES key of the distributor. */
export interface SealingKey {
  /** What the key is called in messages; never a part of the key itself. */
  readonly label: string;
  /** 16 or 32 bytes. */
  readonly key: Uint8Array;
  /**
   * Of a 16-byte key: the 16 bytes that every file begins from. With 32 bytes they stand in front
   * of each file.
   */
  readonly iv?: Uint8Array;
}

/** AES-128, sealed with one IV for all files. */
export const KEY_16: SealingKey = {
  label: '2024',
  key: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  iv: Buffer.from('ffeeddccbbaa99887766554433221100', 'hex'),
};
/** AES-256; each file begins with an IV of its own. */
export const KEY_32: SealingKey = { label: '2026', key: Buffer.alloc(32, 7) };
/** A key that nobody told the reader. */
export const OTHER_KEY: SealingKey = { label: 'other', key: Buffer.alloc(32, 9) };

/** Keys as the settings have them. */
export function keysText(ring: readonly SealingKey[]): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return ring
    .map(({ label, key, iv }) => `${label}: ${hex(key)}${iv === undefined ? '' : ` ${hex(iv)}`}`)
    .join(', ');
}

/** A file of an archive, with lies about it where a test wants them. */
export interface ZipEntry {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** What the directory claims, where it lies. */
  readonly claims?: {
    readonly crc?: number;
    readonly bytes?: number;
    readonly attributes?: number;
    readonly flags?: number;
  };
}

/** A zip of these files. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, claims = {} } of entries) {
    const plain = Buffer.from(content);
    const packed = deflateRawSync(plain);
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((claims.flags ?? 0) | 0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(claims.crc ?? crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claims.bytes ?? plain.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, title, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(claims.attributes ?? 0, 6);
    tail.writeUInt32LE(offset, 10);
    // "Made by" Unix, so that the attributes are read as those of Unix.
    directory.push(Buffer.concat([Buffer.from('504b01021403', 'hex'), common, tail, title]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

/** Seals bytes as the distributor does with this key. */
export function seal(
  bytes: Uint8Array,
  { key, iv }: SealingKey,
  own: Uint8Array = Buffer.alloc(16, 3),
): Buffer {
  const cipher = createCipheriv(iv === undefined ? 'aes-256-cbc' : 'aes-128-cbc', key, iv ?? own);
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return iv === undefined ? Buffer.concat([own, sealed]) : sealed;
}
