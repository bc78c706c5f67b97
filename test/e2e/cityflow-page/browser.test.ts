import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { dumpOf, framesOf, HAS_CHROMIUM } from '../../fixtures/chromium.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import { madeCity } from '../../unit/cityflow/made-city.ts';

const DAY = '2025-11-12';
/** Nobody reads figures that are smaller. */
const LEAST_PX = 10;

/** How high the smallest text of a frame is drawn, and what is too wide. */
const NOTE = `
  const shown = [...root.querySelectorAll('svg text')].filter((text) => text.getClientRects().length > 0);
  const sizeOf = (text) => parseFloat(frame.contentWindow.getComputedStyle(text).fontSize) * text.getScreenCTM().a;
  const tooWide = [root, ...root.querySelectorAll('.table')].filter((box) => box.scrollWidth > box.clientWidth);
  return JSON.stringify({
    width,
    ranks: shown.filter((text) => text.matches('.rank')).length,
    smallest: Math.min(...shown.map(sizeOf)),
    tooWide: tooWide.map((box) => box.querySelector('caption,h1').textContent),
  });`;

interface Note {
  readonly width: number;
  readonly ranks: number;
  readonly smallest: number;
  readonly tooWide: readonly string[];
}

describe.skipIf(!HAS_CHROMIUM)('the page of the city in Chromium', () => {
  let runner: StepRunner;
  let page: string;
  beforeAll(async () => {
    runner = await openStepRunner(cityflow);
    const days = await runner.days(Object.values(await madeCity(runner, [DAY])), [DAY]);
    page = await readFile(days.get(DAY)!['report/page']!.outputs['page']!.path, 'utf8');
  });
  afterAll(() => runner.close());

  it(
    'fits a screen and a telephone, and its figures can be read there',
    { timeout: 90_000 },
    async () => {
      const { dom } = await dumpOf(framesOf(page, [1240, 390], NOTE));
      const notes = [...dom.matchAll(/<p>(\{"width[^<]*)<\/p>/g)].map(
        ([, note]) => JSON.parse(note!) as Note,
      );
      expect(notes.map(({ width }) => width).sort()).toEqual([1240, 390]);
      for (const { ranks, smallest, tooWide } of notes) {
        expect(ranks).toBe(3);
        expect(smallest).toBeGreaterThan(LEAST_PX);
        expect(tooWide).toEqual([]);
      }
    },
  );
});
