import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import type { Dataset, DecodedFile } from '../../pipelines/dataset.ts';
import type { PartDefinition } from '../../pipelines/definition.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { Engine, StepControl } from '../engine.ts';
import { dataKey } from '../sources/data-keys.ts';
import { openSealed } from '../sources/sealed-file.ts';

/** What is needed to open raw files of a part. */
export interface RawOpening {
  readonly engine: Pick<Engine, 'documents' | 'fallback' | 'rawKeys' | 'now' | 'withScratchFolder'>;
  readonly control: Pick<StepControl, 'signal' | 'progress'>;
  readonly dataset: Dataset;
  readonly part: PartDefinition;
  /** Is told what came of the files in a raw file, where it has several. */
  readonly decoded?: (files: readonly DecodedFile[]) => void;
}

/**
 * Uses a raw file in the form that `Dataset.slice` reads. For a part that declares `decoding` this is not the stored form: it is unsealed, and
 * decoded by the dataset, into a folder that is gone afterwards.
 */
export async function withDecoded<T>(
  opening: RawOpening,
  raw: { readonly path: string; readonly date: CivilDate },
  use: (file: string) => Promise<T>,
): Promise<T> {
  const { engine, control, dataset, part, decoded } = opening;
  if (part.decoding === undefined) return use(raw.path);
  const { decoder } = dataset;
  if (decoder === undefined) throw new PipelineError('INTERNAL', `${part.id} declares a decoding that nothing does`);
  const key = await dataKey(engine, dataset.definition.name, monthOfDelivery(raw.date));
  return engine.withScratchFolder(async (scratch) => {
    const target = path.join(scratch, 'decoded');
    const files = openSealed(key, raw.path, scratch);
    const { keys = '' } = decoder;
    const { progress, signal } = control;
    const outcomes = await decoder.decode({ part: part.id, files, keys, target, scratch, progress, signal });
    decoded?.(outcomes);
    return use(target);
  });
}

/** Raw files of one month are sealed with one key. */
export function monthOfDelivery(date: CivilDate): string {
  return date.slice(0, 7);
}
