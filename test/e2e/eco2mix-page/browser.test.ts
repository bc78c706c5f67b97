import { describe, expect, it } from 'vitest';
import { dumpOf, framesOf, HAS_CHROMIUM } from '../../fixtures/chromium.ts';
import { dayComparison, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';
import { pageOf } from '../../unit/eco2mix-report/report-run.ts';

/** Which drawing a frame shows, and what is wider than its place. */
const NOTE = `
  const seen = (name) => root.querySelector('.plot .' + name).getClientRects().length;
  const tooWide = [root, ...root.querySelectorAll('.table, .kpis > div')].filter((box) => box.scrollWidth > box.clientWidth);
  const names = tooWide.map((box) => box.querySelector('caption,h1,dt').textContent);
  return ['at', width, 'wide', seen('wide'), 'compact', seen('compact'), 'too wide', ...names].join(' ');`;

function notesOf(dom: string): (string | undefined)[] {
  return [...dom.matchAll(/<p>(at [^<]*)<\/p>/g)].map(([, note]) => note);
}

describe.skipIf(!HAS_CHROMIUM)('the eCO2mix page in Chromium', () => {
  it(
    'opens without a message on the console, and fits a screen and a telephone',
    { timeout: 90_000 },
    async () => {
      const metrics = dayMetrics({ date: '2024-10-27' });
      const page = await pageOf({ metrics, comparison: dayComparison(metrics) });
      const { dom, log } = await dumpOf(framesOf(page, [1280, 390], NOTE));
      expect(log.split('\n').filter((line) => line.includes('CONSOLE'))).toEqual([]);
      // Whichever frame is loaded first writes first.
      expect(notesOf(dom).sort()).toEqual([
        'at 1280 wide 1 compact 0 too wide',
        'at 390 wide 0 compact 1 too wide',
      ]);
    },
  );

  it('fits the width of paper', { timeout: 90_000 }, async () => {
    const metrics = dayMetrics({ date: '2024-10-27' });
    const page = await pageOf({ metrics, comparison: dayComparison(metrics) });
    // What a sheet of A4 leaves between its margins, at 96 pixels an inch.
    const { dom } = await dumpOf(
      framesOf(page.replaceAll('@media print', '@media all'), [703], NOTE),
    );
    expect(notesOf(dom)).toEqual(['at 703 wide 1 compact 0 too wide']);
  });
});
