import { createHash, randomBytes } from 'node:crypto';
import type { Grant, Role } from '../../config/role-rules.ts';
import { errorCodeOf, PipelineError } from '../../errors.ts';
import { definedMembers } from '../../given.ts';
import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import type { Caller } from './callers.ts';

/**
 * Sessions of people in a browser, and the one-time links that begin them. Invariants:
 * 1. A link and a session are known by the SHA-256 of their secret; the secret itself is kept
 *    nowhere.
 * 2. A link begins one session, also when two ask with it at once: its use is one conditional
 *    write.
 * 3. A session begins with a secret that the server chose then: none that a browser had before
 *    becomes one.
 */

/** Sessions and links, by the hash of their secret; both end by themselves. */
export const SESSION_TABLE = 'api-sessions';

/** What each role may do, as scopes of keys. */
const SCOPES_OF: Readonly<Record<Role, readonly string[]>> = {
  reader: ['ops:read', 'data:read'],
  operator: ['ops:write', 'ops:read', 'data:read'],
  admin: ['admin', 'ops:write', 'ops:read', 'data:read'],
};

const LINK_MS = 10 * 60_000;
const SESSION_MS = 12 * 3_600_000;
const IDLE_MS = 3_600_000;
/** A session in use is written down again no more often than this. */
const SEEN_EVERY_MS = 5 * 60_000;
const SECRET_BYTES = 32;
const FORM = /^[A-Za-z0-9_-]{43}$/;

/** Who signs in, and as what. */
export interface Person {
  /** As it is kept with what they do, such as `alice@host`. */
  readonly name: string;
  /** The highest of the grants. */
  readonly role: Role;
  /** Absent: the role everywhere. */
  readonly grants?: readonly Grant[];
}

/** How a session is judged that an issuer's word began. */
export interface SessionTerms {
  /**
   * What the rules were by which the person got the role (`rulesHash`); the session counts under
   * the same alone.
   */
  readonly rules?: string;
  /** How long it lasts whatever is done; twelve hours unless told otherwise. */
  readonly lifeMs?: number;
}

interface LinkRecord extends Person {
  /** ISO instants. */
  readonly expiresAt: string;
  readonly usedAt: string | null;
}

/** What is kept of a session; all instants are ISO. */
export interface SessionRecord extends Person {
  readonly createdAt: string;
  /** When it ends, whatever is done. */
  readonly expiresAt: string;
  /** Of the last request, to within a few minutes; an hour later the session ends. */
  readonly seenAt: string;
  /** Of a session that an issuer's word began; by a link there is none. */
  readonly rules?: string;
}

