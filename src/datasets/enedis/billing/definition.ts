import { definePart, defineStep, downloadStep, linesFile } from '../../kit/index.ts';
import type { PartDefinition, StepDefinition } from '../../kit/index.ts';
import { LINES_PART } from '../lines/part.ts';
import { LINES_CHECK } from '../lines/transform-lines.ts';
import { PERSONAL, table, TEN_YEARS } from '../tables-of-persons.ts';

/** The part, steps and periods of invoice lines. */

/** Kept sealed: a line names the customer's contract, and invoices rest on it. */
export const LINES: PartDefinition = definePart({
  id: LINES_PART,
  title: 'Invoice lines of the ERP, drafts and what was invoiced',
  source: 'import',
  decoding: ['unseal', 'read'],
  columns: PERSONAL,
  rawRetention: TEN_YEARS,
});

const SLICES = `slices/enedis/${LINES_PART}`;

/** Lines of the files of a day; of a line that several files have one counts. */
export const LINES_STEPS: readonly StepDefinition[] = [
  downloadStep(LINES, SLICES, { outputs: { slice: table(SLICES) }, timeout: '20 minutes' }),
  defineStep({
    id: `transform/${LINES_PART}`,
    version: 2,
    title: 'The invoice lines of a campaign',
    inputs: [{ name: 'slice', step: `download/${LINES_PART}`, output: 'slice' }],
    outputs: {
      lignes: table('core/enedis/lignes'),
      archives: linesFile(`core/enedis/archives-${LINES_PART}`),
    },
    checks: [LINES_CHECK],
  }),
];

/** What the months of deliveries and the history have of them. */
export const LINES_OF_MONTH = {
  name: LINES_PART,
  step: `transform/${LINES_PART}`,
  output: 'lignes',
  each: 'day',
} as const;
/** The same for the history, which reads months. */
export const LINES_OF_HISTORY = {
  name: LINES_PART,
  step: 'rollup/month',
  output: 'lignes',
  each: 'month',
} as const;
/** Outputs of the history, by name. */
export const BILLING_TABLES = ['lignes', 'taxes'] as const;
