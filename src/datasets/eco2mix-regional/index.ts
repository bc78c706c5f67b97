import type { Dataset } from '../kit/index.ts';
import { REGIONAL_DASHBOARDS } from './answers/dashboards.ts';
import { REGIONAL_QUESTIONS } from './answers/questions.ts';
import { REGIONAL_TABLES } from './answers/tables.ts';
import { metricsComparison } from './comparison.ts';
import { eco2mixRegionalDefinition } from './definition.ts';
import { metricsRegions } from './metrics.ts';
import { recogniseFile } from './recognise.ts';
import { reportPage, reportRegions } from './report/steps.ts';
import { rollupHistory, rollupMonth, rollupYear } from './rollup/periods.ts';
import { rowsOf } from './row-meaning.ts';
import { sliceRawFile } from './slice.ts';
import { PORTAL_SOURCES } from './source.ts';
import { transformRegions } from './transform.ts';

/**
 * French electricity by region: load, generation, exchanges, coverage rates and load factors, from
 * RTE's eCO2mix.
 */
export const eco2mixRegional: Dataset = {
  definition: eco2mixRegionalDefinition,
  sources: PORTAL_SOURCES,
  slice: sliceRawFile,
  steps: {
    'transform/regions': transformRegions,
    'metrics/regions': metricsRegions,
    'metrics/comparison': metricsComparison,
    'report/regions': reportRegions,
    'report/page': reportPage,
    'rollup/month': rollupMonth,
    'rollup/year': rollupYear,
    'rollup/history': rollupHistory,
  },
  tables: REGIONAL_TABLES,
  questions: REGIONAL_QUESTIONS,
  dashboards: REGIONAL_DASHBOARDS,
  recognise: recogniseFile,
  rowsOf,
};