function placeOf(partition: 'links' | 'sessions', secret: string): DocumentKey {
  return {
    table: SESSION_TABLE,
    partition,
    sort: createHash('sha256').update(secret).digest('hex'),
  };
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function later(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}

/** The secret of a link that is good once, for ten minutes; what has ended is removed first. */
export async function createLink(
  documents: DocumentStore,
  person: Person,
  now: Date,
): Promise<string> {
  await removeEnded(documents, now);
  const secret = newSecret();
  const record: LinkRecord = { ...person, expiresAt: later(now, LINK_MS), usedAt: null };
  await documents.put(placeOf('links', secret), record, { expectedVersion: 0 });
  return secret;
}

/**
 * Uses a link up and returns who may begin a session by it; `AUTH_REQUIRED` when it is not good, or
 * not any more.
 */
export async function takeLink(
  documents: DocumentStore,
  secret: string,
  now: Date,
): Promise<Person> {
  const place = placeOf('links', secret);
  const found = FORM.test(secret) ? await documents.get<LinkRecord>(place) : undefined;
  if (found === undefined)
    throw new PipelineError('AUTH_REQUIRED', 'the link is none of this server');
  const { name, role, expiresAt, usedAt } = found.body;
  const at = now.toISOString();
  if (usedAt !== null)
    throw new PipelineError('AUTH_REQUIRED', 'the link was used already: it is good once');
  if (expiresAt <= at)
    throw new PipelineError('AUTH_REQUIRED', 'the link is too old: it is good for ten minutes');
  try {
    await documents.put(place, { ...found.body, usedAt: at }, { expectedVersion: found.version });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    throw new PipelineError('AUTH_REQUIRED', 'the link was used already: it is good once', {
      cause: error,
    });
  }
  return { name, role };
}

/**
 * A session of its own for somebody who has shown who they are; returns its secret. What has ended
 * is removed.
 */
export async function beginSession(
  documents: DocumentStore,
  { name, role, grants }: Person,
  now: Date,
  { rules, lifeMs = SESSION_MS }: SessionTerms = {},
): Promise<string> {
  await removeEnded(documents, now);
  const secret = newSecret();
  const at = now.toISOString();
  const expiresAt = later(now, lifeMs);
  const more = definedMembers({ grants, rules });
  const record: SessionRecord = { name, role, createdAt: at, expiresAt, seenAt: at, ...more };
  await documents.put(placeOf('sessions', secret), record, { expectedVersion: 0 });
  return secret;
}

/**
 * Who has this session; undefined when it has ended or never was, which is no error: reading may be
 * open to all. One that an issuer's word began has ended when the rules are not those of the server
 * (`rules`) any more.
 */
export async function callerOfSession(
  documents: DocumentStore,
  secret: string,
  now: Date,
  rules?: string,
): Promise<Caller | undefined> {
  if (!FORM.test(secret)) return undefined;
  const place = placeOf('sessions', secret);
  const found = await documents.get<SessionRecord>(place);
  if (found === undefined || hasEnded(found.body, now)) return undefined;
  const { name, role, grants = [{ role }], seenAt, rules: begunUnder } = found.body;
  if (begunUnder !== undefined && begunUnder !== rules) return undefined;
  if (now.getTime() - Date.parse(seenAt) >= SEEN_EVERY_MS)
    await keepSeen(documents, { ...found.body, seenAt: now.toISOString() }, place, found.version);
  return { name, scopes: scopesOf(grants), anonymous: false, role };
}

function scopesOf(grants: readonly Grant[]): string[] {
  return grants.flatMap(({ role, pipeline }) =>
    SCOPES_OF[role].map((scope) => (pipeline === undefined ? scope : `${scope}:${pipeline}`)),
  );
}

/** Two requests at once write it down once, and a session that was just ended stays so. */
async function keepSeen(
  documents: DocumentStore,
  record: SessionRecord,
  place: DocumentKey,
  version: number,
): Promise<void> {
  try {
    await documents.put(place, record, { expectedVersion: version });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  }
}

/**
 * Ends a session at every server; one that is not there is no error. Returns whether an issuer's
 * word began it.
 */
export async function endSession(documents: DocumentStore, secret: string): Promise<boolean> {
  if (!FORM.test(secret)) return false;
  const place = placeOf('sessions', secret);
  const found = await documents.get<SessionRecord>(place);
  await documents.delete(place);
  return found?.body.rules !== undefined;
}

/** Of everybody who is signed in now, in no order. */
export async function listSessions(documents: DocumentStore, now: Date): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  const sessions = documents.query<SessionRecord>({ table: SESSION_TABLE, partition: 'sessions' });
  for await (const { body } of sessions) if (!hasEnded(body, now)) found.push(body);
  return found;
}

/**
 * Ends every session of a person, and takes back their links; at every server with its next
 * request. Returns how many there were.
 */
export async function endSessionsOf(documents: DocumentStore, name: string): Promise<number> {
  const places: DocumentKey[] = [];
  for (const partition of ['sessions', 'links'])
    for await (const { body, table, sort } of documents.query<Person>({
      table: SESSION_TABLE,
      partition,
    }))
      if (body.name === name) places.push({ table, partition, sort });
  for (const place of places) await documents.delete(place);
  return places.length;
}

function hasEnded({ expiresAt, seenAt }: SessionRecord, now: Date): boolean {
  return expiresAt <= now.toISOString() || now.getTime() - Date.parse(seenAt) >= IDLE_MS;
}

async function removeEnded(documents: DocumentStore, now: Date): Promise<void> {
  const ended: DocumentKey[] = [];
  const at = now.toISOString();
  const links = documents.query<LinkRecord>({ table: SESSION_TABLE, partition: 'links' });
  for await (const { body, ...place } of links) if (body.expiresAt <= at) ended.push(place);
  const sessions = documents.query<SessionRecord>({ table: SESSION_TABLE, partition: 'sessions' });
  for await (const { body, ...place } of sessions) if (hasEnded(body, now)) ended.push(place);
  for (const { table, partition, sort } of ended)
    await documents.delete({ table, partition, sort });
}
