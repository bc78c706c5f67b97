import { describe, expect, it } from 'vitest';
import { checkObjectKey, checkObjectPrefix } from '../../../src/storage/shared/object-key.ts';

describe('checkObjectKey', () => {
  it('names the offending part', () => {
    expect(() => {
      checkObjectKey('02_clean/../secrets');
    }).toThrow('the object key "02_clean/../secrets" is not usable: the part ".." is not a name');
    expect(() => {
      checkObjectKey('a/b\\c');
    }).toThrow('the part "b\\\\c" holds a backslash');
    expect(() => {
      checkObjectKey(`a/${'x'.repeat(256)}`);
    }).toThrow(`the part "${'x'.repeat(40)}…" has 256 bytes, more than 255`);
  });

  it('takes names that only look odd', () => {
    for (const key of [
      '.hidden/x',
      '...',
      'a b',
      'C:',
      '~',
      'a/.incoming',
      '-rf',
      'e\u0301',
      'x'.repeat(255),
    ]) {
      expect(() => {
        checkObjectKey(key);
      }).not.toThrow();
    }
  });
});

describe('checkObjectPrefix', () => {
  it('takes any beginning of a key', () => {
    for (const prefix of ['', 'a', 'a/', 'a/b', 'a/.', 'a/..', 'x'.repeat(255)]) {
      expect(() => {
        checkObjectPrefix(prefix);
      }).not.toThrow();
    }
  });
});
