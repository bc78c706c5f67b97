import { readFileSync } from 'node:fs';
import {
  csvText,
  flatTable,
  forEachUnit,
  markedTable,
  previousDayName,
  utf8,
} from '../../kit/index.ts';
import type {
  FlatField,
  LocalArtefact,
  PlainTools,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { buildDaily } from './build-daily.ts';
import type { DayEvents } from './events.ts';
import type { ArchiveLine, DailyReport } from './model.ts';
import { madeUpFlux } from './model.ts';

/** How many days before a day the numbers of its archives are looked at over. */
export const DAYS_LOOKED_AT = 14;

/** `metrics/archives`: every archive of the day in one list, whatever its flux. */
export const metricsArchives: StepImplementation = {
  kind: 'sql',
  run: (task) =>
    forEachUnit(task, (unit) => {
      const sample = new Set(unit.sample);
      const lines = Object.entries(unit.inputs).flatMap(([part, [artefact]]) => {
        const own = artefact === undefined ? [] : linesOf(artefact);
        return sample.has(part) ? own.map((line) => ({ ...line, exemple: true as const })) : own;
      });
      const bytes = utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return Promise.resolve({
        scope: unit.scope,
        outputs: { archives: { bytes, rows: lines.length } },
        checks: [],
        facts: { rows: lines.length },
      });
    }),
};

function linesOf({ path }: LocalArtefact): ArchiveLine[] {
  return parseLines(readFileSync(path, 'utf8'));
}

function parseLines(text: string): ArchiveLine[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as ArchiveLine]));
}

/** `report/daily`: what arrived, what failed, what is missing; as model and CSV. */
export const reportDaily: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => {
    const lists = listsOnce(tools);
    return forEachUnit(task, (unit) => daily(unit, tools, lists));
  },
};

/** Reads lists of archives, each once: that of a day is read for the days after it as well. */
function listsOnce(
  tools: PlainTools,
): (artefact: LocalArtefact) => Promise<readonly ArchiveLine[]> {
  const lists = new Map<string, readonly ArchiveLine[]>();
  return async (artefact) => {
    const known = lists.get(artefact.ref.key);
    if (known !== undefined) return known;
    const lines = parseLines(new TextDecoder().decode(await tools.read(artefact)));
    lists.set(artefact.ref.key, lines);
    return lines;
  };
}

async function daily(
  unit: StepUnit,
  tools: PlainTools,
  listOf: ReturnType<typeof listsOnce>,
): Promise<UnitResult> {
  const read = async (name: string): Promise<readonly ArchiveLine[]> => {
    const [artefact] = unit.inputs[name] ?? [];
    return artefact === undefined ? [] : listOf(artefact);
  };
  const before: ArchiveLine[] = [];
  for (let days = 1; days <= DAYS_LOOKED_AT; days += 1)
    before.push(...(await read(previousDayName('archives', days))));
  const own = await read('archives');
  const [told] = unit.inputs['evenements'] ?? [];
  const events =
    told && (JSON.parse(new TextDecoder().decode(await tools.read(told))) as DayEvents);
  const report = buildDaily({
    date: unit.scope,
    own,
    before,
    daysLookedAt: DAYS_LOOKED_AT,
    events,
  });
  return {
    scope: unit.scope,
    outputs: {
      model: { bytes: utf8(`${JSON.stringify(report)}\n`) },
      csv: { bytes: utf8(dailyCsv(own)) },
      parquet: {
        bytes: await tools.writeFlatParquet(markedTable(flatTable(FIELDS, own), madeUpFlux(own))),
      },
    },
    checks: [],
    facts: { archives: own.length, failed: report.failures.length, gaps: gapsOf(report) },
  };
}

function gapsOf({ sequences }: DailyReport): number {
  return sequences.reduce((sum, { gaps }) => sum + gaps.length, 0);
}

/** The columns of the CSV, typed. */
const FIELDS: readonly FlatField<ArchiveLine>[] = [
  { name: 'flux', type: 'text', valueOf: ({ flux }) => flux },
  { name: 'archive', type: 'text', valueOf: ({ archive }) => archive },
  { name: 'horodatage', type: 'text', valueOf: ({ archive_timestamp: at }) => at },
  { name: 'fichiers', type: 'integer', valueOf: ({ documents }) => documents.length },
  {
    name: 'occurrences',
    type: 'integer',
    valueOf: ({ documents }) => documents.reduce((sum, { occurrences }) => sum + occurrences, 0),
  },
  { name: 'echec', type: 'text', valueOf: ({ failure_cause: cause }) => cause },
];

/** One line per archive; semicolons between, as French spreadsheets read it. */
function dailyCsv(lines: readonly ArchiveLine[]): string {
  const isSample = madeUpFlux(lines).length > 0;
  const head = [
    'flux',
    'archive',
    'horodatage',
    'fichiers',
    'occurrences',
    'echec',
    ...(isSample ? ['sample_data'] : []),
  ];
  const rows = lines.map(
    ({ flux, archive, archive_timestamp: at, documents, failure_cause: cause, exemple }) => {
      const occurrences = documents.reduce((sum, one) => sum + one.occurrences, 0);
      const mark = isSample ? [exemple === true ? flux : null] : [];
      return [flux, archive, at, documents.length, occurrences, cause, ...mark];
    },
  );
  return csvText([head, ...rows]);
}

/**
 * `report/page`: the report as one self-contained page; the drawing code is loaded by the first
 * page.
 */
export const reportPage: StepImplementation = {
  kind: 'plain',
  run: (task, tools) => forEachUnit(task, (unit) => page(unit, tools)),
};

async function page(unit: StepUnit, tools: PlainTools): Promise<UnitResult> {
  const [model] = unit.inputs['model'] ?? [];
  const { renderDailyPage } = await import('./daily-page.tsx');
  const outputs: Record<string, { bytes: Uint8Array }> = {};
  if (model !== undefined) {
    const report = JSON.parse(new TextDecoder().decode(await tools.read(model))) as DailyReport;
    outputs['page'] = { bytes: utf8(renderDailyPage(report)) };
  }
  return { scope: unit.scope, outputs, checks: [], facts: {} };
}
