import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { Engine } from '../engine.ts';

/**
 * Keys of raw files, one for each pipeline and month of delivery. They are random, and kept in the
 * document store under a key of the settings (`QUOTIDIEN_RAW_KEYS`), which is nowhere else. A key
 * that is destroyed takes its month's raw files with it: whatever copies of them there are, nobody
 * can read them any more.
 */

/** A row stays when its key is destroyed, with the instant in place of the key. */
export const DATA_KEY_TABLE = 'data-keys';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface WrappedKey {
  readonly master: string;
  readonly wrapped: string;
  readonly createdAt: string;
}

type DataKeyRecord = WrappedKey | { readonly destroyedAt: string };

type KeyStores = Pick<Engine, 'documents' | 'fallback' | 'rawKeys' | 'now'>;

/** The key of a month; makes it when there is none. */
export async function dataKey(
  engine: KeyStores,
  pipeline: string,
  month: string,
): Promise<Uint8Array> {
  const name = keyName(pipeline, month);
  const found = await engine.documents.get<DataKeyRecord>(name);
  if (found !== undefined) return unwrap(engine, name, found.body);
  const [master, secret] = mastersOf(engine).entries().next().value ?? missing();
  const key = randomBytes(KEY_BYTES);
  const body = { master, wrapped: wrap(secret, key, name), createdAt: engine.now().toISOString() };
  // Two hosts that each made a key while the store is away could not read each other's files: it is
  // made in the store itself, or not.
  const documents = engine.fallback?.primary.documents ?? engine.documents;
  try {
    await documents.put(name, body, { expectedVersion: 0 });
    return key;
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    return dataKey(engine, pipeline, month);
  }
}

/**
 * Destroys the key of a month for good. What was made of its raw files stays, and they cannot be
 * read again.
 */
export async function destroyDataKey(
  engine: KeyStores,
  pipeline: string,
  month: string,
): Promise<void> {
  await engine.documents.put(keyName(pipeline, month), { destroyedAt: engine.now().toISOString() });
}

/** The months of delivery that have a key. */
export async function dataKeyMonths(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
): Promise<string[]> {
  const months: string[] = [];
  for await (const { sort, body } of documents.query<DataKeyRecord>({
    table: DATA_KEY_TABLE,
    partition: pipeline,
  }))
    if (!('destroyedAt' in body)) months.push(sort);
  return months;
}

function keyName(pipeline: string, month: string): DocumentKey {
  return { table: DATA_KEY_TABLE, partition: pipeline, sort: month };
}

function mastersOf({ rawKeys }: Pick<Engine, 'rawKeys'>): ReadonlyMap<string, Uint8Array> {
  return rawKeys === undefined || rawKeys.size === 0 ? missing() : rawKeys;
}

function missing(): never {
  const next =
    'set QUOTIDIEN_RAW_KEYS to "id:" and 32 random bytes as Base64, such as those of "openssl rand -base64 32"';
  throw new PipelineError(
    'CONFIG_INVALID',
    `raw files with personal data are kept sealed, and there is no key: ${next}`,
  );
}

function unwrap(engine: KeyStores, name: DocumentKey, record: DataKeyRecord): Uint8Array {
  const { partition, sort } = name;
  if ('destroyedAt' in record) {
    const when = record.destroyedAt.slice(0, 10);
    throw new PipelineError(
      'SRC_AUTH',
      `the key of ${partition}'s raw files of ${sort} was destroyed on ${when}`,
    );
  }
  const master = mastersOf(engine).get(record.master);
  if (master === undefined) {
    const what = `the raw files of ${partition} of ${sort} are sealed under the key ${record.master}`;
    throw new PipelineError('CONFIG_INVALID', `${what}, which QUOTIDIEN_RAW_KEYS does not have`);
  }
  const wrapped = Buffer.from(record.wrapped, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(`${partition}/${sort}`));
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    const what = `the key ${record.master} of QUOTIDIEN_RAW_KEYS is not the one that sealed ${partition} of ${sort}`;
    throw new PipelineError('CONFIG_INVALID', what, { cause });
  }
}

function wrap(master: Uint8Array, key: Uint8Array, { partition, sort }: DocumentKey): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', master, nonce);
  cipher.setAAD(Buffer.from(`${partition}/${sort}`));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  );
}
