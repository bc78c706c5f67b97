import { describe, expect, it } from 'vitest';
import {
  parseDatesOfPeriod,
  wholeScope,
  parseVersion,
} from '../../../src/cli/shared/scope-argument.ts';

const refused = (message: string) =>
  expect.objectContaining({
    code: 'INPUT_INVALID',
    message: expect.stringContaining(message) as string,
  }) as Error;

describe('wholeScope', () => {
  it.each(['2024-02-29', '2024-02', '2024', 'all'])('takes %s', (text) => {
    expect(wholeScope(text)).toBe(text);
  });

  it.each(['2023-02-29', '2024-13', '2024-1', '24', '', 'ALL', '2024-01-15/..'])(
    'refuses "%s"',
    (text) => {
      expect(() => wholeScope(text)).toThrow(
        refused('write it as YYYY-MM-DD, YYYY-MM, YYYY or all'),
      );
    },
  );
});

describe('parseDatesOfPeriod', () => {
  it('gives every day of a month or year', () => {
    expect(parseDatesOfPeriod('2024-02')).toHaveLength(29);
    expect(parseDatesOfPeriod('2023')).toHaveLength(365);
    expect(parseDatesOfPeriod('2024').at(-1)).toBe('2024-12-31');
  });

  it.each(['2024-02-01', 'all', '2024-00', 'march'])('refuses "%s"', (text) => {
    expect(() => parseDatesOfPeriod(text)).toThrow(refused('YYYY-MM or YYYY'));
  });
});

describe('parseVersion', () => {
  it('takes numbers from 1 on', () => {
    expect(parseVersion('12')).toBe(12);
  });

  it.each(['0', '-1', '1.5', 'v2', ''])('refuses "%s"', (text) => {
    expect(() => parseVersion(text)).toThrow(refused('versions count from 1'));
  });
});
