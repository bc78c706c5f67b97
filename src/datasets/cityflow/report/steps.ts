import { forEachUnit, markedTable, PipelineError, utf8 } from '../../kit/index.ts';
import type {
  LocalArtefact,
  PlainTools,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { SECTIONS } from '../definition.ts';
import { allCounters } from '../metrics/bikes.ts';
import type { UsualMetrics } from '../metrics/usual.ts';
import type { NetworkMap } from '../transform/network.ts';
import { buildReport } from './build.ts';
import { reportCsv } from './csv.ts';
import type { DayMetrics, Report } from './model.ts';
import { REPORT_SCHEMA } from './model.ts';
import { thresholdsOf } from '../thresholds.ts';
import { arcsTable, countersTable } from './tables.ts';

/**
 * `report/daily`: the report as JSON, CSV and flat tables, from stored metrics only, whatever of
 * them is there.
 */
export const reportDaily: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => forEachUnit(task, (unit) => daily(unit, task, tools)),
};

/**
 * `report/page`: the report as one self-contained page with a map; the drawing code is loaded by
 * the first page.
 */
export const reportPage: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => forEachUnit(task, (unit) => page(unit, task, tools)),
};

const HISTORY = 'history';
const USUAL = 'usual';

/**
 * The documents whose shape has changed since it was the first; all others have that of version 1.
 */
const SCHEMAS: Readonly<Record<string, number>> = {
  bikes: 2,
  traffic: 2,
  comptages: 2,
  history: 2,
};

function schemaOf(name: string): string {
  return `cityflow.${name}/${SCHEMAS[name] ?? 1}`;
}

/**
 * Reads a document that another step wrote for this day; null when there is none. `INPUT_INVALID`
 * when it is of another day.
 */
async function read<T>(
  tools: PlainTools,
  unit: StepUnit,
  name: string,
  schema: string,
): Promise<T | null> {
  const artefact = unit.inputs[name]?.[0];
  if (artefact === undefined) return null;
  const document = JSON.parse(new TextDecoder().decode(await tools.read(artefact))) as {
    schema?: string;
    date?: string;
  };
  if (document.schema !== schema || document.date !== unit.scope) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${artefact.ref.key} holds ${String(document.schema)} of ${String(document.date)} where ${schema} of ${unit.scope} is needed: re-run its step`,
    );
  }
  return document as T;
}

async function metricsOf(tools: PlainTools, unit: StepUnit): Promise<DayMetrics> {
  const entries: [string, unknown][] = [];
  for (const name of [...SECTIONS, HISTORY])
    entries.push([name, await read(tools, unit, name, schemaOf(name))]);
  return Object.fromEntries(entries) as unknown as DayMetrics;
}

async function daily(unit: StepUnit, task: StepTask, tools: PlainTools): Promise<UnitResult> {
  const usual = await read<UsualMetrics>(tools, unit, USUAL, schemaOf(USUAL));
  const metrics = { ...(await metricsOf(tools, unit)), usual };
  const names = [...SECTIONS, HISTORY, USUAL];
  const artefacts = Object.fromEntries(
    names.map((name): [string, LocalArtefact | undefined] => [name, unit.inputs[name]?.[0]]),
  );
  const report = buildReport({
    date: unit.scope,
    metrics,
    artefacts,
    params: task.params,
    notes: unit.notes ?? [],
    unanswered: unit.unanswered ?? [],
    sample: unit.sample ?? [],
  });
  const sample = report.sample_data ?? [];
  const arcs = metrics.comptages?.metrics ?? [];
  const counters = metrics.bikes === null ? [] : allCounters(metrics.bikes);
  return {
    scope: unit.scope,
    outputs: {
      report: { bytes: utf8(`${JSON.stringify(report)}\n`) },
      csv: { bytes: utf8(reportCsv(report)) },
      arcs: {
        bytes: await tools.writeFlatParquet(markedTable(arcsTable(arcs), sample)),
        rows: arcs.length,
      },
      counters: {
        bytes: await tools.writeFlatParquet(markedTable(countersTable(counters), sample)),
        rows: counters.length,
      },
    },
    checks: [],
    facts: { sections: { ...report.sections }, coverage: metrics.comptages?.coverage.taux ?? null },
  };
}

async function page(unit: StepUnit, task: StepTask, tools: PlainTools): Promise<UnitResult> {
  const report = await read<Report>(tools, unit, 'report', REPORT_SCHEMA);
  if (report === null)
    throw new PipelineError('INTERNAL', `the page of ${unit.scope} was started without its report`);
  const metrics = await metricsOf(tools, unit);
  // The network has no date of its own, and is the day's all the same.
  const map = await read<NetworkMap>(tools, unit, 'map', 'cityflow.map/1');
  const { renderReportPage } = await import('./page/page.tsx');
  return {
    scope: unit.scope,
    outputs: {
      page: {
        bytes: utf8(
          renderReportPage({ report, metrics, map, thresholds: thresholdsOf(task.params) }),
        ),
      },
    },
    checks: [],
    facts: { sections: { ...report.sections } },
  };
}
