import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { readParameters, questionsOf } from '../../../src/engine/look/ask-question.ts';

const dashboards = Object.values(DATASETS).flatMap((dataset) => dataset.dashboards ?? []);
const questions = questionsOf(DATASETS);

describe('the dashboards of all datasets', () => {
  it('ask declared questions with parameters that these have, and draw columns that the answers have', () => {
    for (const { id, charts } of dashboards) {
      for (const { question, parameters } of charts) {
        const placed = questions.get(question);
        if (placed === undefined) throw new Error(`${id} asks ${question}, no declared question`);
        const asked = readParameters(placed, parameters);
        const names = placed.question.columns(asked).map(({ name }) => name);
        const chart = placed.question.chart?.(asked);
        const drawn =
          chart === undefined
            ? []
            : [chart.x, ...chart.y, ...(chart.series === undefined ? [] : [chart.series])];
        expect([id, question, drawn.filter((name) => !names.includes(name))]).toEqual([
          id,
          question,
          [],
        ]);
        expect([
          id,
          question,
          (chart?.lines ?? []).filter((name) => !chart?.y.includes(name)),
        ]).toEqual([id, question, []]);
      }
    }
  });

  it('are what docs/reference/dashboards.md lists: every page, and of each page every question that it names', async () => {
    const text = await readFile(
      new URL('../../../docs/reference/dashboards.md', import.meta.url),
      'utf8',
    );
    const named = new Set([...text.matchAll(/`(get_\w+)`/g)].map(([, id = '']) => id));
    const charts = new Set(
      dashboards.flatMap((page) => page.charts.map(({ question }) => question)),
    );
    expect([...named].filter((id) => !charts.has(id))).toEqual([]);
    const pages = [...text.matchAll(/`((?:eco2mix|cityflow|smart-meter)-?\w*)`/g)].map(
      ([, id = '']) => id,
    );
    expect(pages.filter((id) => dashboards.every((page) => page.id !== id))).toEqual([]);
  });
});
