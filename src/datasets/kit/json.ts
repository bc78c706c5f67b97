import { readFile } from 'node:fs/promises';
import type { LocalArtefact } from '../../pipelines/dataset.ts';

/** A text as the bytes of an output. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A small JSON document as an output: one line, members in their order, a line end. */
export function jsonOutput(document: object): { readonly bytes: Uint8Array } {
  return { bytes: utf8(`${JSON.stringify(document)}\n`) };
}

/** The JSON document of an input of an `sql` step; null where there is none. */
export async function readJson<T>(input: LocalArtefact | undefined): Promise<T | null> {
  return input === undefined ? null : (JSON.parse(await readFile(input.path, 'utf8')) as T);
}
