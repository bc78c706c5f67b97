import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import { folderSourceOf } from '../../pipelines/source-declaration.ts';
import type { Dataset, DecodedFile } from '../../pipelines/dataset.ts';
import type { FolderSource } from '../../pipelines/source-declaration.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import type { FetchedPart } from '../../pipelines/fetched-files.ts';
import { workWindows } from '../../pipelines/work-window.ts';
import type { DueParts, FolderRequest, StoredDays } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readArrivals, surveyFolder } from '../sources/arrivals.ts';
import type { DueFile, Survey } from '../sources/arrivals.ts';
import { importStored } from '../download/import-file.ts';
import { decodeFiles } from '../download/open-raw.ts';
import { withSource } from '../sources/open-source.ts';

/**
 * What a person asks of a folder of files: what is due in it, what became of that, and whether it
 * can be read at all.
 */

/** What became of the files of one part. */
export interface PartFiles {
  readonly part: string;
  /** How many were due, or tried. */
  readonly files: number;
  /** Here, and read. */
  readonly landed: number;
  readonly failed: readonly {
    readonly name: string;
    readonly cause: string;
    readonly message: string;
  }[];
  /** Names of those that did not come: the part's run broke off before. */
  readonly left: readonly string[];
}

type Looking = Pick<StepControl, 'signal' | 'progress'>;

/** The parts of a dataset whose files come into a folder that we have access to. */
function folderParts(dataset: Dataset): string[] {
  const open = dataset.definition.parts.filter(({ closed }) => closed === undefined);
  return open.map(({ id }) => id).filter((id) => folderSourceOf(dataset, id) !== undefined);
}

/**
 * The files that are to be fetched, each folder listed once. `INPUT_INVALID` names a part that
 * comes from no folder, or from one that nobody gave access to.
 */
export async function dueFiles(
  engine: Engine,
  control: Looking,
  dataset: Dataset,
  request: FolderRequest = {},
): Promise<DueFile[]> {
  const due: DueFile[] = [];
  const surveys = await surveysOf(engine, control, dataset, request);
  for (const { survey } of surveys) due.push(...survey.due);
  return due.filter(({ day }) => day.date >= firstDayOf(dataset.definition));
}

async function surveysOf(
  engine: Engine,
  control: Looking,
  dataset: Dataset,
  { parts, again = false }: FolderRequest,
): Promise<{ readonly declaration: FolderSource; readonly survey: Survey }[]> {
  const known = folderParts(dataset);
  const strange = (parts ?? []).filter((part) => !known.includes(part));
  if (strange.length > 0) {
    const what =
      known.length === 0
        ? 'no part comes from a folder that we have access to'
        : `there are ${known.join(', ')}`;
    throw new PipelineError('INPUT_INVALID', `${strange.join(', ')}: ${what}`);
  }
  const asked = parts ?? known;
  const folders = new Map<string, FolderSource>();
  for (const declaration of asked.flatMap((part) => folderSourceOf(dataset, part) ?? []))
    if (!folders.has(declaration.host)) folders.set(declaration.host, declaration);
  const surveys: { declaration: FolderSource; survey: Survey }[] = [];
  for (const declaration of folders.values()) {
    const request = { pipeline: dataset.definition.name, declaration, parts: asked, again };
    const survey = await withSource(engine, declaration, (source) =>
      surveyFolder(engine, source, request, control),
    );
    surveys.push({ declaration, survey });
  }
  return surveys;
}

/** What the journal says now of files that were due at `since`, by part. */
export async function whatBecame(
  engine: Pick<Engine, 'documents'>,
  pipeline: string,
  due: readonly DueFile[],
  since: Date,
): Promise<PartFiles[]> {
  const outcomes: PartFiles[] = [];
  for (const [part, files] of byPart(due)) {
    const arrivals = await readArrivals(engine, pipeline, part);
    const states = files.map(({ file, day }) => {
      const arrival = arrivals.get(`${day.date}/${file.name}`);
      const isNews =
        arrival !== undefined && arrival.state !== 'seen' && new Date(arrival.at) >= since;
      return { name: file.name, arrival: isNews ? arrival : undefined };
    });
    outcomes.push({
      part,
      files: files.length,
      landed: states.filter(({ arrival }) => arrival?.state === 'landed').length,
      failed: states.flatMap(({ name, arrival }) => {
        const failure = arrival?.failure;
        return failure === undefined ? [] : [{ name, ...failure }];
      }),
      left: states.flatMap(({ name, arrival }) => (arrival === undefined ? [name] : [])),
    });
  }
  return outcomes;
}

/**
 * How many files of each part are to be fetched. Their names would not fit into a message of a run.
 */
export async function dueParts(
  engine: Engine,
  control: Looking,
  pipeline: string,
  request: FolderRequest,
): Promise<DueParts> {
  const since = engine.now().toISOString();
  const due = byPart(await dueFiles(engine, control, datasetOf(engine, pipeline), request));
  return { since, parts: [...due].map(([part, files]) => ({ part, files: files.length })) };
}

/**
 * What the journal says now of parts of which files were due. What another run has fetched
 * meanwhile counts too.
 */
