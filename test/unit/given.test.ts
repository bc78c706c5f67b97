import { describe, expect, it } from 'vitest';
import {
  definedMembers,
  firstOf,
  lastOf,
  matchOf,
  nthOf,
  required,
  textBefore,
} from '../../src/given.ts';

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
    expect([required(null, 'a'), required('', 'a'), firstOf([1, 2]), lastOf([1, 2])]).toEqual([
      null,
      '',
      1,
      2,
    ]);
    expect(() => {
      required(undefined, 'the bucket');
    }).toThrow('the bucket is missing');
    expect(() => firstOf([])).toThrow('the first of a list that must have one is missing');
    expect(() => lastOf([])).toThrow('the last of a list that must have one is missing');
  });
});

describe('nthOf', () => {
  it('returns what stands at a place, and says which place a list of how many lacks', () => {
    expect([nthOf(['a', ''], 0), nthOf(['a', ''], 1)]).toEqual(['a', '']);
    expect(() => nthOf(['a'], 1)).toThrow('place 1 of a list of 1 is missing');
    expect(() => nthOf(['a'], -1)).toThrow('place -1 of a list of 1 is missing');
  });
});

describe('matchOf', () => {
  it('finds nothing where there is no text, also by a pattern of the empty text', () => {
    expect([null, undefined].map((text) => matchOf(/^$/, text))).toEqual([null, null]);
    expect(matchOf(/^$/, '')).not.toBeNull();
    expect(matchOf(/(\d+)/, 'a12')?.[1]).toBe('12');
  });
});

describe('textBefore', () => {
  it('ends before the first separator, and is the whole text without one', () => {
    expect(['a?b?c', '?b', 'a', ''].map((text) => textBefore(text, '?'))).toEqual([
      'a',
      '',
      'a',
      '',
    ]);
  });
});
