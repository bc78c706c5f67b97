import { describe, expect, it } from 'vitest';
import { lastDueDay } from '../../../src/pipelines/zoned-day.ts';

const PARIS = 'Europe/Paris';

describe('lastDueDay', () => {
  it('is yesterday, and before the publisher has that the day before', () => {
    const at = (time: string) => lastDueDay(new Date(time), PARIS, { minutes: 120 });
    expect(at('2026-11-21T23:03:00Z')).toBe('2026-11-20');
    expect(at('2026-11-22T00:59:59Z')).toBe('2026-11-20');
    expect(at('2026-11-22T01:00:00Z')).toBe('2026-11-21');
    expect(at('2026-11-22T22:59:00Z')).toBe('2026-11-21');
  });

  it('goes back as many days as the publisher takes', () => {
    expect(lastDueDay(new Date('2026-11-22T12:00:00Z'), PARIS, {})).toBe('2026-11-21');
    expect(lastDueDay(new Date('2026-11-22T12:00:00Z'), PARIS, { days: 2 })).toBe('2026-11-19');
  });

  it('counts hours that pass, also on days of 23 and 25', () => {
    expect(lastDueDay(new Date('2026-03-29T00:59:00Z'), PARIS, { minutes: 120 })).toBe(
      '2026-03-27',
    );
    expect(lastDueDay(new Date('2026-03-29T01:00:00Z'), PARIS, { minutes: 120 })).toBe(
      '2026-03-28',
    );
    expect(lastDueDay(new Date('2026-10-25T00:00:00Z'), PARIS, { minutes: 120 })).toBe(
      '2026-10-24',
    );
  });
});
