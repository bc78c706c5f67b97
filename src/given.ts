/** What is given and what is not: a leaf like the error table, so that every folder may use it. */

/** The members of an object that are given; the others may be absent and are never `undefined`. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * The same members in the same order, without those that are undefined: for records and options in which an absent member
 * is not the same as an undefined one.
 */
export function definedMembers<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}
