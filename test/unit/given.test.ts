import { describe, expect, it } from 'vitest';
import { definedMembers, firstOf, lastOf, required, textBefore } from '../../src/given.ts';

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

describe('required', () => {
  it('returns what is there, also null and the empty text, and says what is missing', () => {
    expect([required(null, 'a'), required('', 'a'), firstOf([1, 2]), lastOf([1, 2])]).toEqual([null, '', 1, 2]);
    expect(() => {
      required(undefined, 'the bucket');
    }).toThrow('the bucket is missing');
    expect(() => firstOf([])).toThrow('the first of a list that must have one is missing');
    expect(() => lastOf([])).toThrow('the last of a list that must have one is missing');
  });
});

describe('textBefore', () => {
  it('ends before the first separator, and is the whole text without one', () => {
    expect(['a?b?c', '?b', 'a', ''].map((text) => textBefore(text, '?'))).toEqual(['a', '', 'a', '']);
  });
});
