import { beforeAll, describe, expect, it } from 'vitest';
import { COMPARISONS } from '../../../src/datasets/eco2mix/metrics-model.ts';
import { ALL_BUT_LOAD, dayComparison, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';
import type { DayInputs } from './report-run.ts';
import { jsonArtefact, pageOf, PASSED_CHECKS, runPage } from './report-run.ts';

const winter = dayMetrics();
const spring = dayMetrics({ date: '2024-03-31' });
const autumn = dayMetrics({ date: '2024-10-27' });
const DAYS: Readonly<Record<string, DayInputs>> = {
  ordinary: { metrics: winter, comparison: dayComparison(winter) },
  'half-hourly': { metrics: dayMetrics({ date: '2023-07-12', layout: 'cons-def' }) },
  '23 h': { metrics: spring, comparison: dayComparison(spring) },
  '25 h': { metrics: autumn, comparison: dayComparison(autumn, ['previous_year']) },
  'with holes': {
    metrics: dayMetrics({
      gaps: { '*': [[40, 46]], nucleaire: [[60, 70]], ech_comm_espagne: [[0, 12]] },
    }),
    checks: [
      {
        ...PASSED_CHECKS[0]!,
        failed: 1,
        examples: [{ load_mw: null, at: '2024-01-15T10:00:00+01:00' }],
      },
    ],
  },
  'load alone': {
    metrics: dayMetrics({
      date: '2018-06-06',
      layout: 'cons-def',
      without: ALL_BUT_LOAD,
      revision: 'definitive',
    }),
  },
  'all null': { metrics: dayMetrics({ gaps: { '*': [[0, 100]] } }), checks: [] },
};

/** The drawings of one chart, wide first. */
function drawings(page: string, chart: string): string[] {
  return [...page.matchAll(/<svg width[^]*?<\/svg>/g)]
    .map(([svg]) => svg)
    .filter((svg) => svg.includes(`${chart}-`));
}

function visibleText(page: string): string {
  return page.replace(/<style>[^]*?<\/style>/g, '').replace(/<[^>]+>/g, ' ');
}

describe.each(Object.keys(DAYS))('the page of a day: %s', (name) => {
  let page = '';
  beforeAll(async () => {
    page = await pageOf(DAYS[name]!);
  });

  it('shows no trace of a missing value', () => {
    expect(visibleText(page)).not.toMatch(/NaN|undefined|null|Infinity|\[object/);
    expect(page).not.toMatch(/(?:\bd|points|transform|aria-label)="[^"]*(?:NaN|undefined|null)/);
  });

  it('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|@import|url\((?!#)|\bon\w+=|<iframe|<img/i);
    expect(
      [...page.matchAll(/<(\w+)[^>]*(?:href|src)="https?:/g)].every(([, tag]) => tag === 'a'),
    ).toBe(true);
  });

  it('has unique ids, and every reference to one leads somewhere', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...page.matchAll(/url\(#([^)]+)\)|(?:href="#|aria-labelledby=")([^"]+)"/g)].map(
      ([, a, b]) => a ?? b,
    );
    expect(used.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('speaks French to readers and to screen readers', () => {
    expect(page).toMatch(/^<!doctype html>\n<html lang="fr">/);
    const pictures = [...page.matchAll(/role="img"[^>]*/g)].map(([tag]) => tag);
    expect(pictures.every((tag) => /aria-label="[^"]{20,}"/.test(tag))).toBe(true);
    expect([...page.matchAll(/<table>/g)]).toHaveLength(
      [...page.matchAll(/<table><caption>[^<]/g)].length,
    );
  });

  it('stays under 400 KB', () => {
    expect(page.length).toBeLessThan(400_000);
  });

  it('is the same page again after others were drawn', async () => {
    await pageOf(DAYS['ordinary']!);
    expect(await pageOf(DAYS[name]!)).toBe(page);
  });
});

describe('report/page', () => {
  it('puts the figures of the day first', async () => {
    const text = visibleText(await pageOf(DAYS['ordinary']!)).replace(/\s+/g, ' ');
    expect(text).toContain('Journée électrique du lundi 15 janvier 2024');
    expect(text).toMatch(/Énergie consommée 1 689,9 GWh/);
    expect(text).toMatch(/Pic 80 302 MW à 19:15/);
    expect(text).toMatch(/Part bas-carbone 92,2 %/);
    expect(text).toContain('rapport complet');
  });

  it('says in words why a section is missing', async () => {
    const text = visibleText(await pageOf(DAYS['load alone']!));
    expect(text).toContain('ne contiennent aucune production par filière.');
    expect(text).toContain('ne contiennent aucun échange aux frontières.');
    expect(text).toContain('ne contiennent aucune prévision.');
    expect(text).toContain('La comparaison avec les journées antérieures n’a pas été calculée.');
  });

  it('says which reference day is missing', async () => {
    expect(visibleText(await pageOf(DAYS['25 h']!))).toContain(
      'Pas de données pour le même jour de semaine un an plus tôt (J−364).',
    );
  });

  it('shows the repeated hour twice and marks the change', async () => {
    const [wide = ''] = drawings(await pageOf(DAYS['25 h']!), 'load-chart');
    expect([...wide.matchAll(/>(\d+)\u00a0h</g)].map(([, hour]) => Number(hour))).toEqual([
      0, 2, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
    ]);
    expect(wide).toContain('3\u00a0h → 2\u00a0h');
  });

  it('leaves the hour out that a spring day lacks', async () => {
    const [wide = ''] = drawings(await pageOf(DAYS['23 h']!), 'load-chart');
    expect(
      [...wide.matchAll(/>(\d+)\u00a0h</g)].map(([, hour]) => Number(hour)).slice(0, 3),
    ).toEqual([0, 4, 6]);
    expect(wide).toContain('2\u00a0h → 3\u00a0h');
  });

  it('breaks the line where load is missing, and joins half-hours', async () => {
    const moves = async (inputs: DayInputs): Promise<number> => {
      const [wide = ''] = drawings(await pageOf(inputs), 'load-chart');
      const line =
        /<path d="([^"]*)"[^>]*stroke="#16365d"[^>]*stroke-width="2.25"/.exec(wide)?.[1] ?? '';
      return line.split('M').length - 1;
    };
    expect(await moves(DAYS['ordinary']!)).toBe(1);
    expect(await moves(DAYS['half-hourly']!)).toBe(1);
    expect(await moves(DAYS['with holes']!)).toBe(2);
  });

  it('shows a value between two holes as a dot', async () => {
    const metrics = dayMetrics({
      gaps: {
        consommation: [
          [60, 64],
          [65, 70],
        ],
      },
    });
    const [alone = ''] = drawings(await pageOf({ metrics }), 'load-chart');
    const [whole = ''] = drawings(await pageOf({ metrics: winter }), 'load-chart');
    const dots = (svg: string): number => [...svg.matchAll(/matrix\(2,0,0,2,/g)].length;
    expect(dots(alone) - dots(whole)).toBe(1);
  });

  it('links the files that lie beside it', async () => {
    const page = await pageOf(DAYS['ordinary']!);
    for (const end of ['csv', 'parquet', 'json']) {
      expect(page).toContain(
        `<a href="daily_report_2024-01-15.${end}">daily_report_2024-01-15.${end}</a>`,
      );
    }
  });

  it('says why the total of the borders is less than their sum', async () => {
    const page = await pageOf(DAYS['ordinary']!);
    const exchanges = visibleText(/<section id="exchanges"[^]*?<\/section>/.exec(page)?.[0] ?? '');
    expect(exchanges).toContain('se compensent à chaque instant');
  });

  it('calls a day whole whose previous days alone are missing, and says so in its place', async () => {
    const days: readonly DayInputs[] = [
      { metrics: winter },
      { metrics: winter, comparison: dayComparison(winter, ['previous_day']) },
      { metrics: winter, comparison: dayComparison(winter, COMPARISONS) },
    ];
    for (const day of days) {
      const page = await pageOf(day);
      const text = visibleText(page);
      expect(text).toContain('rapport complet');
      expect(text).not.toMatch(/rapport partiel|sans données/);
      expect(text).toContain('Rien ne manque à la journée elle-même');
    }
    expect(visibleText(await pageOf(DAYS['with holes']!))).toContain('rapport partiel');
    expect(visibleText(await pageOf(DAYS['load alone']!))).toContain('rapport partiel');
  });

  it('tells the values of each instant on hover, in the wide drawings', async () => {
    const page = await pageOf(DAYS['25 h']!);
    const [wide = '', compact = ''] = drawings(page, 'load-chart');
    const titles = [...wide.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title);
    expect(titles).toHaveLength(100);
    expect(new Set(titles.map((title) => title?.split('\n')[0])).size).toBe(100);
    const { at, consommation } = autumn.curves;
    expect(at[9]).toContain('T02:15:00+02:00');
    expect(titles[9]).toMatch(/^02:15\u00a0\(UTC\+2\)\nConsommation /);
    expect(titles[9]?.replace(/\D/g, '')).toContain(String(consommation[9]));
    expect(compact).not.toContain('<title>');
    for (const chart of ['forecast-chart', 'generation-chart', 'exchanges-chart', 'carbon-chart']) {
      expect(drawings(page, chart)[0]).toContain('<title>');
    }
  });

  it('says on hover what was published, and nothing in a hole', async () => {
    const halfHours = drawings(await pageOf(DAYS['half-hourly']!), 'carbon-chart')[0] ?? '';
    expect(halfHours.split('<title>').length - 1).toBe(48);
    const holes = drawings(await pageOf(DAYS['with holes']!), 'carbon-chart')[0] ?? '';
    expect(holes).not.toContain('<title>10:15');
    expect(holes).toContain('<title>12:15');
  });

  it('says who accepted what a check held, when and why', async () => {
    const held = {
      ...PASSED_CHECKS[0]!,
      check: 'plausible-load',
      severity: 'hold',
      failed: 1,
    } as const;
    const accepted = {
      step: 'transform/national' as const,
      checks: ['plausible-load'],
      reason: 'une vague de froid',
      decidedAt: '2024-01-16T08:05:09.000Z',
    };
    const told = async (by: object) => {
      const page = await pageOf({
        metrics: winter,
        checks: [held],
        accepted: [{ ...accepted, ...by }],
      });
      return visibleText(page).replace(/\s+/g, ' ');
    };
    const text = await told({ by: 'ada' });
    expect(text).toContain(
      'acceptées par ada le mardi 16 janvier 2024 à 08:05 UTC : « une vague de froid ».',
    );
    expect(await told({})).toContain('acceptées par une personne qui n’est pas nommée le');
    expect(visibleText(await pageOf(DAYS['ordinary']!))).not.toContain('acceptées');
  });

  it('leads to the times at which its files were retrieved', async () => {
    const page = await pageOf(DAYS['ordinary']!);
    const provenance = /<section id="provenance"[^]*?<\/section>/.exec(page)?.[0] ?? '';
    expect(visibleText(provenance)).toMatch(/Heure de collecte de chaque fichier/);
    expect(provenance).toContain('<a href="../../logs/download_log.csv">');
  });

  it('calls made-up parts by their titles', async () => {
    const text = visibleText(await pageOf({ metrics: winter, sample: ['tr', 'cons-def'] })).replace(
      /\s+/g,
      ' ',
    );
    expect(text).toContain(
      'éCO2mix national en temps réel, éCO2mix national consolidé et définitif.',
    );
    expect(text).not.toMatch(/essai : tr/);
  });

  it('escapes what checks, columns and datasets are called', async () => {
    const hostile = '<img src=x onerror="alert(1)">&</style>';
    const page = await pageOf({
      metrics: winter,
      checks: [
        {
          check: hostile,
          severity: 'warn',
          tested: 1,
          failed: 1,
          examples: [{ [hostile]: hostile }],
        },
      ],
      facts: { sources: { [hostile]: { rows: 1, sha256: hostile } }, unknown_columns: [hostile] },
    });
    expect(page).not.toContain('<img');
    expect(page.split('</style>')).toHaveLength(2);
    expect(page).toContain('&lt;img src=x onerror=');
  });

  it('refuses a model of another schema', async () => {
    const model = jsonArtefact('2024-01-15', { schema: 'eco2mix.report/0', date: '2024-01-15' });
    expect(await runPage([{ scope: '2024-01-15', inputs: { model: [model] } }])).toMatchObject([
      { scope: '2024-01-15', failure: { code: 'INPUT_INVALID' } },
    ]);
  });

  it('refuses a model that is not JSON', async () => {
    const [outcome] = await runPage([
      {
        scope: '2024-01-15',
        inputs: { model: [{ ...jsonArtefact('2024-01-15', {}), path: 'unread' }] },
      },
    ]);
    expect(outcome).toMatchObject({ failure: { code: 'INPUT_INVALID' } });
  });
});
