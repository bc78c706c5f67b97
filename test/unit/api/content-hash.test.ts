import { expect, it } from 'vitest';
import { contentHash, floatText } from '../../../src/api/earlier/enedis/content-hash.ts';

/**
 * Values of Python's own `repr`, `json.dumps` and `hashlib`, run once: what an ERP has kept must
 * come again.
 */

it.each([
  [0, '0.0'],
  [-0, '-0.0'],
  [210, '210.0'],
  [0.1, '0.1'],
  [1e-4, '0.0001'],
  [1e-5, '1e-05'],
  [-1.5e-7, '-1.5e-07'],
  [123456789012345680, '1.2345678901234568e+17'],
  [9999999999999998, '9999999999999998.0'],
  [1e16, '1e+16'],
  [1e22, '1e+22'],
  [1.5e300, '1.5e+300'],
])('writes %f as the earlier system did', (value, text) => {
  expect(floatText(value)).toBe(text);
});

it('hashes what is there and what is not, numbers by what they were, and lists by their names in order', () => {
  const invoice = ['3210619182009', '99000000000014', 'DCOUP_PEN', '2025-01-17', '2025-01-17'];
  expect(contentHash([...invoice, { float: -24 }, { float: 2 }, { float: -48 }])).toBe(
    '8c4a4a2adcc0d45d',
  );
  const readings = [{ b: 1, a: 'é"x', c: null, d: true }];
  expect(contentHash(['x', null, 31, { float: null }, true, readings])).toBe('1381501f84dde9c6');
});
