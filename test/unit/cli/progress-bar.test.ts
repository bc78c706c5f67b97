import { describe, expect, it } from 'vitest';
import { barText, daysOfRange } from '../../../src/cli/make/backfill-run.ts';
import type { BackfillProgress } from '../../../src/workflows/backfill-control.ts';

const PROGRESS: BackfillProgress = {
  startedAt: '2024-01-01T00:00:00Z',
  selected: 3,
  complete: 114,
  notDue: 2,
  done: 1,
  windows: 1,
  days: 0,
  ran: {},
  failedDays: 1,
  failed: [],
  failureCodes: {},
  waiting: [],
  waitingDays: 0,
  degradedDays: 0,
  noDataDays: 0,
  unchangedDays: 0,
  parallel: 3,
  paused: null,
  stopped: null,
  question: null,
};

describe('the bar of a backfill', () => {
  it('counts the days to make, and not those that were complete before', () => {
    expect(barText(PROGRESS, () => 3)).toMatch(/ 2\/3 days {2}1 failed$/);
    expect(barText(PROGRESS, daysOfRange(119))).toMatch(/ 2\/3 days/);
    expect(barText({ ...PROGRESS, done: 4 }, () => 3)).toMatch(/^█{30} 5\/5 days/);
  });

  it('moves with what windows have done of days that are not done yet, and is full only at the end', () => {
    const none = { ...PROGRESS, done: 0, failedDays: 0, complete: 0, notDue: 0 };
    expect(barText({ ...none, underWay: 30 }, () => 60)).toMatch(
      /^█{15}░{15} 0\/60 days {2}50 % of their steps$/,
    );
    expect(barText({ ...none, underWay: 60 }, () => 60)).toMatch(/ 0\/60 days/);
  });
});
