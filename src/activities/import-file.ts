import path from 'node:path';
import { PipelineError } from '../errors.ts';
import type { Dataset, FetchWindow, NamedDay, RecognisedFile } from '../pipelines/dataset.ts';
import type { ArtefactRef } from '../storage/ports.ts';
import { newestName, putContent } from './content-store.ts';
import type { StepFailed } from './contract.ts';
import { datasetOf, sqlOf } from './engine.ts';
import type { Engine, StepControl } from './engine.ts';
import { deliverImport } from './execute-download.ts';
import { keepByName, keepNewest, namesUnder, newestEdition, withJoined } from './raw-names.ts';

export interface ImportResult {
  readonly file: string;
  readonly recognised: RecognisedFile;
  /** Days that the file has rows for. */
  readonly days: number;
  readonly failed: readonly StepFailed[];
  /** Where its bytes are now; a later edition may take the name. */
  readonly rawKey: string;
}

/** One import with all that it works on. */
interface Import {
  readonly engine: Engine;
  readonly pipeline: string;
  readonly dataset: Dataset;
  readonly control: StepControl;
}

function importOf(engine: Engine, pipeline: string, control: StepControl): Import {
  return { engine, pipeline, dataset: datasetOf(engine, pipeline), control };
}

/** Recognises a file by its content, keeps its bytes, and cuts it into day slices. Doing it again changes nothing. */
export async function importFile(
  engine: Engine,
  pipeline: string,
  file: string,
  control: StepControl,
): Promise<ImportResult> {
  const [result] = await importFiles(engine, pipeline, [file], control);
  if (result === undefined) throw new PipelineError('INTERNAL', `nothing came of ${file}`);
  return result;
}

/** The same for several files. Those whose names make them hours or pages of one day are read together, after all are kept. */
export async function importFiles(
  engine: Engine,
  pipeline: string,
  files: readonly string[],
  control: StepControl,
): Promise<ImportResult[]> {
  const work = importOf(engine, pipeline, control);
  const results: ImportResult[] = [];
  const days = new Map<string, NamedDay>();
  for (const file of files) {
    const recognised = await recogniseFile(work, file);
    const kept = await keepNamed(work, file, recognised);
    if ('date' in kept) days.set(`${kept.part}/${kept.date}`, kept);
    else results.push(await deliver(work, file, recognised, kept));
  }
  for (const day of days.values()) results.push(await deliverDay(work, day));
  return results;
}

/** Takes in what lies under the pipeline's raw names in the object store, whoever put it there. */
export async function importStored(engine: Engine, pipeline: string, control: StepControl): Promise<ImportResult[]> {
  const work = importOf(engine, pipeline, control);
  const { rawNames } = work.dataset;
  if (rawNames === undefined) {
    throw new PipelineError('INPUT_INVALID', `${pipeline} has no raw names to read from; give files`);
  }
  const results: ImportResult[] = [];
  const days = new Map<string, NamedDay>();
  for (const name of await namesUnder(engine.objects, rawNames.roots)) {
    const day = rawNames.dayOf(name);
    if (day !== undefined) days.set(`${day.part}/${day.date}`, day);
    else
      results.push(
        await withJoined(engine.objects, [name], async (file) => {
          const recognised = await recogniseFile(work, file);
          return deliver(work, file, recognised, await newestEdition(name, file, recognised.mediaType));
        }),
      );
  }
  for (const day of days.values()) results.push(await deliverDay(work, day));
  return results;
}

async function recogniseFile({ engine, pipeline, dataset }: Import, file: string): Promise<RecognisedFile> {
  const { recognise } = dataset;
  if (recognise === undefined) throw new PipelineError('INPUT_INVALID', `${pipeline} takes in no files`);
  return sqlOf(engine).session((sql) => recognise({ path: file, name: path.basename(file) }, sql));
}

/** Keeps a file, under its name where it has one; answers the day of which it is a piece, or where it is when it stands for itself. */
async function keepNamed(work: Import, file: string, recognised: RecognisedFile): Promise<NamedDay | ArtefactRef> {
  const { engine, dataset } = work;
  const { part, from, to, mediaType } = recognised;
  const name = dataset.rawNames?.nameOf({ part, window: { from, to }, at: engine.now(), path: file });
  if (name === undefined) return keepContent(work, file, recognised);
  const day = dataset.rawNames?.dayOf(name);
  if (day === undefined) return keepNewest(engine.objects, name, { path: file }, mediaType);
  await keepByName(engine.objects, name, { path: file }, mediaType);
  return day;
}

function keepContent(
  { engine, pipeline }: Import,
  file: string,
  { part, from, to, extension, mediaType }: RecognisedFile,
): Promise<ArtefactRef> {
  const folder = `raw/${pipeline}/${part}/${from}_${to}`;
  return putContent(engine.objects, { folder, extension, mediaType }, { path: file });
}

async function deliverDay(work: Import, day: NamedDay): Promise<ImportResult> {
  const { engine, dataset } = work;
  const names = await namesUnder(engine.objects, dataset.rawNames?.besides(day) ?? []);
  return withJoined(engine.objects, names, async (file) => {
    const recognised = await recogniseFile(work, file);
    const { part } = recognised;
    if (part !== day.part) {
      throw new PipelineError('INPUT_INVALID', `${names[0] ?? ''} is named ${day.part} and holds ${part}; move it`);
    }
    const kind = names.length === 1 ? recognised.kind : `${recognised.kind}, ${names.length} files together`;
    const own = { ...recognised, kind, from: day.date, to: day.date };
    return deliver(work, names[0] ?? file, own, await keepContent(work, file, own));
  });
}

async function deliver(
  { engine, pipeline, control }: Import,
  file: string,
  recognised: RecognisedFile,
  raw: ArtefactRef,
): Promise<ImportResult> {
  const { part, from, to } = recognised;
  const window: FetchWindow = { from, to };
  const origin = {
    part,
    url: `import:${path.basename(file)}`,
    etag: null,
    lastModified: null,
    processedAt: null,
    retrievedAt: engine.now().toISOString(),
    raw,
  };
  const { days } = await deliverImport(engine, { pipeline, part, window, origin }, control);
  const failed = days.filter((day): day is StepFailed => 'failure' in day);
  const filled = days.filter((day) => !('failure' in day) && !day.empty).length;
  return { file, recognised, days: filled, failed, rawKey: newestName(raw.key) ?? raw.key };
}
