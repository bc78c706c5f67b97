import path from 'node:path';
import { PipelineError } from '../errors.ts';
import type { RecognisedFile } from '../pipelines/dataset.ts';
import { putContent } from './content-store.ts';
import type { StepFailed } from './contract.ts';
import { datasetOf, sqlOf } from './engine.ts';
import type { Engine, StepControl } from './engine.ts';
import { deliverImport } from './execute-download.ts';

export interface ImportResult {
  readonly file: string;
  readonly recognised: RecognisedFile;
  /** Days that the file has rows for. */
  readonly days: number;
  readonly failed: readonly StepFailed[];
  readonly rawKey: string;
}

/** Recognises a file by its content, keeps its bytes, and cuts it into day slices. Doing it again changes nothing. */
export async function importFile(
  engine: Engine,
  pipeline: string,
  file: string,
  control: StepControl,
): Promise<ImportResult> {
  const dataset = datasetOf(engine, pipeline);
  const { recognise } = dataset;
  if (recognise === undefined) throw new PipelineError('INPUT_INVALID', `${pipeline} takes in no files`);
  const name = path.basename(file);
  const recognised = await sqlOf(engine).session((sql) => recognise({ path: file, name }, sql));
  const { part, from, to, extension, mediaType } = recognised;
  const folder = `raw/${pipeline}/${part}/${from}_${to}`;
  const raw = await putContent(engine.objects, { folder, extension, mediaType }, { path: file });
  const origin = {
    part,
    url: `import:${name}`,
    etag: null,
    lastModified: null,
    processedAt: null,
    retrievedAt: engine.now().toISOString(),
    raw,
  };
  const { days } = await deliverImport(engine, { pipeline, part, window: { from, to }, origin }, control);
  const failed = days.filter((day): day is StepFailed => 'failure' in day);
  const filled = days.filter((day) => !('failure' in day) && !day.empty).length;
  return { file, recognised, days: filled, failed, rawKey: raw.key };
}
