import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { renderDailyPage } from '../../src/datasets/enedis/report/daily-page.tsx';
import { buildDaily } from '../../src/datasets/enedis/report/build-daily.ts';
import { renderQualityPage } from '../../src/datasets/smart-meter/report/quality-page.tsx';

/** A page says under what terms its data may be used, and so does the README. */

const DAY = '2025-10-05';
const enedis = () =>
  renderDailyPage(buildDaily({ date: DAY, own: [], before: [], daysLookedAt: 14 }));
const meters = (sample: readonly string[] = []) =>
  renderQualityPage([{ date: DAY, verdicts: [], rejects: [], profile: [] }], sample);

describe('the foot of a page', () => {
  it.each([
    ['enedis', enedis],
    ['smart-meter', () => meters()],
  ])('of %s says that its data have no licence of reuse', (_, page) => {
    expect(page()).toContain('sans licence de réutilisation');
  });

  it('of made-up readings claims nobody’s data', () => {
    expect(meters(['head-end'])).not.toContain('sans licence de réutilisation');
    expect(meters(['head-end'])).toContain('publiées par personne');
  });

  it('has a row in the README for each publisher', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const table = readme.slice(readme.indexOf('## Licences'));
    for (const name of [
      'RTE',
      'Ville de Paris',
      'Île-de-France Mobilités',
      'Open-Meteo',
      'Visual Crossing',
      'Enedis',
      'meter',
    ])
      expect(table).toContain(name);
  });
});
