/**
 * Which elements of a document are read. What a shape does not name is never taken up: names,
 * addresses and telephone numbers of customers stay in the archive.
 */
export type Shape = 'text' | Many | { readonly [name: string]: Shape };

/** An element that repeats. */
export interface Many {
  readonly many: Shape;
}

/** What was read of an element: text, or members by element name; attributes are named `@name`. */
export type Tree = string | readonly Tree[] | { readonly [name: string]: Tree };
/** Members by element name. */
export type TreeObject = Readonly<Record<string, Tree>>;

/** A document: what stands once before its occurrences, and the occurrences. */
export interface DocumentShape {
  /** Elements that the document may begin with; another one is no document of this flux. */
  readonly roots: readonly string[];
  /** Read wherever it stands outside an occurrence. */
  readonly head: Readonly<Record<string, Shape>>;
  /** The element that is one occurrence. */
  readonly each: string;
  readonly occurrence: Readonly<Record<string, Shape>>;
}

/** The shape of an element of which the text is read. */
export const TEXT = 'text';

/** An element that may come any number of times; it is read as a list, also when it comes once. */
export function many(shape: Shape): Many {
  return { many: shape };
}

/** Elements that hold nothing but text, by name. */
export function texts<const Name extends string>(
  ...names: readonly Name[]
): Readonly<Record<Name, 'text'>> {
  return Object.fromEntries(names.map((name) => [name, TEXT])) as Record<Name, 'text'>;
}

/** Whether a shape is that of an element that repeats; no element is called `many`. */
export function isMany(shape: Shape): shape is Many {
  return typeof shape === 'object' && 'many' in shape;
}

/** The text at a path of members; null when there is none or it is empty. */
export function textAt(tree: Tree | undefined, ...path: readonly string[]): string | null {
  const found = treeAt(tree, ...path);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** Undefined where the path ends early, or goes through a list. */
export function treeAt(tree: Tree | undefined, ...path: readonly string[]): Tree | undefined {
  let at = tree;
  for (const name of path) {
    if (at === undefined || typeof at === 'string' || Array.isArray(at)) return undefined;
    at = (at as TreeObject)[name];
  }
  return at;
}

/** The repeated elements at a path; none when there are none. */
export function listAt(tree: Tree | undefined, ...path: readonly string[]): readonly TreeObject[] {
  const found = treeAt(tree, ...path);
  return Array.isArray(found) ? (found as readonly TreeObject[]) : [];
}
