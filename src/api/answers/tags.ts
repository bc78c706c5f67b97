import type { FastifyReply, FastifyRequest } from 'fastify';
import { canonicalJson, sha256Hex } from '../../canonical-json.ts';
import type { JsonValue } from '../../ports/json.ts';

/**
 * Strong entity tags from hashes of content: equal tags, equal bytes. What stands in a tag is known
 * before any row is read, so that an unchanged answer costs no SQL.
 */
export function tagOf(parts: readonly JsonValue[]): string {
  return `"${sha256Hex(canonicalJson(parts)).slice(0, 40)}"`;
}

/**
 * Whether the caller has it already; then the answer is sent. `-gzip` and the like are the same
 * content in another coding.
 */
export function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag);
  const given = request.headers['if-none-match'];
  if (given === undefined) return false;
  const tags = given.split(',').map((one) => one.trim().replace(/^W\//, ''));
  const stem = tag.slice(0, -1);
  const found = tags.find(
    (one) => one === '*' || one === tag || (one.startsWith(`${stem}-`) && one.endsWith('"')),
  );
  if (found === undefined) return false;
  if (found !== '*') reply.header('etag', found);
  reply.code(304);
  return true;
}

/** `Repr-Digest` (RFC 9530) of bytes that are sent as they are. */
export function digestOf(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}
