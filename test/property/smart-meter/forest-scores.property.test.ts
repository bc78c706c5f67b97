import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Forest } from '../../../src/datasets/smart-meter/anomalies/forest-scores.ts';
import {
  growForest,
  matrixOf,
  meanPath,
} from '../../../src/datasets/smart-meter/anomalies/forest.ts';
import type { Matrix, Tree } from '../../../src/datasets/smart-meter/anomalies/forest.ts';

/** The score of a row by walking the trees, as the paper has it. */
function walkedScore(trees: readonly Tree[], { columns }: Matrix, row: number): number {
  let paths = 0;
  for (const tree of trees) {
    let [node, edges] = [0, 0];
    for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[node]!) {
      node =
        columns[feature]![row]! <= tree.threshold[node]! ? tree.left[node]! : tree.right[node]!;
      edges += 1;
    }
    paths += edges + meanPath(tree.samples[node]!);
  }
  return 2 ** (-paths / (meanPath(Math.max(2, trees[0]!.samples[0]!)) * trees.length));
}

/** Few different values: rows that lie on a cut, and features that do not vary. */
const values = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.float(), fc.constant(Number.NaN));

it('gives every row exactly the score of walking its trees', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }).chain((width) =>
        fc.record({
          grown: fc.array(
            fc.array(fc.float({ noNaN: true, min: -4, max: 4 }), {
              minLength: width,
              maxLength: width,
            }),
            {
              minLength: 1,
              maxLength: 40,
            },
          ),
          scored: fc.array(fc.array(values, { minLength: width, maxLength: width }), {
            minLength: 1,
            maxLength: 11,
          }),
          seed: fc.integer({ min: 0, max: 1_000 }),
          width: fc.constant(width),
        }),
      ),
      ({ grown, scored, seed, width }) => {
        const columnsOf = (rows: readonly (readonly number[])[]): number[][] =>
          Array.from({ length: width }, (_, feature) => rows.map((row) => row[feature]!));
        const trees = growForest(matrixOf(columnsOf(grown)), { trees: 7, sampleRows: 32, seed });
        // What it was grown from lies on some of its cuts.
        const matrix = matrixOf(columnsOf([...scored, ...grown]));
        const scores = new Forest(trees).score(matrix);
        expect([...scores]).toEqual(
          Array.from(scores, (_, row) => walkedScore(trees, matrix, row)),
        );
      },
    ),
    { numRuns: 300 },
  );
});

it('scores blocks of rows as it scores single rows', () => {
  const rows = 5_003;
  const column = Array.from({ length: rows }, (_, row) => Math.sin(row) * row);
  const matrix = matrixOf([column, [...column].reverse()]);
  const forest = new Forest(growForest(matrix, { trees: 20, sampleRows: 256, seed: 3 }));
  const scores = forest.score(matrix);
  for (const row of [0, 1, 2_047, 2_048, 4_096, 5_000, 5_001, 5_002])
    expect(forest.score(matrixOf([[column[row]!], [column.at(-1 - row)!]]))[0]).toBe(scores[row]);
});
