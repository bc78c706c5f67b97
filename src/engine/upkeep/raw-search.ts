import type { Dataset } from '../../pipelines/dataset.ts';
import type { RemovedContent } from '../../pipelines/forgetting.ts';
import type { Engine, StepControl } from '../engine.ts';
import { namesUnder } from '../download/raw-names.ts';

/** Named by its own hash: what is under another name is an edition of such a file. */
const CONTENT_NAME = /\/([0-9a-f]{64})\.[a-z0-9.]+$/;

/** No name of a person is longer. */
const OVERLAP_CHARACTERS = 512;

/**
 * Raw files in which one of the words stands as text, also such as were refused and gave no slice.
 * Sealed files and those of compressed formats say nothing to this; of the latter the slices tell.
 */
export async function rawsNaming(
  engine: Pick<Engine, 'objects'>,
  { signal, progress }: Pick<StepControl, 'signal' | 'progress'>,
  { definition }: Pick<Dataset, 'definition'>,
  words: RegExp,
): Promise<RemovedContent[]> {
  const found: RemovedContent[] = [];
  for (const { id, decoding } of definition.parts) {
    if (decoding !== undefined) continue;
    for (const key of await namesUnder(engine.objects, [`raw/${definition.name}/${id}/`])) {
      signal.throwIfAborted();
      progress(`looking through raw files of ${id}`);
      const sha256 = CONTENT_NAME.exec(key)?.[1];
      const bytes = sha256 === undefined ? undefined : await bytesIfNamed(engine, key, words);
      if (sha256 !== undefined && bytes !== undefined) found.push({ key, sha256, bytes });
    }
  }
  return found;
}

/** The size of an object that has one of the words; undefined for one that has none. */
async function bytesIfNamed({ objects }: Pick<Engine, 'objects'>, key: string, words: RegExp) {
  const stream = await objects.get(key);
  if (stream === undefined) return undefined;
  let [bytes, text, isNamed] = [0, '', false];
  for await (const chunk of stream) {
    const isFirst = bytes === 0;
    bytes += chunk.byteLength;
    text = text.slice(-OVERLAP_CHARACTERS) + Buffer.from(chunk).toString('latin1');
    isNamed ||= standsWithin(text, words, isFirst);
  }
  return isNamed || text.search(words) > 0 || (bytes <= text.length && text.search(words) === 0)
    ? bytes
    : undefined;
}

/**
 * Whether a word stands where both letters beside it are seen: what touches an end is looked at
 * with the next piece.
 */
function standsWithin(text: string, words: RegExp, isFirst: boolean): boolean {
  for (const { 0: word, index } of text.matchAll(words))
    if ((index > 0 || isFirst) && index + word.length < text.length) return true;
  return false;
}
