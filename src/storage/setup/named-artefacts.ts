import type { JsonValue } from '../../ports/json.ts';
import type { ArtefactRef } from '../../ports/objects.ts';

/** An artefact as a document names it. */
export type NamedArtefact = Pick<ArtefactRef, 'key' | 'sha256' | 'bytes'>;

/** Every artefact that a document names, at any depth: whatever has a key, a sha256 and a size. */
export function* artefactsNamedIn(value: JsonValue | undefined): Generator<NamedArtefact> {
  if (typeof value !== 'object' || value === null) return;
  if (isArtefact(value)) yield value;
  for (const member of Object.values(value) as JsonValue[]) yield* artefactsNamedIn(member);
}

function isArtefact(value: object): value is NamedArtefact {
  const { key, sha256, bytes } = value as { key?: unknown; sha256?: unknown; bytes?: unknown };
  return (
    typeof key === 'string' &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof bytes === 'number'
  );
}
