import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayComparison, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';
import { pageOf } from '../../unit/eco2mix-report/report-run.ts';

const CHROMIUM = '/usr/bin/chromium';
const run = promisify(execFile);

/** Opens the page in a frame of each width and writes down which drawing it shows and what is wider than its place. */
function probe(page: string, widths: readonly number[]): string {
  const text = JSON.stringify(page).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html><body><script>
    for (const width of ${JSON.stringify(widths)}) {
      const frame = document.createElement('iframe');
      frame.style.cssText = 'border:0;height:800px;width:' + width + 'px';
      frame.onload = () => {
        const root = frame.contentDocument.documentElement;
        const seen = (name) => root.querySelector('.plot .' + name).getClientRects().length;
        const note = document.createElement('p');
        const tooWide = [root, ...root.querySelectorAll('.table, .kpis > div')].filter((box) => box.scrollWidth > box.clientWidth);
        note.textContent = ['at', width, 'wide', seen('wide'), 'compact', seen('compact'), 'too wide', ...tooWide.map((box) => box.querySelector('caption,h1,dt').textContent)].join(' ');
        document.body.append(note);
      };
      frame.srcdoc = ${text};
      document.body.append(frame);
    }
  </script></body>`;
}

// Without a browser on the machine the test is reported as skipped.
describe.skipIf(!existsSync(CHROMIUM))('the eCO2mix page in Chromium', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'eco2mix-page-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function dump(html: string): Promise<{ dom: string; log: string }> {
    const file = path.join(folder, 'page.html');
    await writeFile(file, html);
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
    const { stdout, stderr } = await run(
      CHROMIUM,
      [...flags, '--enable-logging=stderr', `--user-data-dir=${folder}/profile`, '--dump-dom', `file://${file}`],
      { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
    );
    return { dom: stdout, log: stderr };
  }

  it('opens without a message on the console, and fits a screen and a telephone', { timeout: 90_000 }, async () => {
    const metrics = dayMetrics({ date: '2024-10-27' });
    const page = await pageOf({ metrics, comparison: dayComparison(metrics) });
    const { dom, log } = await dump(probe(page, [1280, 390]));
    expect(log.split('\n').filter((line) => line.includes('CONSOLE'))).toEqual([]);
    // Whichever frame is loaded first writes first.
    expect([...dom.matchAll(/<p>(at [^<]*)<\/p>/g)].map(([, note]) => note).sort()).toEqual([
      'at 1280 wide 1 compact 0 too wide',
      'at 390 wide 0 compact 1 too wide',
    ]);
  });

  it('fits the width of paper', { timeout: 90_000 }, async () => {
    const metrics = dayMetrics({ date: '2024-10-27' });
    const page = await pageOf({ metrics, comparison: dayComparison(metrics) });
    // What a sheet of A4 leaves between its margins, at 96 pixels an inch.
    const { dom } = await dump(probe(page.replaceAll('@media print', '@media all'), [703]));
    expect([...dom.matchAll(/<p>(at [^<]*)<\/p>/g)].map(([, note]) => note)).toEqual([
      'at 703 wide 1 compact 0 too wide',
    ]);
  });
});
