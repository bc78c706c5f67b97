import { createHash } from 'node:crypto';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { documentContext, documentName } from './document-key.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';

/** Where a body lies that is too large for its document store. */
export interface OverflowRef {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Large bodies as objects named by their own hash, `overflow/<2 hex>/<sha256>.json`.
 *
 * 1. An object is written, durably, before the document that refers to it: a reader never finds a
 *    reference to nothing.
 * 2. Objects never change and are never removed here: a reader that holds an older version of the
 *    document still finds its body. What no document refers to any more (a lost race, a replaced
 *    version) is for the collection of orphans.
 */
export interface DocumentOverflow {
  write(text: string): Promise<OverflowRef>;
  /** The text as it was written; `STORE_CORRUPT` when it is gone or has another hash. */
  read(document: DocumentKey, ref: OverflowRef): Promise<string>;
}

/** Text is read back with its hash checked, whatever store has it. */
export function createDocumentOverflow(objects: ObjectStore): DocumentOverflow {
  async function fetchText(ref: OverflowRef): Promise<string | undefined> {
    const stream = await objects.get(ref.key);
    if (stream === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    const bytes = Buffer.concat(chunks);
    return sha256Of(bytes) === ref.sha256 ? bytes.toString() : undefined;
  }

  return {
    async write(text) {
      const body = Buffer.from(text);
      const sha256 = sha256Of(body);
      const ref = {
        key: `overflow/${sha256.slice(0, 2)}/${sha256}.json`,
        sha256,
        bytes: body.byteLength,
      };
      const put = async (mode: 'create' | 'replace'): Promise<unknown> =>
        objects.put(ref.key, body, { mediaType: 'application/json', mode });
      try {
        await put('create');
      } catch (error) {
        // The same body was written before, which is as good, unless its object was damaged since.
        if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
        if ((await fetchText(ref)) === undefined) await put('replace');
      }
      return ref;
    },
    async read(document, ref) {
      const text = await fetchText(ref);
      if (text !== undefined) return text;
      const message = `the body of ${documentName(document)} should be the object ${ref.key} of the ${objects.kind} store`;
      throw new PipelineError(
        'STORE_CORRUPT',
        `${message}, which is missing or has another hash: check that store`,
        {
          context: { ...documentContext(document), key: ref.key, sha256: ref.sha256 },
        },
      );
    },
  };
}

/** What a stored reference says; `STORE_CORRUPT` when it is none. */
export function asOverflowRef(document: DocumentKey, ref: unknown): OverflowRef {
  const { key, sha256, bytes } = (ref ?? {}) as Partial<Record<keyof OverflowRef, unknown>>;
  if (typeof key === 'string' && typeof sha256 === 'string' && typeof bytes === 'number')
    return { key, sha256, bytes };
  throw new PipelineError(
    'STORE_CORRUPT',
    `the record of ${documentName(document)} has no body: keep it aside`,
    {
      context: documentContext(document),
    },
  );
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
