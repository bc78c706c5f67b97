import {
  ChildWorkflowFailure,
  executeChild,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { FolderRequest } from '../engine/contract.ts';
import { definedMembers, firstOf } from '../given.ts';
import { dayLines, partLines } from '../pipelines/fetched-files.ts';
import type { FetchedPart, MadeDay } from '../pipelines/fetched-files.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { AwaitedDays, isOwnCancellation } from './await-day.ts';
import { CONTROL_RETRY, SURVEY_RETRY } from './control-retry.ts';
import { checkInput, listOf, oneOf, optional, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { codedFailure, withPlainFailures } from './plain-failures.ts';
import { describeRun } from './search-attributes.ts';
import { watch } from './watch.ts';
import { window } from './window.ts';

const MODES = ['all', 'test', 'rebuild', 'resync'] as const;

/** One run per pipeline at a time. */
export interface FetchInput {
  readonly pipeline: string;
  /**
   * - all: what the journal of the folders lacks or calls failed.
   * - test: two files of each part are fetched and decoded, and nothing is kept.
   * - rebuild: every day anew from the files that are kept; nobody is asked.
   * - resync: every file of the folders once more.
   */
  readonly mode: (typeof MODES)[number];
  /** Default: every part whose files come into a folder. A rebuild is of all parts. */
  readonly parts?: readonly string[];
}

const FETCH_INPUT: Shape<FetchInput> = {
  pipeline: text,
  mode: oneOf(MODES),
  parts: optional(listOf(text)),
};

/**
 * What `quotidien fetch` prints of the same. A run that fails has it in the details of its failure.
 */
export interface FetchResult {
  readonly output: string;
}

interface Told {
  readonly lines: readonly string[];
  /** Why the work counts as failed; the lines tell the rest. */
  readonly failure?: { readonly code: string; readonly message: string } | undefined;
}

/** Of each part, in a test. */
const TRIED = 2;
/** A result is short: who wants to know more of single days asks for them. */
const MAX_LINES = 400;

const control = proxyActivities<Activities>(CONTROL_RETRY);
const { takeStored } = proxyActivities<Activities>(SURVEY_RETRY);
const { finishRollup } = proxyActivities<Activities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '30 seconds',
});
/** Somebody waits: a folder that stays away fails the run, and is asked again by the next order. */
const { dueParts, triedParts } = proxyActivities<Activities>({
  ...SURVEY_RETRY,
  retry: { ...SURVEY_RETRY.retry, maximumAttempts: 5 },
});

/**
 * Brings files of folders and makes the days that they change, as `quotidien fetch` does, for who
 * does not stay to wait.
 */
export function fetch(input: FetchInput): Promise<FetchResult> {
  checkInput('fetch', FETCH_INPUT, input);
  return withPlainFailures(async () => {
    describeRun({ Pipeline: input.pipeline, RunReason: 'manual' });
    const { lines, failure } = await runFetch(input);
    const output = shortened(lines).join('\n');
    setCurrentDetails(output);
    if (failure !== undefined)
      throw codedFailure(failure.code, failure.message, { details: [{ output }] });
    return { output };
  });
}

function runFetch({ pipeline, mode, parts }: FetchInput): Promise<Told> {
  if (mode === 'test') return tryFolders(pipeline, parts);
  if (mode === 'rebuild') return rebuildStored(pipeline);
  return bring(pipeline, definedMembers({ parts, again: mode === 'resync' ? true : undefined }));
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `and ${lines.length - MAX_LINES} more lines`];
}

async function tryFolders(pipeline: string, parts: readonly string[] | undefined): Promise<Told> {
  const tried = await triedParts(pipeline, { count: TRIED, ...definedMembers({ parts }) });
  const end =
    tried.length === 0 ? 'the folder has no file of these parts' : 'nothing of them is kept';
  return { lines: [...partLines(tried), end], failure: partFailure(tried) };
}

