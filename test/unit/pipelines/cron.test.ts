import { describe, expect, it } from 'vitest';
import { cronProblem, formatCron, parseCron } from '../../../src/pipelines/cron.ts';

describe('cron as sets of numbers', () => {
  it('reads numbers, lists, ranges and steps', () => {
    expect(parseCron('5,0 */6 1-3 2 0')).toEqual({
      minute: [0, 5],
      hour: [0, 6, 12, 18],
      dayOfMonth: [1, 2, 3],
      month: [2],
      dayOfWeek: [0],
    });
    expect(parseCron('10/20 * * * *').minute).toEqual([10, 30, 50]);
  });

  it('writes two spellings of the same times the same way', () => {
    expect(formatCron(parseCron('0,30 0-23 * 1-12 0-6'))).toBe('0,30 * * * *');
    expect(formatCron(parseCron('*/30 * */1 * *'))).toBe('0,30 * * * *');
  });

  it.each([
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '5-1 * * * *',
    'MON * * * *',
    '*/0 * * * *',
  ])('says what is wrong with %s', (cron) => {
    expect(cronProblem(cron)).toMatch(/fields|within/);
  });
});
