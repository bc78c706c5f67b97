import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { PipelineError } from '../../errors.ts';
import type { HttpSource } from '../../pipelines/source-declaration.ts';
import { sha256OfFile } from '@quotidien/machine/file-hash';
import { DEFAULT_MAX_BYTES } from './http-client.ts';
import type { HttpClient, HttpDownload, HttpRequest } from './http-client.ts';

/**
 * Answers that come in pages, read to the last one: a list whose end is missing looks like a
 * shorter list, and nothing downstream could tell. One page is the answer as it came; of several,
 * the raw file has one document after the other.
 */

/**
 * More pages than any list of a publisher has; a host that goes on beyond them counts in circles.
 */
const MAX_PAGES = 200;

/** A request whose answer comes page by page; the pages are kept as one file. */
export interface PagedRequest extends Omit<HttpRequest, 'url' | 'maxBytes'> {
  /** Path and query of the first page. */
  readonly path: string;
  readonly urlOf: (path: string) => string;
}

/**
 * Downloads a page and those that follow it; undefined when the publisher says "unchanged" to the
 * first one. The ETag of the first of several pages says nothing of the others, so that such an
 * answer has none.
 * @throws `SRC_SHAPE_CHANGED` when a page comes again, what `HttpSource.nextPage` throws, and what
 * a download throws.
 */
export async function downloadPages(
  http: HttpClient,
  source: HttpSource,
  { path, urlOf, ...request }: PagedRequest,
): Promise<HttpDownload | undefined> {
  const maxBytes = source.maxBytes ?? DEFAULT_MAX_BYTES;
  const first = await http.download({ ...request, url: urlOf(path), maxBytes });
  if (first === undefined || source.nextPage === undefined) return first;
  const pages = [first];
  try {
    const asked = new Set([path]);
    let bytes = first.bytes;
    let next = await nextOf(source, first, path);
    while (next !== undefined) {
      refuseCircles(asked, next, urlOf(path));
      await setTimeout(1000 / source.requestsPerSecond, undefined, { signal: request.signal });
      const page = await http.download({
        ...request,
        ifNoneMatch: null,
        url: urlOf(next),
        maxBytes: maxBytes - bytes,
      });
      if (page === undefined)
        throw new PipelineError('SRC_SHAPE_CHANGED', `${urlOf(next)} answered 304 unasked`);
      pages.push(page);
      bytes += page.bytes;
      next = await nextOf(source, page, next);
    }
    return pages.length === 1 ? first : await joined(first, pages);
  } catch (error) {
    await http.discard(first);
    throw error;
  } finally {
    for (const page of pages.slice(1)) await http.discard(page);
  }
}

function refuseCircles(asked: Set<string>, next: string, url: string): void {
  if (asked.has(next) || asked.size >= MAX_PAGES) {
    const what = `${url} has no last page: after ${asked.size} of them it sends us to ${next}`;
    throw new PipelineError('SRC_SHAPE_CHANGED', what, { context: { url } });
  }
  asked.add(next);
}

/** What is no JSON has no next page; whoever cuts it into days says what is wrong with it. */
async function nextOf(
  source: HttpSource,
  page: HttpDownload,
  path: string,
): Promise<string | undefined> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(page.path, 'utf8'));
  } catch {
    return undefined;
  }
  return source.nextPage?.(document, path);
}

async function joined(first: HttpDownload, pages: readonly HttpDownload[]): Promise<HttpDownload> {
  // A finished body of this process, which is swept up like any other should it end here.
  const target = first.path.replace(/(\.body)?$/, '.pages.body');
  try {
    await writeFile(target, '');
    for (const page of pages) {
      await pipeline(createReadStream(page.path), createWriteStream(target, { flags: 'a' }));
      await writeFile(target, '\n', { flag: 'a' });
    }
    const { size } = await stat(target);
    const isSample = pages.some(({ sample }) => sample === true);
    const whole: HttpDownload = {
      status: first.status,
      path: target,
      bytes: size,
      sha256: await sha256OfFile(target),
      etag: null,
      lastModified: first.lastModified,
      ...(isSample ? { sample: true as const } : {}),
    };
    await rm(first.path, { force: true });
    return whole;
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}
