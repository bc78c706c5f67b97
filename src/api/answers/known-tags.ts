import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KnownVersions } from '../../engine/look/known-versions.ts';
import { isKnown } from './tags.ts';

/**
 * Most tags in memory; then all are forgotten. A tag with its address takes a few hundred bytes.
 */
const MAX_TAGS = 10_000;

/** The tag of an answer, and what it was made of. */
export interface KnownTag {
  readonly pipeline: string;
  /** What the versions were known as before the tag was made. */
  readonly state: object;
  readonly tag: string;
}

/**
 * The tags of answers that depend on nothing but the request and the versions of a pipeline, so
 * that a repeated question whether something has changed costs no more than to ask whether versions
 * have. Invariants:
 * 1. A tag stands only while the versions in memory are those that it was made of.
 * 2. It stands only for callers with the same rights: whoever may not read learns nothing from it.
 */
export class KnownTags {
  readonly #known: KnownVersions;
  readonly #tags = new Map<string, KnownTag>();

  constructor(known: KnownVersions) {
    this.#known = known;
  }

  /**
   * Whether the caller has the answer already, as far as it is known without looking; then all but
   * the sending is done.
   */
  async isUnchanged(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    if (request.headers['if-none-match'] === undefined) return false;
    const found = this.#tags.get(nameOf(request));
    if (found === undefined) return false;
    if (found.state !== (await this.#known.state(found.pipeline))) return false;
    if (!isKnown(request, reply, found.tag)) return false;
    reply.header('vary', 'accept');
    return true;
  }

  /** What was kept for the answer to such a request; it may stand no more. */
  of(request: FastifyRequest): KnownTag | undefined {
    return this.#tags.get(nameOf(request));
  }

  /**
   * Keeps the tag of the answer to a request; `state` is that of the versions from before they were
   * read for it.
   */
  keep(request: FastifyRequest, known: KnownTag): void {
    if (this.#tags.size >= MAX_TAGS) this.#tags.clear();
    this.#tags.set(nameOf(request), known);
  }
}

function nameOf({ method, url, headers, caller }: FastifyRequest): string {
  return [method, url, headers.accept, caller.anonymous, ...caller.scopes].join('\n');
}
