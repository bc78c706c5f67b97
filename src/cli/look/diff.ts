import { compareVersions } from '../../engine/look/compare-versions.ts';
import { readVersions, versionOf } from '../../engine/look/day-dossier.ts';
import { datasetOf } from '../../engine/engine.ts';
import { PipelineError } from '../../errors.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type {
  ColumnDiff,
  DocumentDiff,
  OutputDiff,
  StepDiff,
  TableDiff,
  ValueChange,
  VersionDiff,
} from '../../pipelines/version-diff.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { decisionLine } from '../shared/decision-line.ts';
import { withLocal } from '../shared/instants.ts';
import { count, formatBytes, shortHash } from '../shared/measures.ts';
import { wholeScope, parseVersion } from '../shared/scope-argument.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Compares stored versions; nothing is made for it. */
export interface DiffCommand {
  readonly pipeline: string;
  /** A day, or a period such as `2024-01`, `2024` or `all`. */
  readonly date: string;
  /** `<from>..<to>`; the last two without it. */
  readonly versions?: string | undefined;
}

/** Columns or paths printed of one output; `--json` has all that is kept. */
const MAX_LINES = 12;

/** `quotidien diff`: what changed between two versions of a day or period, and why. */
export async function diff(
  context: CommandContext,
  { pipeline, date, versions }: DiffCommand,
): Promise<ExitCode> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, pipeline);
  const scope = wholeScope(date);
  const manifests = await readVersions(engine, pipeline, scope);
  const [before, after] =
    versions === undefined
      ? lastTwo(manifests, `${pipeline} ${scope}`)
      : chosen(manifests, versions);
  const result = await compareVersions(engine, before, after, context.signal);
  context.terminal.data(result);
  print(context.terminal, result, definition.zone);
  return EXIT.done;
}

function lastTwo(manifests: readonly Manifest[], title: string): [Manifest, Manifest] {
  const [before, after] = manifests.slice(-2);
  if (before !== undefined && after !== undefined) return [before, after];
  const found = before === undefined ? 'no version' : 'one version only';
  throw new PipelineError('INPUT_INVALID', `${title} has ${found}: there is nothing to compare`);
}

function chosen(manifests: readonly Manifest[], text: string): [Manifest, Manifest] {
  const [from, to, ...rest] = text.split('..');
  if (from === undefined || to === undefined || rest.length > 0) {
    throw new PipelineError(
      'INPUT_INVALID',
      `--versions takes two numbers such as 1..2, not ${JSON.stringify(text)}`,
    );
  }
  return [versionOf(manifests, parseVersion(from)), versionOf(manifests, parseVersion(to))];
}

function print(terminal: Terminal, result: VersionDiff, zone: string): void {
  const { pipeline, scope, from, to, facts, decisions = [], steps } = result;
  const { colours } = terminal;
  terminal.line(colours.bold(`${pipeline} ${scope}  version ${from.version} → ${to.version}`));
  const told = ({ committedAt, verdict }: typeof from): string =>
    `${withLocal(committedAt, zone)}, ${verdict}`;
  terminal.line(`${told(from)} → ${told(to)}`);
  if (facts.length > 0) {
    terminal.line();
    terminal.line(colours.bold('facts'));
    for (const change of facts) terminal.line(`  ${changeText(change)}`);
  }
  if (decisions.length > 0) {
    terminal.line();
    terminal.line(colours.bold('decisions'));
    for (const decision of decisions) terminal.line(`  ${decisionLine(decision, zone)}`);
  }
  for (const step of steps) printStep(terminal, step);
  if (steps.length === 0) {
    terminal.line();
    terminal.line('No step differs.');
  }
}

function printStep(terminal: Terminal, { step, before, after, why, outputs }: StepDiff): void {
  const states = before === after ? '' : `${before ?? 'not there'} → ${after ?? 'not there'}; `;
  terminal.line();
  terminal.line(`${terminal.colours.bold(step)}  ${states}${why}`);
  if (outputs.length === 0 && after === 'done') terminal.line('  the same bytes came out');
  for (const output of outputs) for (const line of outputLines(output)) terminal.line(`  ${line}`);
}

function outputLines({ output, before, after, content }: OutputDiff): string[] {
  const size = (side: OutputDiff['before']): string =>
    side === null ? 'none' : `${shortHash(side.sha256)} ${formatBytes(side.bytes)}`;
  const head = `${output}  ${size(before)} → ${size(after)}`;
  switch (content.kind) {
    case 'bytes':
      return [`${head}: ${content.why}`];
    case 'table':
      return [
        `${head}: ${tableText(content)}`,
        ...limited(content.columns.map(columnText)),
        ...namedLines(content),
      ];
    case 'document':
      return [`${head}: ${documentText(content)}`, ...limited(content.changes.map(changeText))];
  }
}

function tableText({
  keyColumns,
  rowsBefore,
  rowsAfter,
  added,
  removed,
  changed,
  ...columns
}: TableDiff): string {
  const by = keyColumns.length === 0 ? 'as whole rows' : `by ${keyColumns.join(', ')}`;
  const rows = `${rowsBefore} → ${rowsAfter} rows ${by}: ${added} added, ${removed} removed, ${changed} changed`;
  const names = [
    ...columns.columnsAdded.map((name) => `new column ${name}`),
    ...columns.columnsRemoved.map((name) => `column ${name} is gone`),
  ];
  return [rows, ...names].join('; ');
}

/** One line for each kind of change of rows that have names, and how many rows have none here. */
export function namedLines({ named = [], changed, removed, added }: TableDiff): string[] {
  if (named.length === 0) return [];
  const lines = (['changed', 'removed', 'added'] as const).flatMap((change) => {
    const names = named.filter((row) => row.change === change).map(({ name }) => name);
    return names.length === 0 ? [] : [`  rows ${change}: ${names.join(', ')}`];
  });
  const left = changed + removed + added - named.length;
  return left > 0 ? [...lines, `  and ${left} more rows`] : lines;
}

function columnText({ column, changed, largest }: ColumnDiff): string {
  const values = `${column.padEnd(24)} ${count(changed, 'value')}`;
  if (largest === null) return values;
  const { difference, before, after, at } = largest;
  const row = Object.values(at).map(String).join(', ');
  return `${values}; largest ${signed(difference)} at ${row} (${shown(before)} → ${shown(after)})`;
}

function documentText({ added, removed, changed }: DocumentDiff): string {
  return `${added} added, ${removed} removed, ${changed} changed`;
}

function changeText({ path, before, after, difference }: ValueChange): string {
  const values = `${shown(before)} → ${shown(after)}`;
  return `${path.padEnd(24)} ${values}${difference === undefined ? '' : `  (${signed(difference)})`}`;
}

function shown(value: ValueChange['before']): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}

function signed(number: number): string {
  return number > 0 ? `+${number}` : String(number);
}

function limited(lines: readonly string[]): string[] {
  const left = lines.length - MAX_LINES;
  const shownLines = lines.slice(0, MAX_LINES).map((line) => `  ${line}`);
  return left > 0 ? [...shownLines, `  and ${left} more; --json lists them`] : shownLines;
}
