import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import { madeCity } from '../../unit/cityflow/made-city.ts';

const CHROMIUM = '/usr/bin/chromium';
const DAY = '2025-11-12';
/** Nobody reads figures that are smaller. */
const LEAST_PX = 10;
const run = promisify(execFile);

/** Opens the page in a frame of each width and writes down how high its smallest text is drawn, and what is too wide. */
function probe(page: string, widths: readonly number[]): string {
  const text = JSON.stringify(page).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html><body><script>
    for (const width of ${JSON.stringify(widths)}) {
      const frame = document.createElement('iframe');
      frame.style.cssText = 'border:0;height:800px;width:' + width + 'px';
      frame.onload = () => {
        const root = frame.contentDocument.documentElement;
        const shown = [...root.querySelectorAll('svg text')].filter((text) => text.getClientRects().length > 0);
        const sizeOf = (text) => parseFloat(frame.contentWindow.getComputedStyle(text).fontSize) * text.getScreenCTM().a;
        const tooWide = [root, ...root.querySelectorAll('.table')].filter((box) => box.scrollWidth > box.clientWidth);
        const note = document.createElement('p');
        note.textContent = JSON.stringify({
          width, ranks: shown.filter((text) => text.matches('.rank')).length,
          smallest: Math.min(...shown.map(sizeOf)),
          tooWide: tooWide.map((box) => box.querySelector('caption,h1').textContent),
        });
        document.body.append(note);
      };
      frame.srcdoc = ${text};
      document.body.append(frame);
    }
  </script></body>`;
}

// Without a browser on the machine the test is reported as skipped.
describe.skipIf(!existsSync(CHROMIUM))('the page of the city in Chromium', () => {
  let folder = '';
  let runner: StepRunner;
  let page: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'cityflow-page-'));
    runner = await openStepRunner(cityflow);
    const days = await runner.days(Object.values(await madeCity(runner, [DAY])), [DAY]);
    page = await readFile(days.get(DAY)!['report/page']!.outputs['page']!.path, 'utf8');
  });
  afterAll(async () => {
    await runner.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('fits a screen and a telephone, and its figures can be read there', { timeout: 90_000 }, async () => {
    const file = path.join(folder, 'probe.html');
    await writeFile(file, probe(page, [1240, 390]));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
    const { stdout } = await run(
      CHROMIUM,
      [...flags, `--user-data-dir=${folder}/profile`, '--dump-dom', `file://${file}`],
      { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
    );
    const notes = [...stdout.matchAll(/<p>(\{"width[^<]*)<\/p>/g)].map(
      ([, note]) => JSON.parse(note!) as { width: number; ranks: number; smallest: number; tooWide: string[] },
    );
    expect(notes.map(({ width }) => width).sort()).toEqual([1240, 390]);
    for (const { ranks, smallest, tooWide } of notes) {
      expect(ranks).toBe(3);
      expect(smallest).toBeGreaterThan(LEAST_PX);
      expect(tooWide).toEqual([]);
    }
  });
});