async function bring(pipeline: string, folder: FolderRequest): Promise<Told> {
  const due = await dueParts(pipeline, folder);
  if (due.parts.length === 0) return { lines: ['the folder has nothing new'] };
  const { changed } = await watch({ pipeline, folder });
  const derived = await derivedFailure(pipeline);
  const parts = await control.fetchedParts(pipeline, due);
  return toldOf(partLines(parts), changed, partFailure(parts) ?? derived);
}

/**
 * What is kept is read again, and its days are made of that: windows first, then the days that need
 * a run of their own.
 */
async function rebuildStored(pipeline: string): Promise<Told> {
  setCurrentDetails(`**${pipeline}**: reading again what is kept`);
  const { windows, refused, code } = await takeStored(pipeline);
  const unmade: MadeDay[] = [];
  for (const dates of windows) {
    setCurrentDetails(
      `**${pipeline}**: making ${counted(dates.length, 'day')} from ${firstOf(dates)}`,
    );
    unmade.push(...(await makeKept(pipeline, dates)));
  }
  const derived = await derivedFailure(pipeline);
  const which = `"quotidien fetch ${pipeline} --mode rebuild" says which`;
  const message = `${counted(refused, 'file')} could not be taken in; ${which}`;
  const notTaken = code === undefined ? undefined : { code, message };
  const { lines, failure } = toldOf(
    notTaken === undefined ? [] : [message],
    unmade,
    notTaken ?? derived,
  );
  const made = windows.flat().length - unmade.length;
  return { lines: [...lines, `${counted(made, 'day')} made of what is kept`], failure };
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Returns the days that failed, or go on by themselves. */
async function makeKept(pipeline: string, dates: readonly CivilDate[]): Promise<MadeDay[]> {
  const days = new AwaitedDays();
  const unmade: MadeDay[] = [];
  for (const date of await makeTogether(pipeline, dates)) {
    const end = await days.run({ pipeline, date, offline: true });
    if (end.how === 'waits') unmade.push({ date, failure: null, waits: end.why });
    if (end.how === 'failed')
      unmade.push({ date, failure: { code: end.code, message: end.message } });
  }
  return unmade;
}

/** Returns the days that need a run of their own. */
async function makeTogether(
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<readonly CivilDate[]> {
  try {
    const { careful } = await executeChild(window, {
      workflowId: `fetch/${pipeline}/${workflowInfo().runId}/${firstOf(dates)}`,
      args: [{ pipeline, dates, reason: 'manual', offline: true, pages: true }],
      staticSummary: `${counted(dates.length, 'day')} of what is kept`,
    });
    return careful.map(({ date }) => date);
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure) || isOwnCancellation(error)) throw error;
    return dates;
  }
}

/** Waits until what is made from changed days is made; undefined where it is. */
async function derivedFailure(pipeline: string): Promise<Told['failure']> {
  const end = await finishRollup(pipeline);
  return end.state === 'completed' ? undefined : { code: end.code, message: end.message };
}

/** A day that failed comes before what follows from days. */
function toldOf(lines: readonly string[], days: readonly MadeDay[], other: Told['failure']): Told {
  const [ofDay] = days.flatMap((day) =>
    day.failure === null ? [] : [{ code: day.failure.code, message: firstOf(dayLines([day])) }],
  );
  return { lines: [...lines, ...dayLines(days)], failure: ofDay ?? other };
}

/**
 * A part of whose files none could be read fails the run; where others could, it is done and not
 * whole.
 */
function partFailure(parts: readonly FetchedPart[]): Told['failure'] {
  const unread = parts.filter(({ landed }) => landed === 0);
  if (unread.length === 0) return undefined;
  const code = unread.some(({ failed }) => failed > 0) ? 'SRC_SHAPE_CHANGED' : 'SRC_UNAVAILABLE';
  return { code, message: partLines(unread).join('\n') };
}
