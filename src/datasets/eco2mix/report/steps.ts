import { canonicalJson, forEachUnit, markedTable, utf8 } from '../../kit/index.ts';
import type {
  JsonObject,
  PlainTools,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import type { DayComparison, DayMetrics } from '../metrics-model.ts';
import { buildReport } from './build.ts';
import { curvesCsv } from './curves-csv.ts';
import { indicatorTable } from './indicators.ts';
import { optionalInput, readDocument, requiredInput } from './inputs.ts';
import type { ReportModel } from './model.ts';
import { REPORT_SCHEMA } from './model.ts';

/**
 * `report/national`: the day's report as JSON model, as CSV of its curves and as flat table of its
 * figures. Inputs: `core` (its facts and checks only), `metrics`, and `comparison` when there is
 * one. Its parameter `step_versions` is listed in the provenance.
 */
export const reportNational: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => forEachUnit(task, (unit) => nationalReport(unit, task.params, tools)),
};

/**
 * `report/page`: the model as one self-contained page. The chart engine is loaded by the first
 * page, not with the worker.
 */
export const reportPage: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => forEachUnit(task, (unit) => pageOfModel(unit, tools)),
};

async function nationalReport(
  unit: StepUnit,
  params: JsonObject,
  tools: PlainTools,
): Promise<UnitResult> {
  const core = requiredInput(unit, 'core');
  const metrics = requiredInput(unit, 'metrics');
  const comparison = optionalInput(unit, 'comparison');
  const model = buildReport({
    metrics: await readDocument<DayMetrics>(tools, metrics, {
      schema: 'eco2mix.metrics/1',
      date: unit.scope,
      madeBy: 'metrics/national',
    }),
    comparison:
      comparison === undefined
        ? null
        : await readDocument<DayComparison>(tools, comparison, {
            schema: 'eco2mix.comparison/1',
            date: unit.scope,
            madeBy: 'metrics/comparison',
          }),
    artefacts: { core, metrics, comparison },
    params,
    notes: unit.notes ?? [],
    unanswered: unit.unanswered ?? [],
    accepted: unit.accepted ?? [],
    sample: unit.sample ?? [],
  });
  const sample = model.sample_data ?? [];
  return {
    scope: unit.scope,
    outputs: {
      model: { bytes: utf8(`${canonicalJson(model)}\n`) },
      csv: {
        bytes: utf8(curvesCsv(model.metrics.curves, sample)),
        rows: model.metrics.curves.at.length,
      },
      table: {
        bytes: await tools.writeFlatParquet(
          markedTable(indicatorTable(model.date, model.indicators), sample),
        ),
        rows: model.indicators.length,
      },
    },
    checks: [],
    facts: factsOf(model),
  };
}

function factsOf({ revision, metrics, status, sections }: ReportModel): JsonObject {
  return {
    revision,
    coverage: metrics.load.coverage,
    rows: metrics.curves.at.length,
    status,
    sections: Object.fromEntries(
      Object.entries(sections).map(([name, section]) => [name, section.status]),
    ),
  };
}

async function pageOfModel(unit: StepUnit, tools: PlainTools): Promise<UnitResult> {
  const model = await readDocument<ReportModel>(tools, requiredInput(unit, 'model'), {
    schema: REPORT_SCHEMA,
    date: unit.scope,
    madeBy: 'report/national',
  });
  const { renderReportPage } = await import('./page/page.tsx');
  const page = utf8(renderReportPage(model));
  return {
    scope: unit.scope,
    outputs: { page: { bytes: page } },
    checks: [],
    facts: {
      revision: model.revision,
      coverage: model.metrics.load.coverage,
      status: model.status,
    },
  };
}
