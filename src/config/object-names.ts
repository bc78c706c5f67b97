import type { ObjectChoice } from './storage-choice.ts';

/**
 * What an object of a bucket is called in the store, by the folders that lie in buckets of their
 * own; undefined for an object that is none of the store. Without a bucket the key is the store's
 * own.
 */
export function objectNameIn(
  choice: ObjectChoice,
  bucket: string | undefined,
  key: string,
): string | undefined {
  if (bucket === undefined) return key;
  if (choice.kind !== 's3') return undefined;
  const place = choice.placed.find(
    (one) => one.bucket === bucket && key.startsWith(`${one.prefix}/`),
  );
  if (place !== undefined) return `${place.folder}/${key.slice(place.prefix.length + 1)}`;
  if (bucket !== choice.bucket) return undefined;
  const hidden = choice.placed.some(
    ({ folder, foreign }) => foreign !== true && key.startsWith(`${folder}/`),
  );
  return hidden ? undefined : key;
}
