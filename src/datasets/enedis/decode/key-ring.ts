import { PipelineError } from '../../kit/index.ts';

/** An AES key of the distributor. */
export interface ArchiveKey {
  /** What the key is called in messages; never a part of the key itself. */
  readonly label: string;
  /** 16 or 32 bytes. */
  readonly key: Uint8Array;
  /**
   * Of a 16-byte key: the 16 bytes that every file begins from. With a 32-byte key they stand in
   * front of each file.
   */
  readonly iv?: Uint8Array;
}

const ENTRY = /^(?<label>[\w.-]+)\s*[=:]\s*(?<key>[0-9a-f]+)(?:\s*[:,\s]\s*(?<iv>[0-9a-f]+))?$/i;
const SHORT_KEY_BYTES = 16;
const LONG_KEY_BYTES = 32;
const IV_BYTES = 16;

/**
 * Reads a key file: one key a line, `label: <key in hex>` for a key of 32 bytes, `label: <key>
 * <iv>` for one of 16; `#` begins a comment.
 *
 * @throws `CONFIG_INVALID` naming the line, never its content
 */
export function parseKeyRing(text: string): ArchiveKey[] {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.replace(/#.*/, '').trim(), number: index + 1 }));
  const ring = lines
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => parseEntry(line, number));
  const labels = ring.map(({ label }) => label);
  const doubled = labels.find((label, index) => labels.indexOf(label) !== index);
  if (doubled !== undefined)
    throw new PipelineError('CONFIG_INVALID', `the key file names ${doubled} twice`);
  return ring;
}

function parseEntry(line: string, number: number): ArchiveKey {
  const { label, key = '', iv } = ENTRY.exec(line)?.groups ?? {};
  const problem =
    label === undefined ? 'is not "label: key" or "label: key iv" in hex' : entryProblem(key, iv);
  if (label === undefined || problem !== undefined) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `line ${number} of the key file ${problem ?? 'cannot be read'}`,
    );
  }
  const known = { label, key: Buffer.from(key, 'hex') };
  return iv === undefined ? known : { ...known, iv: Buffer.from(iv, 'hex') };
}

function entryProblem(key: string, iv: string | undefined): string | undefined {
  const bytes = key.length / 2;
  if (bytes !== SHORT_KEY_BYTES && bytes !== LONG_KEY_BYTES)
    return `has a key of ${bytes} bytes, not 16 or 32`;
  if (bytes === SHORT_KEY_BYTES && iv === undefined) return 'has a key of 16 bytes without its iv';
  if (bytes === LONG_KEY_BYTES && iv !== undefined)
    return 'has an iv beside a key of 32 bytes, whose files carry theirs';
  return iv === undefined || iv.length / 2 === IV_BYTES
    ? undefined
    : `has an iv of ${iv.length / 2} bytes, not 16`;
}
