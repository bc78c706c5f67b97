import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.ts';

/**
 * The sha256 of a body's JSON with its members in order of their names: stores may give members
 * back in another order. Members that are `undefined` do not count, and −0 is 0, as in every stored
 * body.
 */
export function hashOfBody(body: object): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}
