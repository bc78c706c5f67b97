import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, isWellFormed } from '../../../src/storage/shared/byte-order.ts';

describe('compareBytes', () => {
  it('orders any two texts as their UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('puts characters beyond U+FFFF last, where the order of UTF-16 does not', () => {
    expect(['\u{1F600}', '\uFFFD'].sort()).toEqual(['\u{1F600}', '\uFFFD']);
    expect(['\u{1F600}', '\uFFFD'].sort(compareBytes)).toEqual(['\uFFFD', '\u{1F600}']);
  });
});

describe('isWellFormed', () => {
  it('refuses lone surrogates only', () => {
    expect(['', 'é', '\u{1F600}', '\uFFFD'].every(isWellFormed)).toBe(true);
    expect(['\uD83D', 'a\uDE00', '\uDE00\uD83D'].some(isWellFormed)).toBe(false);
  });
});
