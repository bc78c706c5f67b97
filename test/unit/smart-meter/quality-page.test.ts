import { expect, it } from 'vitest';
import { smartMeterDefinition } from '../../../src/datasets/smart-meter/definition.ts';
import type { QualityDay, Verdict } from '../../../src/datasets/smart-meter/quality/verdicts.ts';
import { renderQualityPage } from '../../../src/datasets/smart-meter/report/quality-page.tsx';
import { addDays } from '../../../src/pipelines/civil-date.ts';

/** Ninety days; on the last one a rule fails for one meter. */

const DAY = '2024-03-30';
const KEY = '12345678901234567890';
const rule: Verdict = {
  ...{
    suite: 'raw_readings_suite',
    rule: 'no_spike',
    version: 1,
    severity: 'suspect',
    title: 'no spike',
  },
  ...{ tested: 200, failed: 0, meters: 0, keys: [] },
};
const quality = (back: number): QualityDay => ({
  date: addDays(DAY, -back),
  verdicts: [
    back === 0 ? { ...rule, failed: 3, meters: 1, keys: [KEY] } : rule,
    { ...rule, suite: 'marts_metrics_suite', rule: 'usual_day', title: 'a usual day' },
  ],
  rejects: [{ reason: 'no_value', rows: 7 }],
  profile: [
    { column: 'energy_wh', values: 190, nulls: 10, least: 0, median: 210, greatest: 9_000 },
  ],
});

it('data docs show rules by suite, days by suite, the trend of ninety days, columns, and no key of a meter', () => {
  const days = Array.from({ length: 90 }, (_, index) => quality(89 - index));
  const page = renderQualityPage(days);
  expect(page).not.toContain(KEY);
  expect(page).toContain('…7890');
  expect(page).toContain(`<th scope="row">${DAY}</th><td>0 / 1</td><td>1 / 1</td><td>3</td>`);
  const trend = /<section id="tendance".*?<\/section>/su.exec(page)![0];
  const [curve] = /d="M[^"]*"/u.exec(trend)!;
  expect(curve.match(/[ML]/gu)).toHaveLength(90);
  expect(page).toMatch(/énergie \(Wh\)<\/th><td>190<\/td><td>10<\/td>/u);
  expect(page).toContain('sans valeur');
  const french = [
    'Relevés bruts',
    'Chiffres du jour',
    'le plus grand intervalle du jour',
    'médiane du même jour',
    'douteux',
  ];
  for (const told of french) expect(page).toContain(told);
  for (const english of ['no spike', 'a usual day', 'suspect<', '_suite<', 'no_value'])
    expect(page).not.toContain(english);
});

it('data docs of a day read the verdicts of the eighty-nine days before it', () => {
  const { inputs } = smartMeterDefinition.steps.find(({ id }) => id === 'report/quality')!;
  expect(inputs.map(({ daysBefore = 0 }) => daysBefore)).toEqual(
    Array.from({ length: 90 }, (_, days) => days),
  );
});
