import type { HttpClient, HttpDownload } from '../../src/engine/sources/http-client.ts';
import { PipelineError } from '../../src/errors.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import type { Process, Scheduler } from './scheduler.ts';
import { hashOf, keepFile } from './virtual-files.ts';
import type { Weather } from './weather.ts';

/**
 * One publisher: the newest figure of each day. Figures of a day only grow, so a smaller one is an
 * older one.
 */
export class Publisher {
  readonly part: string;
  /** Tells a freshness value of all its data. */
  readonly tellsFreshness: boolean;
  readonly figures = new Map<CivilDate, number>();
  /** Refuses everybody until it does not. */
  refuses = false;
  #version = 1;

  constructor(part: string, tellsFreshness: boolean, dates: readonly CivilDate[]) {
    this.part = part;
    this.tellsFreshness = tellsFreshness;
    for (const date of dates) this.figures.set(date, 1);
  }

  get version(): string {
    return String(this.#version);
  }

  revise(dates: readonly CivilDate[]): void {
    this.#version += 1;
    for (const date of dates) this.figures.set(date, (this.figures.get(date) ?? 0) + 1);
  }

  answer(from: CivilDate, to: CivilDate): string {
    const lines = datesBetween(from, to).flatMap((date) => {
      const figure = this.figures.get(date);
      return figure === undefined ? [] : [`${date};${figure}`];
    });
    return `${[this.part, ...lines].join('\n')}\n`;
  }
}

/** The way of one process to the publishers; their addresses are `http://<part>.invalid/…`. */
export function httpOf(
  process: Process,
  weather: Weather,
  scheduler: Scheduler,
  publishers: Readonly<Record<string, Publisher>>,
): HttpClient {
  const publisherOf = (url: string): Publisher => {
    const found = publishers[new URL(url).hostname.replace('.invalid', '')];
    if (found === undefined) throw new Error(`nobody answers at ${url}`);
    if (found.refuses) throw new PipelineError('SRC_AUTH', `${url} answered 403`);
    return found;
  };
  const ask = <T>(url: string, answer: (publisher: Publisher) => T): Promise<T> =>
    asSource(
      weather.call(process, `asks ${url.slice(7)}`, () =>
        Promise.resolve().then(() => answer(publisherOf(url))),
      ),
    );
  return {
    json: ({ url }) => ask(url, ({ version }) => ({ version })),
    download: ({ url, ifNoneMatch }) =>
      ask(url, (publisher): HttpDownload | undefined => {
        const query = new URL(url).searchParams;
        const bytes = Buffer.from(publisher.answer(query.get('from') ?? '', query.get('to') ?? ''));
        const sha256 = hashOf(bytes);
        const etag = `"${sha256.slice(0, 16)}"`;
        if (ifNoneMatch === etag) return undefined;
        const path = keepFile(bytes);
        scheduler.tell(
          `${publisher.part} sends ${sha256.slice(0, 8)}: ${bytes.toString().trim().replaceAll('\n', ' ')}`,
        );
        return { status: 200, path, bytes: bytes.byteLength, sha256, etag, lastModified: null };
      }),
    discard: () => Promise.resolve(),
  };
}

/** What a store's weather calls unavailable is an unavailable publisher here. */
async function asSource<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'STORE_UNAVAILABLE') {
      throw new PipelineError('SRC_UNAVAILABLE', error.message);
    }
    throw error;
  }
}
