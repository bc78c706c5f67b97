import { definedMembers, forEachUnit, markedTable, PipelineError, utf8 } from '../../kit/index.ts';
import type { LocalArtefact, PlainTools, StepImplementation, StepUnit } from '../../kit/index.ts';
import type { DayChanges } from '../anomalies/changes-step.ts';
import type { FleetDay } from '../marts/day.ts';
import { csvOf, metricsTable } from './csv.ts';
import { reasonsOf, reportedQuality } from './model.ts';
import type { MeterReport } from './model.ts';
import { renderPage } from './page.tsx';
import type { QualityDay } from '../quality/verdicts.ts';
import { renderQualityPage } from './quality-page.tsx';
import { fleetBefore, weekLoad, WEEK_LOAD_DAYS, weekLoadTable } from './week-load.ts';

/**
 * The document of a day with its tables as CSV and flat Parquet; sample data are marked in each.
 */
export const reportDaily: StepImplementation = {
  kind: 'plain',
  run: (task, tools) =>
    forEachUnit(task, async (unit) => {
      const sample = unit.sample ?? [];
      const fleet = await readJson<FleetDay>(unit, 'fleet', tools);
      const week = weekLoad([
        ...(await daysBefore<FleetDay>(unit, fleetBefore, WEEK_LOAD_DAYS - 1, tools)),
        fleet,
      ]);
      const quality = await readOptional<QualityDay>(unit, 'quality', tools);
      const changes = await readOptional<DayChanges>(unit, 'changes', tools);
      const report: MeterReport = {
        date: unit.scope,
        fleet,
        week,
        ...reasonsOf(fleet),
        ...definedMembers({ changes, quality: quality && reportedQuality(quality) }),
        ...(sample.length === 0 ? {} : { sample_data: sample }),
      };
      const table = metricsTable(report);
      return {
        scope: unit.scope,
        outputs: {
          report: { bytes: utf8(`${JSON.stringify(report)}\n`) },
          csv: { bytes: utf8(csvOf(table, sample)) },
          week: { bytes: utf8(csvOf(weekLoadTable(week), sample)) },
          table: {
            bytes: await tools.writeFlatParquet(markedTable(table, sample)),
            rows: table.rows.length,
          },
        },
        checks: [],
        facts: {},
      };
    }),
};

/** Drawn from the document alone. */
export const reportPage: StepImplementation = {
  kind: 'plain',
  run: (task, tools) =>
    forEachUnit(task, async (unit) => {
      const report = await readJson<MeterReport>(unit, 'report', tools);
      return {
        scope: unit.scope,
        outputs: { page: { bytes: utf8(renderPage(report)) } },
        checks: [],
        facts: {},
      };
    }),
};

/** Days before whose verdicts the trend shows: ninety with the day itself. */
export const TREND_DAYS = 89;

/** The name of the input that has the verdicts of so many days before. */
export function qualityBefore(days: number): string {
  return `quality_${days}`;
}

/** Days whose verdicts are not stored are left out of the trend. */
export const reportQuality: StepImplementation = {
  kind: 'plain',
  run: (task, tools) =>
    forEachUnit(task, async (unit) => {
      const days = await daysBefore<QualityDay>(unit, qualityBefore, TREND_DAYS, tools);
      days.push(await readJson<QualityDay>(unit, 'quality', tools));
      const page = renderQualityPage(days, unit.sample ?? []);
      return { scope: unit.scope, outputs: { page: { bytes: utf8(page) } }, checks: [], facts: {} };
    }),
};

/** The documents of so many days before that are there, oldest first. */
async function daysBefore<T>(
  unit: StepUnit,
  nameOf: (days: number) => string,
  most: number,
  tools: PlainTools,
): Promise<T[]> {
  const days: T[] = [];
  for (let back = most; back > 0; back -= 1)
    if ((unit.inputs[nameOf(back)] ?? []).length > 0)
      days.push(await readJson<T>(unit, nameOf(back), tools));
  return days;
}

async function readOptional<T>(
  unit: StepUnit,
  name: string,
  tools: PlainTools,
): Promise<T | undefined> {
  return (unit.inputs[name] ?? []).length === 0 ? undefined : readJson<T>(unit, name, tools);
}

async function readJson<T>(unit: StepUnit, name: string, tools: PlainTools): Promise<T> {
  const input: LocalArtefact | undefined = unit.inputs[name]?.[0];
  if (input === undefined)
    throw new PipelineError('INTERNAL', `the report of ${unit.scope} lacks ${name}`);
  return JSON.parse(new TextDecoder().decode(await tools.read(input))) as T;
}
