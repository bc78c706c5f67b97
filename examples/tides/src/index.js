import { defineDataset } from 'quotidien/kit';
import { definition } from './definition.js';
import { recognise } from './recognise.js';
import { slice } from './slice.js';
import { LEVEL_SOURCE } from './source.js';
import { metricsDay, reportDay, transformLevels } from './steps.js';

/** The dataset: `datasets` in `.quotidien/settings.json` names this module. */
export default defineDataset({
  definition,
  sources: { levels: LEVEL_SOURCE },
  slice,
  recognise,
  steps: {
    'transform/levels': transformLevels,
    'metrics/day': metricsDay,
    'report/day': reportDay,
  },
});
