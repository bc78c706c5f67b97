import { randomUUID } from 'node:crypto';
import { errorCodeOf } from '../../errors.ts';
import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import { changeDocument } from '../change-document.ts';

/**
 * Who is giving another file to a name. Not a lock: nobody waits, and a process that died leaves no
 * more than its mark. Invariants:
 *
 * 1. A replacement is `alone` when no other was marked as under way at its beginning.
 * 2. `endReplacing` returns true only when none has begun since.
 * 3. So after a replacement that was alone from beginning to end every later one sees its file
 *    under the name.
 */
export const REPLACING_TABLE = 'replacing-names';

interface Marks {
  /** One for each replacement under way, or broken off. */
  readonly marks: readonly string[];
}

/** Held by whoever replaces, until `endReplacing`. */
export interface Replacing {
  readonly key: DocumentKey;
  readonly mark: string;
  readonly version: number;
  /** No other replacement of the name was under way when this one began. */
  readonly alone: boolean;
}

/** Marks the name before the file is given to it. */
export async function beginReplacing(documents: DocumentStore, name: string): Promise<Replacing> {
  const key: DocumentKey = { table: REPLACING_TABLE, partition: 'names', sort: name };
  const mark = randomUUID();
  const { body, version } = await changeDocument<Marks>(documents, key, (found) => ({
    marks: [...(found?.marks ?? []), mark],
  }));
  return { key, mark, version, alone: body.marks.length === 1 };
}

/** Takes the mark away; returns whether nobody else has begun in the meantime. */
export async function endReplacing(
  documents: DocumentStore,
  { key, mark, version }: Replacing,
): Promise<boolean> {
  const without = (found: Marks | undefined): Marks => ({
    marks: (found?.marks ?? []).filter((other) => other !== mark),
  });
  try {
    const found = await documents.get<Marks>(key);
    if (found?.version === version) {
      await documents.put(key, without(found.body), { expectedVersion: version });
      return true;
    }
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  }
  await changeDocument<Marks>(documents, key, without);
  return false;
}
