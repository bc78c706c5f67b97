import { describe, expect, it } from 'vitest';
import { definedMembers } from '../../src/given.ts';

describe('definedMembers', () => {
  it('leaves out members that are undefined, and keeps the order of the others, null and false', () => {
    const members = definedMembers({ b: undefined, a: 1, d: null, c: false, e: '' });
    expect(Object.entries(members)).toEqual([
      ['a', 1],
      ['d', null],
      ['c', false],
      ['e', ''],
    ]);
    expect('b' in members).toBe(false);
  });
});
