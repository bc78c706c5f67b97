import type { Dataset } from '../kit/index.ts';
import { PARC_TABLES } from './answers.ts';
import { parcDefinition } from './definition.ts';
import { PARC_QUESTIONS } from './questions.ts';
import { recogniseFile } from './recognise.ts';
import { reportPage, reportParc } from './report/steps.ts';
import { rollupHistory, rollupMonth, rollupYear } from './rollups.ts';
import { rowsOf } from './row-meaning.ts';
import { sliceRawFile } from './slice.ts';
import { PARC_SOURCES } from './source.ts';
import { transformParc } from './transform.ts';

/**
 * Installed capacity of French generation: derived from RTE's monthly figures, and as ODRE's
 * register has it.
 */
export const parc: Dataset = {
  definition: parcDefinition,
  sources: PARC_SOURCES,
  slice: sliceRawFile,
  steps: {
    'transform/parc': transformParc,
    'report/parc': reportParc,
    'report/page': reportPage,
    'rollup/month': rollupMonth,
    'rollup/year': rollupYear,
    'rollup/history': rollupHistory,
  },
  tables: PARC_TABLES,
  questions: PARC_QUESTIONS,
  recognise: recogniseFile,
  rowsOf,
};
