import { readFile } from 'node:fs/promises';
import { PipelineError } from '../../errors.ts';
import { readTextEnds } from './text-ends.ts';

/**
 * JSON answers of the live sources. A file may hold several documents one after the other: the
 * pages and hours of a day, which are merged; none of them replaces another.
 */

/** A month of hourly counts has 30 MB; what is far larger is not an answer of a publisher. */
const LARGEST_BYTES = 256 * 1024 * 1024;

/**
 * Every document of the file.
 * @throws `SRC_TRUNCATED` when the last document does not end, `SRC_SHAPE_CHANGED` for what is not
 * JSON.
 */
export async function readJsonDocuments(path: string, what: string): Promise<unknown[]> {
  const { bytes } = await readTextEnds(path, what);
  if (bytes > LARGEST_BYTES) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${what} has ${bytes} bytes, more than any answer of this publisher`,
    );
  }
  const text = (await readFile(path, 'utf8')).replace(/^\u{FEFF}/u, '');
  try {
    return [JSON.parse(text) as unknown];
  } catch {
    return documentTexts(text, what).map((document) => parse(document, what));
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${what} is not JSON (${why}): ${JSON.stringify(text.slice(0, 120))}`,
      {
        cause,
      },
    );
  }
}

/** The objects and arrays that follow each other at the top of a text. */
function documentTexts(text: string, what: string): string[] {
  const documents: string[] = [];
  let depth = 0;
  let start = 0;
  const structure = /"(?:[^"\\]|\\.)*"|[[{\]}]/gs;
  for (const match of text.matchAll(structure)) {
    const [token] = match;
    if (token.startsWith('"')) continue;
    const opens = token === '{' || token === '[';
    if (opens && depth === 0) start = match.index;
    depth += opens ? 1 : -1;
    if (depth === 0 && !opens) documents.push(text.slice(start, match.index + 1));
  }
  if (depth !== 0)
    throw new PipelineError(
      'SRC_TRUNCATED',
      `${what} ends inside a JSON document (${text.length} characters)`,
    );
  if (documents.length === 0) parse(text, what);
  return documents;
}

/** A JSON object whose members nobody has looked at yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** False for null and for lists. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as text: numbers as they print; anything else is null. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : null;
}

/** The member as a finite number, also when it was published as text; null where there is none. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
