import path from 'node:path';
import { required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import type {
  Dataset,
  DecodedFile,
  Decoder,
  DecodeTask,
  EncodedFile,
} from '../../pipelines/dataset.ts';
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

/** A raw file as it is stored, as a local file, and the first of its days. */
export interface RawOfDay {
  readonly path: string;
  readonly date: CivilDate;
}

/**
 * Uses a raw file in the form that `Dataset.slice` reads. For a part that declares `decoding` this
 * is not the stored form: it is unsealed, and decoded by the dataset, into a folder that is gone
 * afterwards.
 */
export async function withDecoded<T>(
  opening: RawOpening,
  raw: RawOfDay,
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (opening.part.decoding === undefined) return use(raw.path);
  return withAllDecoded(opening, [raw], (file, outcomes) => {
    opening.decoded?.(outcomes);
    return use(file);
  });
}

/**
 * The same for several raw files of a part that declares `decoding`: decoded into one folder, as if
 * one had the files of all.
 */
export async function withAllDecoded<T>(
  { engine, control, dataset, part }: RawOpening,
  raws: readonly RawOfDay[],
  use: (file: string, outcomes: readonly DecodedFile[]) => Promise<T>,
): Promise<T> {
  const { decoder } = dataset;
  if (decoder === undefined)
    throw new PipelineError('INTERNAL', `${part.id} declares a decoding that nothing does`);
  const keys = new Map<string, Uint8Array>();
  for (const month of new Set(raws.map(({ date }) => monthOfDelivery(date))))
    keys.set(month, await dataKey(engine, dataset.definition.name, month));
  return engine.withScratchFolder(async (scratch) => {
    async function* files(): AsyncGenerator<EncodedFile> {
      for (const { path: sealed, date } of raws)
        yield* openSealed(
          required(keys.get(monthOfDelivery(date)), 'the key of the month'),
          sealed,
          scratch,
        );
    }
    const { outcomes, target } = await decodeFiles(decoder, control, {
      part: part.id,
      files: files(),
      scratch,
    });
    return use(target, outcomes);
  });
}

/**
 * Decodes files into a file, or a folder, in a scratch folder that has nothing else of that name.
 */
export async function decodeFiles(
  decoder: Decoder,
  { progress, signal }: RawOpening['control'],
  given: Pick<DecodeTask, 'part' | 'files' | 'scratch'>,
): Promise<{ readonly outcomes: readonly DecodedFile[]; readonly target: string }> {
  const target = path.join(given.scratch, 'decoded');
  const { keys = '' } = decoder;
  return { outcomes: await decoder.decode({ ...given, keys, target, progress, signal }), target };
}

/** Raw files of one month are sealed with one key. */
export function monthOfDelivery(date: CivilDate): string {
  return date.slice(0, 7);
}
