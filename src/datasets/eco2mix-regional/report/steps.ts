import {
  canonicalJson,
  definedMembers,
  inputOf,
  markedTable,
  PipelineError,
  plainStep,
  utf8,
} from '../../kit/index.ts';
import type {
  JsonObject,
  LocalArtefact,
  PlainTools,
  StepImplementation,
  StepUnit,
} from '../../kit/index.ts';
import type { NationalComparison, RegionsDay } from '../metrics-model.ts';
import { regionRows, regionsCsv, regionsTable } from './tables.ts';
import type { RegionsReport } from './model.ts';
import { REPORT_SCHEMA } from './model.ts';

/** `report/regions`: the day as JSON model, as CSV and as flat table, one row per region. */
export const reportRegions: StepImplementation = plainStep(async (unit, tools) => {
  const metrics = await readDocument<RegionsDay>(tools, required(unit, 'metrics'));
  const comparison = inputOf(unit, 'comparison');
  const notes = unit.notes ?? [];
  const sample = unit.sample ?? [];
  const model: RegionsReport = {
    schema: REPORT_SCHEMA,
    date: unit.scope,
    metrics,
    comparison:
      comparison === undefined ? null : await readDocument<NationalComparison>(tools, comparison),
    ...(notes.length === 0 ? {} : { notes }),
    ...definedMembers({ unanswered: unit.unanswered, accepted: unit.accepted }),
    ...(sample.length === 0 ? {} : { sample_data: sample }),
  };
  const rows = regionRows(model);
  return {
    outputs: {
      model: { bytes: utf8(`${canonicalJson(model)}\n`) },
      csv: { bytes: utf8(regionsCsv(rows, sample)), rows: rows.length },
      table: {
        bytes: await tools.writeFlatParquet(markedTable(regionsTable(rows), sample)),
        rows: rows.length,
      },
    },
    checks: [],
    facts: factsOf(model),
  };
});

/**
 * `report/page`: the model as one self-contained page. The drawing library is loaded by the first
 * page, not with the worker.
 */
export const reportPage: StepImplementation = plainStep(async (unit, tools) => {
  const model = await readDocument<RegionsReport>(tools, required(unit, 'model'));
  const { renderReportPage } = await import('./page.tsx');
  return {
    outputs: { page: { bytes: utf8(renderReportPage(model)) } },
    checks: [],
    facts: factsOf(model),
  };
});

function factsOf({ metrics: { revision, regions } }: RegionsReport): JsonObject {
  return { revision, coverage: Math.min(...regions.map(({ load }) => load.coverage)) };
}

function required(unit: StepUnit, name: string): LocalArtefact {
  const artefact = inputOf(unit, name);
  if (artefact !== undefined) return artefact;
  throw new PipelineError(
    'INTERNAL',
    `the report of ${unit.scope} was started without its input ${name}`,
  );
}

async function readDocument<T>(tools: PlainTools, artefact: LocalArtefact): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await tools.read(artefact))) as T;
}
