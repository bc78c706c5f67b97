import { SaxesParser } from 'saxes';
import type { SaxesTagPlain } from 'saxes';
import { causeOf, refusal } from '../decode/refusal.ts';
import type { Place } from '../decode/refusal.ts';
import type { DocumentShape, Shape, Tree, TreeObject } from './shape.ts';
import { isMany, TEXT } from './shape.ts';

/** One occurrence of a document, with what the document says of all of them. */
export interface DocumentRecord {
  /** From 1. */
  readonly occurrence: number;
  readonly head: TreeObject;
  readonly record: TreeObject;
}

type Members = Record<string, Tree>;

/** An open element that is read: its members, its text, and what it may hold. */
interface Frame {
  readonly name: string;
  readonly shape: Shape;
  readonly members: Members;
  text: string;
}

/** Every element inside an open element that is not read costs one number. */
interface State {
  depth: number;
  ignored: number;
  readonly open: Frame[];
  isInside: boolean;
  readonly head: Members;
  occurrences: number;
  readonly ready: DocumentRecord[];
}

/**
 * Reads an XML document in one pass, an occurrence at a time, whatever its size.
 *
 * @throws refusals `ill_formed` (with the line) and `unknown_root`
 */
export async function* readXml(
  chunks: AsyncIterable<Uint8Array>,
  shape: DocumentShape,
  place: Place,
): AsyncGenerator<DocumentRecord> {
  const state: State = { depth: 0, ignored: 0, open: [], isInside: false, head: {}, occurrences: 0, ready: [] };
  const parser = new SaxesParser({ position: true });
  listen(parser, state, shape, place);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) {
      parser.write(decoder.decode(chunk, { stream: true }));
      yield* state.ready.splice(0);
    }
    parser.write(decoder.decode());
    parser.close();
  } catch (error) {
    throw causeOf(error) === undefined && error instanceof Error ? illFormed(parser, place, error) : error;
  }
  yield* state.ready.splice(0);
}

function illFormed(parser: SaxesParser, place: Place, { message }: Error) {
  const reason = message.replace(/^\d+:\d+:\s*/, '').replace(/"[^"]*"|'[^']*'/g, '…');
  return refusal('ill_formed', place, `it is not well-formed XML in line ${parser.line} (${reason})`);
}

function listen(parser: SaxesParser, state: State, shape: DocumentShape, place: Place): void {
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('it declares a document type');
  });
  parser.on('opentag', (tag) => {
    openElement(state, shape, tag, place);
  });
  parser.on('closetag', () => {
    closeElement(state);
  });
  const addText = (text: string): void => {
    const frame = state.ignored === 0 ? state.open.at(-1) : undefined;
    if (frame !== undefined) frame.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
}

/** Prefixes of namespaces are left out. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function openElement(state: State, document: DocumentShape, tag: SaxesTagPlain, place: Place): void {
  const name = localName(tag.name);
  if (state.depth === 0 && !document.roots.includes(name)) {
    throw refusal('unknown_root', place, `its root is ${name.slice(0, 60)}, not ${document.roots.join(' or ')}`);
  }
  state.depth += 1;
  if (state.ignored > 0) {
    state.ignored += 1;
    return;
  }
  const shape = shapeOf(state, document, name);
  if (shape !== undefined) {
    state.open.push({ name, shape, members: attributesOf(tag, shape), text: '' });
  } else if (state.open.length > 0) state.ignored = 1;
}

/** What is read of an element; outside of everything that is read, undefined means "look inside". */
function shapeOf(state: State, document: DocumentShape, name: string): Shape | undefined {
  const parent = state.open.at(-1);
  if (parent !== undefined) {
    const members = isMany(parent.shape) ? parent.shape.many : parent.shape;
    return typeof members === 'object' && !isMany(members) && Object.hasOwn(members, name) ? members[name] : undefined;
  }
  if (name === document.each) {
    state.isInside = true;
    return document.occurrence;
  }
  return Object.hasOwn(document.head, name) ? document.head[name] : undefined;
}

function attributesOf({ attributes }: SaxesTagPlain, shape: Shape): Members {
  const inner = isMany(shape) ? shape.many : shape;
  const members: Members = {};
  // Not Object.entries: nearly no element has an attribute, and this is asked of each. The parser's object has no prototype.
  for (const name in attributes) {
    const key = `@${localName(name)}`;
    if (typeof inner === 'object' && key in inner) members[key] = (attributes[name] ?? '').trim();
  }
  return members;
}

function closeElement(state: State): void {
  state.depth -= 1;
  if (state.ignored > 0) {
    state.ignored -= 1;
    return;
  }
  const frame = state.open.pop();
  if (frame === undefined) return;
  const parent = state.open.at(-1);
  if (parent !== undefined) addMember(parent.members, frame);
  else if (state.isInside) finishOccurrence(state, frame);
  else addMember(state.head, frame);
}

function finishOccurrence(state: State, { members }: Frame): void {
  state.occurrences += 1;
  state.isInside = false;
  state.ready.push({ occurrence: state.occurrences, head: state.head, record: members });
}

/** Of elements that do not repeat in the shape, the first one counts. */
function addMember(members: Members, { name, shape, members: own, text }: Frame): void {
  const inner = isMany(shape) ? shape.many : shape;
  const value: Tree = inner === TEXT ? text.trim() : own;
  if (isMany(shape)) {
    const list = members[name] as Tree[] | undefined;
    if (list === undefined) members[name] = [value];
    else list.push(value);
  } else members[name] ??= value;
}
