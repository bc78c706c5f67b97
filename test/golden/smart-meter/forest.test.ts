import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Forest } from '../../../src/datasets/smart-meter/anomalies/forest-scores.ts';
import {
  FOREST_DEFAULTS,
  growForest,
  matrixOf,
  quantile,
} from '../../../src/datasets/smart-meter/anomalies/forest.ts';
import type { Tree } from '../../../src/datasets/smart-meter/anomalies/forest.ts';
import { averagePrecision, judge } from '../../../src/datasets/smart-meter/anomalies/judge.ts';
import {
  fitMahalanobis,
  mahalanobisOf,
} from '../../../src/datasets/smart-meter/anomalies/mahalanobis.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';

/**
 * Labels that a forest of scikit-learn gave: to find them again is imitation, and says nothing of
 * fraud.
 */

const TABLE = 'smart-meter/kaggle_smart_meter_data_excel.csv';
const TREES = 'smart-meter/oracle/iforest-sklearn-1.8.0-seed42.json';
const SCORES = 'smart-meter/oracle/iforest-sklearn-1.8.0-seed42-scores.csv';

interface PublishedTree extends Omit<Tree, 'samples'> {
  readonly n: readonly number[];
}

function table() {
  const lines = readFileSync(realData(TABLE), 'utf8').trim().split(/\r?\n/).slice(1);
  const cells = lines.map((line) => line.split(','));
  const column = (index: number): number[] => cells.map((row) => Number(row[index]));
  return {
    consumption: column(1),
    average: column(5),
    raw: [1, 2, 3, 4, 5].map(column),
    truth: cells.map((row) => row[6] === 'Abnormal'),
  };
}

describeOnRealFiles('the published forest', [TABLE, TREES, SCORES], () => {
  it('scored by us gives its 5,000 scores within 1e-12, and its 250 labels', () => {
    const { trees, threshold } = JSON.parse(readFileSync(realData(TREES), 'utf8')) as {
      trees: PublishedTree[];
      threshold: number;
    };
    const { consumption, average, truth } = table();
    const forest = new Forest(trees.map(({ n, ...tree }) => ({ ...tree, samples: n })));
    const scores = forest.score(matrixOf([consumption, average]));
    const published = readFileSync(realData(SCORES), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split(',')[1]));
    expect(published).toHaveLength(5_000);
    const worst = Math.max(...published.map((score, row) => Math.abs(score - (scores[row] ?? 0))));
    expect(worst).toBeLessThan(1e-12);
    expect(quantile(scores, 0.95)).toBeCloseTo(threshold, 12);
    const flags = [...scores].map((score) => score > threshold);
    expect(judge(flags, truth)).toEqual({ precision: 1, recall: 1, f1: 1, flagged: 250 });
  });
});

function rounded({
  precision,
  recall,
  f1,
  ap,
}: Record<'precision' | 'recall' | 'f1' | 'ap', number>): number[] {
  return [precision, recall, f1, ap].map((share) => Math.round(100 * share) / 100);
}

describeOnRealFiles('forests of our own', [TABLE], () => {
  it('trained on all rows with 20 seeds find the labels with a mean F1 of 0.85 to 0.89', () => {
    const { consumption, average, truth } = table();
    const matrix = matrixOf([consumption, average]);
    const found = Array.from({ length: 20 }, (_, seed) => {
      const scores = new Forest(growForest(matrix, { ...FOREST_DEFAULTS, seed })).score(matrix);
      const threshold = quantile(scores, 0.95);
      return {
        ...judge(
          [...scores].map((score) => score > threshold),
          truth,
        ),
        ap: averagePrecision(scores, truth),
      };
    });
    const mean = (of: (one: (typeof found)[number]) => number): number =>
      found.reduce((sum, one) => sum + of(one), 0) / found.length;
    expect(mean(({ f1 }) => f1)).toBeGreaterThanOrEqual(0.85);
    expect(mean(({ f1 }) => f1)).toBeLessThanOrEqual(0.89);
    expect(mean(({ ap }) => ap)).toBeGreaterThan(0.92);
  });

  it('trained on the first part of the time find the labels of the rest, and plain rules do not', () => {
    const { consumption, average, raw, truth } = table();
    const past = (column: readonly number[]): number[] => column.slice(47, 3_552);
    const later = (column: readonly number[]): number[] => column.slice(3_552);
    const test = truth.slice(3_552);
    expect(test.filter(Boolean)).toHaveLength(84);
    const forestOn = (columns: readonly (readonly number[])[]) => {
      const train = matrixOf(columns.map(past));
      const forest = new Forest(growForest(train, { ...FOREST_DEFAULTS, seed: 42 }));
      const threshold = quantile(forest.score(train), 0.95);
      const scores = forest.score(matrixOf(columns.map(later)));
      return {
        ...judge(
          [...scores].map((score) => score > threshold),
          test,
        ),
        ap: averagePrecision(scores, test),
      };
    };
    const rule = (score: (row: number) => number) => {
      const trained = Array.from({ length: 3_505 }, (_, row) => score(row + 47));
      const threshold = quantile(trained, 0.95);
      const scores = test.map((_, row) => score(row + 3_552));
      return {
        ...judge(
          scores.map((one) => one > threshold),
          test,
        ),
        ap: averagePrecision(scores, test),
      };
    };
    const two = forestOn([consumption, average]);
    expect(two.f1).toBeGreaterThan(0.81);
    expect(two.f1).toBeLessThan(0.92);
    expect(two.ap).toBeGreaterThan(0.93);
    const five = forestOn(raw);
    expect(five.f1).toBeLessThan(0.5);
    const fit = fitMahalanobis(matrixOf([past(consumption), past(average)]));
    const distances = mahalanobisOf(fit, matrixOf([consumption, average]));
    // The figures of scikit-learn and numpy on the same rows.
    expect(rounded(rule((row) => distances[row] ?? 0))).toEqual([0.87, 0.89, 0.88, 0.94]);
    const trained = past(consumption);
    const mean = trained.reduce((sum, value) => sum + value, 0) / trained.length;
    expect(rounded(rule((row) => Math.abs((consumption[row] ?? 0) - mean)))).toEqual([
      0.51, 0.51, 0.51, 0.47,
    ]);
    const median = quantile(trained, 0.5);
    expect(rounded(rule((row) => Math.abs((consumption[row] ?? 0) - median)))).toEqual([
      0.52, 0.51, 0.52, 0.46,
    ]);
    const byAverage = rule((row) => Math.abs((consumption[row] ?? 0) - (average[row] ?? 0)));
    expect(byAverage).toMatchObject({
      precision: expect.closeTo(0.32, 2) as number,
      recall: expect.closeTo(0.2, 2) as number,
    });
    expect(byAverage.ap).toBeCloseTo(0.25, 2);
  });
});
