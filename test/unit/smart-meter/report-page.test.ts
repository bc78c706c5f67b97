import { describe, expect, it } from 'vitest';
import type { SuspicionRow } from '../../../src/datasets/smart-meter/marts/day.ts';
import { reasonsOf } from '../../../src/datasets/smart-meter/report/model.ts';
import type { MeterReport } from '../../../src/datasets/smart-meter/report/model.ts';
import { renderPage } from '../../../src/datasets/smart-meter/report/page.tsx';

/** A report with everything that a day may have, and one without. */

const suspicion = (key: string, more: Partial<SuspicionRow>): SuspicionRow => ({
  ...{
    meter_key: key,
    transformer: 'T1',
    segment: 'home',
    shape: 'all_day',
    lasting: 0.8,
    is_new: false,
  },
  ...{
    confirmed: 0.9,
    missing_wh_per_day: 6_400,
    use_ratio: 0.4,
    base_ratio: 0.45,
    evening_ratio: 0.4,
    zero_days: 0,
  },
  ...more,
});

const FLEET: MeterReport['fleet'] = {
  date: '2024-02-01',
  metrics: [],
  load: [],
  coverage: [
    { region: 'north', hour: 7, observed: 18, expected: 24 },
    { region: 'north', hour: 8, observed: 24, expected: 24 },
  ],
  losses: [],
  suspicions: [
    suspicion('111', { is_new: true }),
    suspicion('222', { shape: 'zeros', zero_days: 12, confirmed: null, is_new: true }),
    suspicion('333', {}),
  ],
};

const FULL: MeterReport = {
  date: '2024-02-01',
  fleet: FLEET,
  ...reasonsOf(FLEET),
  quality: {
    rules: 24,
    failing: [
      {
        rule: 'no_spike',
        title: 'no spike',
        severity: 'suspect',
        tested: 200,
        failed: 3,
        meters: 3,
      },
    ],
    rejects: [{ reason: 'no_value', rows: 7 }],
  },
  changes: {
    date: '2024-02-01',
    scores: {
      ...{
        model: 'abc',
        meters: 40,
        odd: 2,
        kinds: [{ type: 'drift', severity: 'low', meters: 2 }],
      },
      intervals: Array.from({ length: 20 }, (_, place) => ({
        ...{
          from: place / 20,
          to: (place + 1) / 20,
          meters: place === 8 ? 38 : place === 13 ? 2 : 0,
        },
        odd: place === 13 ? 2 : 0,
      })),
    },
    compared: 40,
    more: [{ meter_key: '444', segment: 'shop', total_kwh: 32, usual_kwh: 10, change_kwh: 22 }],
    less: [{ meter_key: '555', segment: 'home', total_kwh: 1, usual_kwh: 9, change_kwh: -8 }],
  },
};

function section(page: string, id: string): string {
  return new RegExp(`<section id="${id}".*?</section>`, 'su').exec(page)![0];
}

describe('the page of a day', () => {
  it('tells why each new suspicion is one, and what explains suspicions honestly', () => {
    const text = section(renderPage(FULL), 'soupcons');
    const told = [...text.matchAll(/<dt>(\d+)<\/dt><dd>(.*?)<\/dd>/gsu)].map(([, key, why]) => [
      key,
      why,
    ]);
    expect(told.map(([key]) => key)).toEqual(['111', '222']);
    expect(told[0]![1]).toContain('usage à 40 % de l’habitude');
    expect(told[0]![1]).toContain('le transformateur manque aussi de 90 % de cette énergie');
    expect(told[1]![1]).toContain('12 jours à zéro');
    expect(told[1]![1]).toContain('le bilan du transformateur n’est pas connu');
    for (const word of ['absence', 'économies', 'changement d’occupant', 'erreur de la liste'])
      expect(text).toContain(word);
  });

  it('draws the scores, names the largest changes, and tells quality and hours of regions', () => {
    const page = renderPage(FULL);
    const scores = section(page, 'scores');
    expect(scores).toContain('aria-label="Compteurs par score : 2 inhabituels sur 40"');
    expect(scores).toContain('<th scope="row">0,40 – 0,45</th><td>38</td><td>0</td>');
    expect(scores).toContain('dérive');
    const changes = section(page, 'ecarts');
    expect(changes).toContain('<td>+22,0</td>');
    expect(changes).toContain('<td>commerce</td>');
    expect(changes).toContain('<td>−8,0</td>');
    expect(section(page, 'qualite')).toContain('href="meter_quality_2024-02-01.html"');
    expect(section(page, 'qualite')).toContain('au plus 2,8 fois le troisième');
    expect(page).not.toContain('no spike');
    expect(section(page, 'couverture')).toContain('north, 7 h : 75,0\u00A0%');
  });

  it('of an earlier version has none of these sections', () => {
    const page = renderPage({ date: '2024-02-01', fleet: FLEET });
    for (const id of ['scores', 'ecarts', 'qualite']) expect(page).not.toContain(`id="${id}"`);
    expect(section(page, 'soupcons')).toContain('absence');
  });
});
