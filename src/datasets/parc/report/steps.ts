import { PipelineError, plainStep, utf8 } from '../../kit/index.ts';
import type { PlainTools, StepUnit } from '../../kit/index.ts';
import type { CapacityState } from '../transform.ts';
import type { ParcReport } from './model.ts';
import { reportCsv } from './model.ts';

/** `report/parc` and `report/page`. */

async function read<T>(unit: StepUnit, name: string, tools: PlainTools): Promise<T> {
  const input = unit.inputs[name]?.[0];
  if (input === undefined)
    throw new PipelineError('INTERNAL', `the report of ${unit.scope} lacks ${name}`);
  return JSON.parse(new TextDecoder().decode(await tools.read(input))) as T;
}

/** The state of the month as document and as CSV. */
export const reportParc = plainStep(async (unit, tools) => {
  const { period, rows } = await read<CapacityState>(unit, 'state', tools);
  const sample = unit.sample ?? [];
  const report: ParcReport = {
    schema: 'parc.report/1',
    date: unit.scope,
    period,
    rows,
    ...(sample.length === 0 ? {} : { sample_data: sample }),
  };
  const model = utf8(`${JSON.stringify(report)}\n`);
  return {
    outputs: { model: { bytes: model }, csv: { bytes: utf8(reportCsv(report)) } },
    checks: [],
    facts: {},
  };
});

/** Drawn from the document alone. */
export const reportPage = plainStep(async (unit, tools) => {
  const report = await read<ParcReport>(unit, 'model', tools);
  // The drawing code is loaded by the first page.
  const { renderParcPage } = await import('./page.tsx');
  return { outputs: { page: { bytes: utf8(renderParcPage(report)) } }, checks: [], facts: {} };
});
