/** What is given and what is not: a leaf like the error table, so that every folder may use it. */

/** The members of an object that are given; the others may be absent and are never `undefined`. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * The same members in the same order, without those that are undefined: for records and options in
 * which an absent member is not the same as an undefined one.
 */
export function definedMembers<T extends object>(members: T): Given<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}

/**
 * A value that must be there; an error that says what is missing otherwise, which is a mistake of
 * the program.
 */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is missing`);
  return value;
}

/** The first of a list that has one by construction, such as a group of equal things. */
export function firstOf<T>(list: readonly T[]): T {
  return required(list[0], 'the first of a list that must have one');
}

/** The last of such a list. */
export function lastOf<T>(list: readonly T[]): T {
  return required(list.at(-1), 'the last of a list that must have one');
}

/** What stands at a place, from 0, of a list that has one there by construction. */
export function nthOf<T>(list: readonly T[], place: number): T {
  return required(list[place], `place ${place} of a list of ${list.length}`);
}

/** What a pattern finds in a text; null as well where there is no text. */
export function matchOf(pattern: RegExp, text: string | null | undefined): RegExpExecArray | null {
  return text === null || text === undefined ? null : pattern.exec(text);
}

/** The text before the first separator; all of it where there is none. */
export function textBefore(text: string, separator: string): string {
  const end = text.indexOf(separator);
  return end === -1 ? text : text.slice(0, end);
}
