import { describe, expect, it } from 'vitest';
import { inPages } from '../../../src/engine/in-pages.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';

const DATES = datesBetween('2024-01-01', '2024-03-31');

describe('a look at many days', () => {
  it('goes on behind the last page that the try before it finished', async () => {
    const notes: string[] = [];
    let saved: object | undefined;
    const control = () => ({
      progress: (note: string) => void notes.push(note),
      checkpoint: {
        before: saved,
        save: (value: object) => void (saved = JSON.parse(JSON.stringify(value)) as object),
      },
    });
    const looked: string[] = [];
    const look = (dates: readonly string[]) => {
      looked.push(dates[0] ?? '');
      if (looked.length === 2) return Promise.reject(new Error('the worker was lost'));
      return Promise.resolve(dates.filter((date) => date.endsWith('-15')));
    };
    await expect(inPages(control(), DATES, look)).rejects.toThrow('the worker was lost');
    expect(await inPages(control(), DATES, look)).toEqual([
      '2024-01-15',
      '2024-02-15',
      '2024-03-15',
    ]);
    expect(looked).toEqual(['2024-01-01', '2024-02-01', '2024-02-01', '2024-03-03']);
    expect(notes[0]).toBe('looked at 31 of 91 days, up to 2024-01-31');
  });

  it('begins anew when it is asked about other days', async () => {
    const before = { of: 'others', done: 31, found: ['2023-01-15'] };
    const control = { progress: () => undefined, checkpoint: { before, save: () => undefined } };
    expect(await inPages(control, ['2024-01-15'], (dates) => Promise.resolve(dates))).toEqual([
      '2024-01-15',
    ]);
  });
});
