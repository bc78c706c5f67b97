import { definedMembers } from '../../given.ts';
import { importStored } from '../../engine/download/import-file.ts';
import { datasetOf } from '../../engine/engine.ts';
import { dueFiles, tryFiles, whatBecame } from '../../engine/watch/fetch-folder.ts';
import type { PartFiles } from '../../engine/watch/fetch-folder.ts';
import type { FolderRequest } from '../../engine/contract.ts';
import { PipelineError } from '../../errors.ts';
import { dayLines, partLines } from '../../pipelines/fetched-files.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { RevisedDay } from '../../workflows/watch.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { commandControl } from '../shared/control.ts';
import { count } from '../shared/measures.ts';
import { dayResult, finishRollup, resultOf, startDay, startWatch } from '../temporal/runs.ts';
import type { RunTarget } from '../temporal/runs.ts';
import { withTemporal } from '../temporal/temporal.ts';

/** How a folder's files are fetched; see `FetchCommand.mode`. */
const MODES = ['incremental', 'all', 'test', 'rebuild', 'resync'] as const;

/** What a person asks of a folder that files come into. */
export interface FetchCommand {
  readonly pipeline: string;
  /** Empty: every part whose files come into a folder. */
  readonly parts: readonly string[];
  /**
   * - incremental (default): what the journal lacks or calls failed, of these parts or of all;
   *   `all` is the same, of all parts.
   * - test: two files of each part are fetched and decoded, and nothing is kept.
   * - rebuild: every day anew from the files that are kept; nobody is asked.
   * - resync: every file of the folder once more, confirmed by `yes`.
   */
  readonly mode?: string;
  readonly yes?: boolean;
}

/** Of each part, in a test. */
const TRIED = 2;

/**
 * `quotidien fetch`: brings files of a folder and makes the days that they change; a part of which
 * nothing can be read fails the command.
 */
export async function fetchFolder(
  context: CommandContext,
  command: FetchCommand,
): Promise<ExitCode> {
  const asked = command.mode ?? MODES[0];
  const mode = MODES.find((name) => name === asked);
  if (mode === undefined)
    throw new PipelineError('INPUT_INVALID', `--mode takes ${MODES.join(', ')}, not ${asked}`);
  if (command.parts.length > 0 && (mode === 'all' || mode === 'rebuild'))
    throw new PipelineError('INPUT_INVALID', `--mode ${mode} is of all parts; name none`);
  const parts =
    command.parts.length === 0 ? undefined : command.parts.map((part) => part.toLowerCase());
  datasetOf(context, command.pipeline);
  if (mode === 'test') return test(context, command.pipeline, parts);
  if (mode === 'rebuild') {
    await noteCommand(context, {
      action: 'fetch',
      target: command.pipeline,
      reason: 'quotidien fetch --mode rebuild',
    });
    return rebuild(context, command.pipeline);
  }
  const again = mode === 'resync' ? true : undefined;
  await noteCommand(context, {
    action: 'fetch',
    target: command.pipeline,
    reason: `quotidien fetch --mode ${mode}`,
  });
  return bring(context, command, definedMembers({ parts, again }));
}

async function test(
  context: CommandContext,
  pipeline: string,
  parts: readonly string[] | undefined,
): Promise<ExitCode> {
  const engine = await context.engine();
  const dataset = datasetOf(engine, pipeline);
  const tried = await tryFiles(engine, commandControl(context, 'fetch'), dataset, {
    parts,
    count: TRIED,
  });
  context.terminal.data({ mode: 'test', parts: tried });
  tellParts(context, tried);
  context.terminal.line(
    tried.length === 0 ? 'the folder has no file of these parts' : 'nothing of them is kept',
  );
  return exitOf(tried, []);
}

async function bring(
  context: CommandContext,
  command: FetchCommand,
  folder: FolderRequest,
): Promise<ExitCode> {
  const { terminal } = context;
  const { pipeline } = command;
  const engine = await context.engine();
  const since = engine.now();
  const due = await dueFiles(
    engine,
    commandControl(context, 'fetch'),
    datasetOf(engine, pipeline),
    folder,
  );
  if (folder.again === true && command.yes !== true) {
    const days = new Set(due.map(({ day }) => day.date)).size;
    const what = `${count(due.length, 'file')} of ${count(days, 'day')} would be fetched once more`;
    throw new PipelineError('INPUT_INVALID', `${what}; confirm it with --yes`);
  }
  const changed =
    due.length === 0
      ? []
      : await withTemporal(context, (target) => watchFolder(target, pipeline, folder));
  const became = await whatBecame(engine, pipeline, due, since);
  terminal.data({ mode: folder.again === true ? 'resync' : 'incremental', parts: became, changed });
  if (due.length === 0) terminal.line('the folder has nothing new');
  tellParts(context, became);
  for (const line of dayLines(changed)) terminal.line(line);
  return exitOf(became, changed);
}

async function watchFolder(
  target: RunTarget,
  pipeline: string,
  folder: FolderRequest,
): Promise<readonly RevisedDay[]> {
  const { changed } = await resultOf(await startWatch(target, pipeline, folder));
  await finishRollup(target, pipeline);
  return changed;
}

/** What is kept is read again, and its days are made of that. */
async function rebuild(context: CommandContext, pipeline: string): Promise<ExitCode> {
  const { terminal } = context;
  const outcomes = await importStored(
    await context.engine(),
    pipeline,
    commandControl(context, 'fetch'),
  );
  const refused = outcomes.flatMap((one) => ('code' in one ? [one] : []));
  const dates = new Set(outcomes.flatMap((one) => ('code' in one ? [] : [one.recognised.from])));
  const made = [...dates].sort();
  await withTemporal(context, async (target) => {
    for (const date of made) await remake(target, pipeline, date);
    await finishRollup(target, pipeline);
  });
  terminal.data({ mode: 'rebuild', days: made, refused });
  for (const { file, code, message } of refused) terminal.line(`${file}: ${code}: ${message}`);
  terminal.line(`${count(made.length, 'day')} made of what is kept`);
  return refused.length === 0 ? EXIT.done : EXIT.failed;
}

async function remake(target: RunTarget, pipeline: string, date: CivilDate): Promise<void> {
  await dayResult(await startDay(target, { pipeline, date, offline: true }));
}

function tellParts({ terminal }: CommandContext, parts: readonly PartFiles[]): void {
  const told = parts.map(({ failed, left, ...part }) => {
    const causes = failed.map(({ message }) => message);
    return { ...part, failed: failed.length, causes, left: left.length };
  });
  for (const line of partLines(told)) terminal.line(line);
}

/**
 * A part of whose files none could be read fails the command; where others could, it is done and
 * not whole.
 */
function exitOf(parts: readonly PartFiles[], changed: readonly RevisedDay[]): ExitCode {
  if (parts.some(({ landed }) => landed === 0) || changed.some(({ failure }) => failure !== null))
    return EXIT.failed;
  return parts.some(({ files, landed }) => landed < files) ? EXIT.degraded : EXIT.done;
}
