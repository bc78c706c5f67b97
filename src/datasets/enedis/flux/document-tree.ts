import { refusal } from '../decode/refusal.ts';
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

/** Attributes by name, as they were written. */
export type Attributes = Readonly<Record<string, string>>;

/** A shape as it is looked up, element by element. */
interface Node {
  readonly isMany: boolean;
  /** Its text is read, and nothing in it. */
  readonly isText: boolean;
  readonly inner: ReadonlyMap<string, Node>;
}

function nodeOf(shape: Shape): Node {
  const own = isMany(shape) ? shape.many : shape;
  if (own === TEXT || isMany(own))
    return { isMany: isMany(shape), isText: own === TEXT, inner: new Map() };
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

/**
 * Makes occurrences of the elements of a document, as far as the shape names them; whoever reads
 * the document tells of each tag and text.
 */
export class DocumentTree {
  readonly #shape: DocumentShape;
  readonly #place: Place;
  /** What is read outside of occurrences. */
  readonly #outside: ReadonlyMap<string, Node>;
  readonly #open: Frame[] = [];
  readonly #head: Members = {};
  #depth = 0;
  /** Every element inside an open element that is not read costs one number. */
  #ignored = 0;
  #isInside = false;
  #occurrences = 0;
  #ready: DocumentRecord[] = [];

  constructor(shape: DocumentShape, place: Place) {
    this.#shape = shape;
    this.#place = place;
    this.#outside = nodesOf({ ...shape.head, [shape.each]: shape.occurrence });
  }

  /** The occurrences that ended since this was asked last. */
  take(): readonly DocumentRecord[] {
    const ready = this.#ready;
    if (ready.length > 0) this.#ready = [];
    return ready;
  }

  /**
   * A start tag.
   *
   * @throws the refusal `unknown_root`
   */
  open(tag: string, attributes: Attributes): void {
    const name = localName(tag);
    if (this.#depth === 0) this.#checkRoot(name);
    this.#depth += 1;
    if (this.#ignored > 0) {
      this.#ignored += 1;
      return;
    }
    // Outside of everything that is read, an unknown element is looked into.
    const parent = this.#open.at(-1);
    const node = (parent?.node.inner ?? this.#outside).get(name);
    if (node === undefined) {
      if (parent !== undefined) this.#ignored = 1;
      return;
    }
    if (parent === undefined && name === this.#shape.each) this.#isInside = true;
    this.#open.push({ name, node, members: attributesOf(attributes, node), text: '' });
  }

  /** Text of the element that was opened last. */
  text(text: string): void {
    if (!this.wantsText) return;
    const frame = this.#open.at(-1);
    if (frame !== undefined) frame.text += text;
  }

  /** Whether text would be kept now. */
  get wantsText(): boolean {
    return this.#ignored === 0 && this.#open.at(-1)?.node.isText === true;
  }

  /** The end tag of the element that was opened last. */
  close(): void {
    this.#depth -= 1;
    if (this.#ignored > 0) {
      this.#ignored -= 1;
      return;
    }
    const frame = this.#open.pop();
    if (frame === undefined) return;
    const parent = this.#open.at(-1);
    if (parent !== undefined) addMember(parent.members, frame);
    else if (this.#isInside) this.#finish(frame);
    else addMember(this.#head, frame);
  }

  #checkRoot(name: string): void {
    const { roots } = this.#shape;
    if (roots.includes(name)) return;
    throw refusal(
      'unknown_root',
      this.#place,
      `its root is ${name.slice(0, 60)}, not ${roots.join(' or ')}`,
    );
  }

  #finish({ members }: Frame): void {
    this.#occurrences += 1;
    this.#isInside = false;
    this.#ready.push({ occurrence: this.#occurrences, head: this.#head, record: members });
  }
}

/** Prefixes of namespaces are left out. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function attributesOf(attributes: Attributes, { inner }: Node): Members {
  const members: Members = {};
  // Not Object.entries: nearly no element has an attribute, and this is asked of each. The parser's
  // object has no prototype.
  for (const name in attributes) {
    const key = `@${localName(name)}`;
    if (inner.has(key)) members[key] = (attributes[name] ?? '').trim();
  }
  return members;
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
