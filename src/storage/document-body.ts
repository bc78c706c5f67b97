import { PipelineError } from '../errors.ts';
import type { DocumentKey } from './ports.ts';
import { documentName } from './document-key.ts';

/**
 * The text that is stored for a body: JSON, exact for every number a double holds except −0, which becomes 0; members that are
 * `undefined` are left out. `INPUT_INVALID` for what JSON would change without a word: NaN and the infinities (it writes null),
 * functions and symbols (left out), bigints.
 */
export function encodeDocumentBody(key: DocumentKey, body: object): string {
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
      {
        cause: error,
      },
    );
  }
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'bigint' && typeof value !== 'function' && typeof value !== 'symbol';
}
