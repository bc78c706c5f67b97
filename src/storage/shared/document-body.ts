import { PipelineError } from '../../errors.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import { documentContext, documentName } from './document-key.ts';

const DEEPEST_PLAIN = 100;

/**
 * The text that is stored for a body: JSON, exact for every number a double holds except −0, which
 * becomes 0; members that are `undefined` are left out. `INPUT_INVALID` for what JSON would change
 * without a word: NaN and the infinities (it writes null), functions and symbols (left out),
 * bigints.
 */
export function encodeDocumentBody(key: DocumentKey, body: object): string {
  // Nearly every body: looking first costs a tenth of being asked about each member.
  if (isPlainJson(body)) return JSON.stringify(body);
  return JSON.stringify(body, (member: string, value: unknown) => {
    if (isJson(value)) return value;
    const what = typeof value === 'number' ? String(value) : `a ${typeof value}`;
    throw new PipelineError(
      'INPUT_INVALID',
      `the body of ${documentName(key)} holds ${what} in "${member}", which is not JSON`,
    );
  });
}

/** The body as it was stored; `STORE_CORRUPT` when the text is no JSON. */
export function decodeDocumentBody(key: DocumentKey, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PipelineError(
      'STORE_CORRUPT',
      `the stored body of ${documentName(key)} is not JSON: keep the database aside`,
      { cause: error, context: documentContext(key) },
    );
  }
}

/**
 * Whether the value is what its JSON says, member by member, so that it may stand for it. False for
 * all that needs a closer look: what JSON leaves out or changes, objects of a class, loops.
 */
function isPlainJson(value: unknown, depth = 1): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' || typeof value === 'boolean' || value === null;
  if (depth > DEEPEST_PLAIN) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    for (const member of value as unknown[]) if (!isPlainJson(member, depth + 1)) return false;
    return true;
  }
  if (prototype !== Object.prototype || 'toJSON' in value) return false;
  for (const name in value)
    if (!isPlainJson((value as Record<string, unknown>)[name], depth + 1)) return false;
  return true;
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'bigint' && typeof value !== 'function' && typeof value !== 'symbol';
}
