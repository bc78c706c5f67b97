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

/** A shape as it is looked up, element by element. */
interface Node {
  readonly isMany: boolean;
  /** Its text is read, and nothing in it. */
  readonly isText: boolean;
  readonly inner: ReadonlyMap<string, Node>;
}

function nodeOf(shape: Shape): Node {
  const own = isMany(shape) ? shape.many : shape;
  if (own === TEXT || isMany(own)) return { isMany: isMany(shape), isText: own === TEXT, inner: new Map() };
  return { isMany: isMany(shape), isText: false, inner: nodesOf(own) };
}

function nodesOf(shapes: Readonly<Record<string, Shape>>): Map<string, Node> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, nodeOf(shape)]));
}

/** An open element that is read: its members, its text, and what it may hold. */
interface Frame {
  readonly name: string;
  readonly node: Node;
  readonly members: Members;
  text: string;
}

/** Every element inside an open element that is not read costs one number. */
interface State {
  readonly roots: readonly string[];
  /** What is read outside of occurrences. */
  readonly outside: ReadonlyMap<string, Node>;
  readonly each: string;
  depth: number;
  ignored: number;
  readonly open: Frame[];
  isInside: boolean;
  readonly head: Members;
  occurrences: number;
  readonly ready: DocumentRecord[];
}

/**
 * Reads an XML document in one pass, whatever its size: the occurrences of each chunk together.
 *
 * @throws refusals `ill_formed` (with the line) and `unknown_root`
 */
export async function* readXml(
  chunks: AsyncIterable<Uint8Array>,
  shape: DocumentShape,
  place: Place,
): AsyncGenerator<readonly DocumentRecord[]> {
  const { roots, each } = shape;
  const outside = nodesOf({ ...shape.head, [each]: shape.occurrence });
  const counts = { depth: 0, ignored: 0, occurrences: 0 };
  const state: State = { roots, outside, each, ...counts, open: [], isInside: false, head: {}, ready: [] };
  const parser = new SaxesParser({ position: true });
  listen(parser, state, place);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) {
      parser.write(decoder.decode(chunk, { stream: true }));
      if (state.ready.length > 0) yield state.ready.splice(0);
    }
    parser.write(decoder.decode());
    parser.close();
  } catch (error) {
    throw causeOf(error) === undefined && error instanceof Error ? illFormed(parser, place, error) : error;
  }
  if (state.ready.length > 0) yield state.ready.splice(0);
}

function illFormed(parser: SaxesParser, place: Place, { message }: Error) {
  const reason = message.replace(/^\d+:\d+:\s*/, '').replace(/"[^"]*"|'[^']*'/g, '…');
  return refusal('ill_formed', place, `it is not well-formed XML in line ${parser.line} (${reason})`);
}

function listen(parser: SaxesParser, state: State, place: Place): void {
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('it declares a document type');
  });
  parser.on('opentag', (tag) => {
    openElement(state, tag, place);
  });
  parser.on('closetag', () => {
    closeElement(state);
  });
  const addText = (text: string): void => {
    const frame = state.ignored === 0 ? state.open.at(-1) : undefined;
    if (frame?.node.isText === true) frame.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
}

/** Prefixes of namespaces are left out. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function openElement(state: State, tag: SaxesTagPlain, place: Place): void {
  const name = localName(tag.name);
  if (state.depth === 0 && !state.roots.includes(name)) {
    throw refusal('unknown_root', place, `its root is ${name.slice(0, 60)}, not ${state.roots.join(' or ')}`);
  }
  state.depth += 1;
  if (state.ignored > 0) {
    state.ignored += 1;
    return;
  }
  // Outside of everything that is read, an unknown element is looked into.
  const parent = state.open.at(-1);
  const node = (parent?.node.inner ?? state.outside).get(name);
  if (node === undefined) {
    if (parent !== undefined) state.ignored = 1;
    return;
  }
  if (parent === undefined && name === state.each) state.isInside = true;
  state.open.push({ name, node, members: attributesOf(tag, node), text: '' });
}

function attributesOf({ attributes }: SaxesTagPlain, { inner }: Node): Members {
  const members: Members = {};
  // Not Object.entries: nearly no element has an attribute, and this is asked of each. The parser's object has no prototype.
  for (const name in attributes) {
    const key = `@${localName(name)}`;
    if (inner.has(key)) members[key] = (attributes[name] ?? '').trim();
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
function addMember(members: Members, { name, node, members: own, text }: Frame): void {
  const value: Tree = node.isText ? text.trim() : own;
  if (node.isMany) {
    const list = members[name] as Tree[] | undefined;
    if (list === undefined) members[name] = [value];
    else list.push(value);
  } else members[name] ??= value;
}
