import { JSONParser } from '@streamparser/json';
import { refusal } from '../decode/refusal.ts';
import type { Place } from '../decode/refusal.ts';
import type { DocumentRecord } from './document-tree.ts';
import type { Shape, Tree, TreeObject } from './shape.ts';
import { isMany, TEXT } from './shape.ts';
import { textBefore } from '../../kit/index.ts';

/** The members of a JSON document of on-demand data: `header` once, `mesures` one by one. */
export interface JsonShape {
  readonly header: Readonly<Record<string, Shape>>;
  readonly measure: Readonly<Record<string, Shape>>;
}

/**
 * Reads a JSON document in one pass, the measures of each chunk together. Numbers stay the text
 * that they are written as: ids beyond 2^53 keep every digit. The header may come after the
 * measures; each then has what was known when it ended.
 *
 * @throws refusals `ill_formed`, and `unknown_root` for a document without `header` or `mesures`
 */
export async function* readJson(
  chunks: AsyncIterable<Uint8Array>,
  shape: JsonShape,
  place: Place,
): AsyncGenerator<readonly DocumentRecord[]> {
  const found: { header?: TreeObject; measures: number; hasMeasures: boolean } = {
    measures: 0,
    hasMeasures: false,
  };
  const ready: { occurrence: number; record: TreeObject }[] = [];
  const parser = new JSONParser({
    paths: ['$.header', '$.mesures', '$.mesures.*'],
    keepStack: false,
  });
  keepNumbersAsText(parser);
  parser.onValue = ({ value, key, stack }) => {
    if (stack.length === 1 && key === 'header')
      found.header = pick(value, shape.header) as TreeObject;
    else if (stack.length === 1) found.hasMeasures = Array.isArray(value);
    else {
      found.measures += 1;
      ready.push({ occurrence: found.measures, record: pick(value, shape.measure) as TreeObject });
    }
  };
  try {
    for await (const chunk of chunks) {
      parser.write(chunk);
      if (found.header !== undefined && ready.length > 0)
        yield withHead(ready.splice(0), found.header);
    }
    if (!parser.isEnded) throw new Error('it ends too early');
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'PipelineError') throw error;
    throw refusal(
      'ill_formed',
      place,
      `it is not well-formed JSON (${textBefore(error.message, '\n').slice(0, 120)})`,
    );
  }
  if (found.header === undefined || !found.hasMeasures)
    throw refusal('unknown_root', place, 'it has no "header" with "mesures"');
  if (ready.length > 0) yield withHead(ready, found.header);
}

function withHead(
  records: readonly { occurrence: number; record: TreeObject }[],
  head: TreeObject,
): readonly DocumentRecord[] {
  return records.map((record) => ({ ...record, head }));
}

/** The tokenizer's place to parse numbers in; its result is passed on as it is. */
function keepNumbersAsText(parser: JSONParser): void {
  const { tokenizer } = parser as unknown as {
    tokenizer: { parseNumber: (text: string) => unknown };
  };
  tokenizer.parseNumber = (text) => text;
}

/** The members that a shape names; numbers and booleans as text, null as absent. */
function pick(value: unknown, shape: Shape): Tree | undefined {
  if (isMany(shape)) {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item) => {
      const picked = pick(item, shape.many);
      return picked === undefined ? [] : [picked];
    });
  }
  if (shape === TEXT)
    return typeof value === 'string'
      ? value
      : typeof value === 'boolean'
        ? String(value)
        : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const members: Record<string, Tree> = {};
  for (const [name, inner] of Object.entries(shape)) {
    const picked = pick((value as Record<string, unknown>)[name], inner);
    if (picked !== undefined) members[name] = picked;
  }
  return members;
}
