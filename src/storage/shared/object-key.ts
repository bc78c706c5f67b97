import { required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { isWellFormed } from './byte-order.ts';

/**
 * The most bytes of a whole key; the smallest limit among the stores is 1,024, of which an adapter
 * may need a few.
 */
export const MAX_KEY_BYTES = 1_000;

/** The most bytes of one part, because on a file system it is the name of a file. */
const MAX_KEY_PART_BYTES = 255;

/**
 * The folder in which adapters on a file system stage what is not yet visible; no key may begin
 * with it, in any adapter.
 */
export const STAGING_PART = '.incoming';

/**
 * The folder in which a store on a file system keeps what it packs texts with; no key may begin
 * with it either.
 */
export const DICTIONARIES_PART = '.dictionaries';

/** What no key may begin with, in any adapter. */
export const RESERVED_PARTS: ReadonlySet<string> = new Set([STAGING_PART, DICTIONARIES_PART]);

/** Refuses a key that not every adapter can hold, with `INPUT_INVALID` and the offending part. */
export function checkObjectKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES)
    throw invalid(key, `it has ${bytes} bytes, more than ${MAX_KEY_BYTES}`);
  const parts = key.split('/');
  for (const part of parts) checkPart(key, part);
  checkFirst(key, parts[0]);
}

/**
 * Refuses a prefix that no key can start with. The folders of a prefix obey the rules of a key;
 * what follows the last `/` may be any beginning of a part, or empty.
 */
export function checkObjectPrefix(prefix: string): void {
  const parts = prefix.split('/');
  const beginning = required(parts.pop(), 'the last part of a prefix');
  for (const part of parts) checkPart(prefix, part);
  checkFirst(prefix, parts[0]);
  checkCharacters(prefix, beginning);
}

/** Whether a name found on disk can be part of a key; foreign files that cannot are not objects. */
export function isKeyPart(name: string): boolean {
  return partProblem(name) === undefined;
}

function checkFirst(key: string, first = ''): void {
  if (RESERVED_PARTS.has(first)) throw invalid(key, `its first part "${first}" is reserved`);
}

function checkPart(key: string, part: string): void {
  const problem = partProblem(part);
  if (problem !== undefined) throw invalid(key, problem);
}

function partProblem(part: string): string | undefined {
  if (part === '') return 'a part is empty';
  if (part === '.' || part === '..') return `the part "${part}" is not a name`;
  const bytes = Buffer.byteLength(part);
  if (bytes > MAX_KEY_PART_BYTES) {
    return `the part "${part.slice(0, 40)}…" has ${bytes} bytes, more than ${MAX_KEY_PART_BYTES}`;
  }
  return characterProblem(part);
}

function checkCharacters(key: string, part: string): void {
  const problem = characterProblem(part);
  if (problem !== undefined) throw invalid(key, problem);
}

function characterProblem(part: string): string | undefined {
  const shown = JSON.stringify(part);
  if (part.includes('\\')) return `the part ${shown} holds a backslash`;
  if (part.includes('\0')) return `the part ${shown} holds a NUL character`;
  return isWellFormed(part) ? undefined : `the part ${shown} is not well-formed Unicode`;
}

function invalid(key: string, problem: string): PipelineError {
  const shown = JSON.stringify(key.length > 200 ? `${key.slice(0, 200)}…` : key);
  return new PipelineError('INPUT_INVALID', `the object key ${shown} is not usable: ${problem}`);
}

/**
 * The ending of the last part of a key with its dot, `.json`; empty for none, or for one that is
 * too long to be one.
 */
export function endingOf(key: string): string {
  const [ending = ''] = /\.[A-Za-z0-9]{1,16}$/.exec(key) ?? [];
  return ending;
}