export async function fetchedParts(
  engine: Pick<Engine, 'documents'>,
  pipeline: string,
  { since, parts }: DueParts,
): Promise<FetchedPart[]> {
  const outcomes: FetchedPart[] = [];
  for (const { part, files: due } of parts) {
    const arrivals = [...(await readArrivals(engine, pipeline, part)).values()].filter(
      ({ at }) => at >= since,
    );
    const landed = arrivals.filter(({ state }) => state === 'landed').length;
    const messages = arrivals.flatMap(({ failure }) => failure?.message ?? []);
    const files = Math.max(due, landed + messages.length);
    outcomes.push({
      part,
      files,
      landed,
      ...failures(messages),
      left: files - landed - messages.length,
    });
  }
  return outcomes;
}

/** Of each part the first causes are told, each up to a length: a message of a run is short. */
const CAUSES = 10;
const CAUSE_LENGTH = 400;

function failures(messages: readonly string[]): Pick<FetchedPart, 'failed' | 'causes'> {
  const causes = messages.slice(0, CAUSES).map((message) => message.slice(0, CAUSE_LENGTH));
  return { failed: messages.length, causes };
}

/** What a trial of `tryFiles` tells, in short. */
export async function triedParts(
  engine: Engine,
  control: Looking,
  pipeline: string,
  request: { readonly parts?: readonly string[]; readonly count: number },
): Promise<FetchedPart[]> {
  const tried = await tryFiles(engine, control, datasetOf(engine, pipeline), {
    parts: undefined,
    ...request,
  });
  return tried.map(({ failed, left, ...part }) => {
    const messages = failed.map(({ message }) => message);
    return { ...part, ...failures(messages), left: left.length };
  });
}

/**
 * Takes in what is kept once more; nobody is asked. Files of people may be named by whom they are
 * about: a run is told none of their names.
 */
export async function takeStored(
  engine: Engine,
  control: StepControl,
  pipeline: string,
): Promise<StoredDays> {
  const { definition } = datasetOf(engine, pipeline);
  const outcomes = await importStored(engine, pipeline, control);
  const refused = outcomes.flatMap((one) => ('code' in one ? [one.code] : []));
  const dates = new Set(outcomes.flatMap((one) => ('code' in one ? [] : [one.recognised.from])));
  return {
    windows: workWindows(definition, [...dates]),
    refused: refused.length,
    ...definedMembers({ code: refused[0] }),
  };
}

function byPart(due: readonly DueFile[]): Map<string, DueFile[]> {
  const parts = new Map<string, DueFile[]>();
  for (const file of due) parts.set(file.day.part, [...(parts.get(file.day.part) ?? []), file]);
  return parts;
}

/**
 * Fetches the newest files of each part and decodes them; nothing is kept, and the journal does not
 * know of it.
 */
export async function tryFiles(
  engine: Engine,
  control: Looking,
  dataset: Dataset,
  { parts, count }: { readonly parts?: readonly string[] | undefined; readonly count: number },
): Promise<PartFiles[]> {
  const outcomes: PartFiles[] = [];
  for (const { declaration, survey } of await surveysOf(engine, control, dataset, {
    again: true,
    ...definedMembers({ parts }),
  }))
    for (const [part, files] of byPart(survey.due))
      outcomes.push(
        await tryPart(engine, control, { dataset, declaration, part, files: files.slice(-count) }),
      );
  return outcomes;
}

interface Trial {
  readonly dataset: Dataset;
  readonly declaration: FolderSource;
  readonly part: string;
  /** Oldest first. */
  readonly files: readonly DueFile[];
}

async function tryPart(engine: Engine, control: Looking, trial: Trial): Promise<PartFiles> {
  const failed: PartFiles['failed'][number][] = [];
  const left: string[] = [];
  for (const { file } of trial.files) {
    try {
      const [decoded] = await decodeOne(engine, control, trial, file);
      if (decoded === undefined) left.push(file.name);
      if (decoded?.failure !== undefined) failed.push({ name: file.name, ...decoded.failure });
    } catch (error) {
      control.signal.throwIfAborted();
      const { code, message } = asPipelineError(error);
      failed.push({ name: file.name, cause: code, message });
    }
  }
  const files = trial.files.length;
  return { part: trial.part, files, landed: files - failed.length - left.length, failed, left };
}

async function decodeOne(
  engine: Engine,
  control: Looking,
  { dataset: { decoder }, declaration, part }: Trial,
  file: DueFile['file'],
): Promise<readonly DecodedFile[]> {
  return withSource(engine, declaration, async (source) => {
    const fetched = await source.fetch(file, control);
    if (fetched === undefined) return [];
    const { path: came, sha256, bytes } = fetched;
    try {
      if (decoder === undefined) return [{ name: file.name, sha256 }];
      return await engine.withScratchFolder(async (scratch) => {
        async function* files() {
          yield await Promise.resolve({ name: file.name, path: came, sha256, bytes });
        }
        return (await decodeFiles(decoder, control, { part, files: files(), scratch })).outcomes;
      });
    } finally {
      await source.discard(fetched);
    }
  });
}
