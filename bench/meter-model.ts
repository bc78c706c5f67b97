import { FOREST_DEFAULTS, growForest } from '../src/datasets/smart-meter/anomalies/forest.ts';
import { FEATURES } from '../src/datasets/smart-meter/anomalies/meter-day.ts';
import { MODEL_KIND, modelText } from '../src/datasets/smart-meter/anomalies/model.ts';

const ROWS = 10_000;
const SEED = 1;

/**
 * The file of a model with 100 trees, of the size and depth of a trained one, that holds from a
 * day.
 */
export function meterModelText(date: string): string {
  const columns = FEATURES.map((_, seed) =>
    Float32Array.from({ length: ROWS }, (__, row) => (Math.sin(row * (seed + 1.37)) * 1_000) % 1),
  );
  const span = { from: date, to: date };
  return modelText({
    kind: MODEL_KIND,
    valid_from: date,
    features: [...FEATURES],
    parameters: {
      trees: FOREST_DEFAULTS.trees,
      sample_rows: FOREST_DEFAULTS.sampleRows,
      contamination: 0.05,
    },
    seed: SEED,
    days: { train: span, validation: span, test: span },
    input: 'made up',
    rows: ROWS,
    threshold: 0.6,
    severity: { low: 0.6, medium: 0.7, high: 0.8 },
    metrics: [],
    psi: 0,
    champion: null,
    trees: growForest({ columns, rows: ROWS }, { ...FOREST_DEFAULTS, seed: SEED }),
  });
}
