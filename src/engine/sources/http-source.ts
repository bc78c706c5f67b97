import { createReadStream } from 'node:fs';
import { PipelineError } from '../../errors.ts';
import { definedMembers } from '../../given.ts';
import type { HttpSource } from '../../pipelines/source-declaration.ts';
import type { OfferedFile, Source } from '../../ports/source.ts';
import { downloadPages } from './fetch-pages.ts';
import type { HttpClient } from './http-client.ts';

/**
 * A publisher that is asked for days by address, as a source: what it offers of a window is one
 * file, whose version is the publisher's freshness value. That is asked for at each listing, and
 * absent when its catalogue cannot tell.
 */
export function openHttpSource(http: HttpClient, declaration: HttpSource): Source {
  const { credential, trusted, freshness, extension, mediaType } = declaration;
  const urlOf = (path: string): string => urlBelow(declaration, path);
  const versionNow = async (signal: AbortSignal): Promise<string | undefined> => {
    if (freshness === undefined) return undefined;
    const url = urlOf(freshness.path);
    return freshness.valueOf(
      await http.json({ url, accept: 'application/json', credential, trusted, signal }),
    );
  };
  const source: Source = {
    place: declaration.baseUrl,
    async *list({ window, signal }) {
      if (window === undefined) return;
      const version = await versionNow(signal);
      const path = declaration.pathOf(window);
      yield { path, name: path, modifiedAt: null, ...definedMembers({ version }) };
    },
    // An answer is whole before the first byte of it is given: of pages nobody knows the place of a
    // byte before.
    async *open(file: OfferedFile, start, options) {
      const fetched = await source.fetch(file, options);
      if (fetched === undefined) return;
      try {
        yield* createReadStream(fetched.path, { start });
      } finally {
        await source.discard(fetched);
      }
    },
    async fetch({ path }, { known, signal, progress }) {
      const answer = await downloadPages(http, declaration, {
        ...{ path, urlOf, ifNoneMatch: known ?? null, credential, trusted, signal },
        progress: (bytes) => progress?.(`${bytes} bytes`),
      });
      if (answer === undefined && known === undefined)
        throw new PipelineError(
          'SRC_SHAPE_CHANGED',
          `${urlOf(path)} answered 304 to an unconditional request`,
        );
      if (answer === undefined) return undefined;
      const { path: body, bytes, sha256, ...facts } = answer;
      return {
        path: body,
        bytes,
        sha256,
        answer: { url: urlOf(path), extension, mediaType, ...facts },
      };
    },
    discard: (file) => http.discard(file),
    close: () => Promise.resolve(),
  };
  return source;
}

/** The base URL may have a path of its own, as behind a proxy. */
function urlBelow({ baseUrl }: HttpSource, path: string): string {
  return new URL(`${baseUrl.replace(/\/$/, '')}/${path.replace(/^\//, '')}`).href;
}
