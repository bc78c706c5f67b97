import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { PipelineError } from '../../errors.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { SCOPES } from './callers.ts';
import type { Caller, ScopeName } from './callers.ts';

/**
 * Keys of programs: `qtd_<id>_<256 random bits>_<checksum>`. The store has the SHA-256 of the
 * secret alone; the checksum tells a mistyped or truncated key from a wrong one without the store,
 * and lets scanners of leaked secrets recognise ours. Keys that an earlier system made keep their
 * form, and are known by their hash.
 */

/** Keys by id, also those that have ended. */
export const KEY_TABLE = 'api-keys';
const PARTITION = 'keys';
const MAX_DAYS = 365;
const DAY_MS = 86_400_000;
const SECRET_BYTES = 32;
const ID_BYTES = 6;
const CHECK_LENGTH = 8;
const FORM = /^qtd_([0-9a-f]{12})_([A-Za-z0-9_-]{43})_([0-9a-f]{8})$/;

/** What is kept of a key; its text cannot be got from it. */
export interface KeyRecord {
  readonly id: string;
  /** Whose it is. */
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly sha256: string;
  /** ISO instants. */
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly by: string;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function checkOf(stem: string): string {
  return hashOf(stem).slice(0, CHECK_LENGTH);
}

/** `days` from 1 to 365; `INPUT_INVALID` otherwise. */
export interface NewKey {
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly days: number;
  readonly by: string;
}

/** Makes a key; its text is given once and kept nowhere. */
export async function createKey(
  documents: DocumentStore,
  wanted: NewKey,
  now: Date,
): Promise<{ readonly key: string; readonly record: KeyRecord }> {
  checkWanted(wanted);
  const id = randomBytes(ID_BYTES).toString('hex');
  const stem = `qtd_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const key = `${stem}_${checkOf(stem)}`;
  const record = recordOf(id, hashOf(key), wanted, now);
  await documents.put(placeOf(id), record, { expectedVersion: 0 });
  return { key, record };
}

/** A key that was made elsewhere, of which only the hash may be known. */
export interface ForeignKey extends NewKey {
  /** Of the whole text of the key, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Takes in a key of an earlier system, so that its programs go on as they are; undefined where it
 * is here already, whatever became of it.
 */
export async function takeKey(
  documents: DocumentStore,
  { sha256, ...wanted }: ForeignKey,
  now: Date,
): Promise<KeyRecord | undefined> {
  checkWanted(wanted);
  const record = recordOf(foreignId(sha256), sha256, wanted, now);
  if ((await documents.get(placeOf(record.id))) !== undefined) return undefined;
  await documents.put(placeOf(record.id), record, { expectedVersion: 0 });
  return record;
}

/** A key that is not of our form is found by its hash. */
function foreignId(sha256: string): string {
  return sha256.slice(0, 2 * ID_BYTES);
}

function recordOf(
  id: string,
  sha256: string,
  { owner, scopes, days, by }: NewKey,
  now: Date,
): KeyRecord {
  const expiresAt = new Date(now.getTime() + days * DAY_MS).toISOString();
  return {
    id,
    owner,
    scopes,
    sha256,
    createdAt: now.toISOString(),
    expiresAt,
    revokedAt: null,
    by,
  };
}

function checkWanted({ scopes, days }: NewKey): void {
  for (const scope of scopes) checkScope(scope);
  if (scopes.length === 0)
    throw new PipelineError('INPUT_INVALID', 'a key needs a scope, such as data:read');
  if (!(days >= 1 && days <= MAX_DAYS))
    throw new PipelineError(
      'INPUT_INVALID',
      `a key is good for 1 to ${MAX_DAYS} days, not ${days}`,
    );
}

function checkScope(scope: string): void {
  const known = SCOPES.find((name) => scope === name || scope.startsWith(`${name}:`));
  if (known === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `${scope} is no scope; there are ${SCOPES.join(', ')}`,
    );
}

function placeOf(id: string) {
  return { table: KEY_TABLE, partition: PARTITION, sort: id };
}

/** In the order of their ids, also those that have ended. */
export async function listKeys(documents: DocumentStore): Promise<KeyRecord[]> {
  const keys: KeyRecord[] = [];
  for await (const { body } of documents.query<KeyRecord>({
    table: KEY_TABLE,
    partition: PARTITION,
  }))
    keys.push(body);
  return keys;
}

/** The key is good no longer than until this instant; `NOT_FOUND` when there is none of the id. */
export async function endKey(documents: DocumentStore, id: string, at: Date): Promise<KeyRecord> {
  const found = await documents.get<KeyRecord>(placeOf(id));
  if (found === undefined) throw new PipelineError('NOT_FOUND', `there is no key ${id}`);
  const ended = at.toISOString();
  const record = { ...found.body, revokedAt: found.body.revokedAt ?? ended };
  if (ended < record.revokedAt) record.revokedAt = ended;
  await documents.put(placeOf(id), record, { expectedVersion: found.version });
  return record;
}

/**
 * Who sends a key; `AUTH_REQUIRED` says why it is not good, and nothing about which part was right.
 */
export async function callerOfKey(
  documents: DocumentStore,
  key: string,
  now: Date,
): Promise<Caller> {
  const id = idOf(key);
  const found = (await documents.get<KeyRecord>(placeOf(id)))?.body;
  const given = Buffer.from(hashOf(key));
  if (found === undefined || !timingSafeEqual(given, Buffer.from(found.sha256)))
    throw new PipelineError('AUTH_REQUIRED', 'the key is none of this server');
  const at = now.toISOString();
  if (found.revokedAt !== null && found.revokedAt <= at)
    throw new PipelineError('AUTH_REQUIRED', `the key was revoked at ${found.revokedAt}`);
  if (found.expiresAt <= at)
    throw new PipelineError('AUTH_REQUIRED', `the key expired at ${found.expiresAt}`);
  return {
    name: `key:${id}`,
    owner: found.owner,
    scopes: impliedScopes(found.scopes),
    anonymous: false,
  };
}

function idOf(key: string): string {
  if (!key.startsWith('qtd_')) return foreignId(hashOf(key));
  const [, id, , check] = FORM.exec(key) ?? [];
  if (id === undefined || check !== checkOf(key.slice(0, -(CHECK_LENGTH + 1))))
    throw new PipelineError('AUTH_REQUIRED', 'the key is not complete: its checksum is another');
  return id;
}

/** What each scope holds besides itself. */
const IMPLIED: Readonly<Record<ScopeName, readonly ScopeName[]>> = {
  admin: ['ops:write', 'ops:read', 'data:read'],
  'ops:write': ['ops:read', 'data:read'],
  'ops:read': ['data:read'],
  'data:read': [],
};

/** Who may change may look: everywhere, or at the one pipeline that the scope names. */
function impliedScopes(scopes: readonly string[]): string[] {
  const implied = scopes.flatMap((scope) => {
    const name = SCOPES.find((known) => scope === known || scope.startsWith(`${known}:`));
    return name === undefined ? [] : IMPLIED[name].map((other) => other + scope.slice(name.length));
  });
  return [...new Set([...scopes, ...implied])];
}
