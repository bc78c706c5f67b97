import type { PortalRequest } from './requests.ts';

/** What identifies the bytes of an answer. */
export interface Validators {
  /** Strong, with its quotes; absent when the portal withholds it. */
  readonly etag: string | undefined;
  /** Whole seconds. */
  readonly modified: Date;
}

/**
 * Bytes `[start, end)` that a `Range` header asks for; `invalid` beyond the end, `undefined` for
 * what is to be ignored.
 */
export function parseRange(
  header: string | undefined,
  length: number,
): readonly [number, number] | 'invalid' | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const suffix = Math.min(Number(match[2]), length);
    return suffix === 0 ? 'invalid' : [length - suffix, length];
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? length : Math.min(Number(match[2]) + 1, length);
  if (match[2] !== '' && Number(match[2]) < start) return undefined;
  return start >= length ? 'invalid' : [start, end];
}

function entityTags(header: string): readonly string[] {
  return header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
}

/**
 * Whether the client has what it would get. `If-None-Match` decides alone where it is given (RFC
 * 9110, 13.2.2).
 */
export function isUnchanged(request: PortalRequest, { etag, modified }: Validators): boolean {
  const tags = request.headers['if-none-match'];
  const since = request.headers['if-modified-since'];
  if (tags !== undefined)
    return tags.trim() === '*' || (etag !== undefined && entityTags(tags).includes(etag));
  return since !== undefined && Date.parse(since) >= modified.getTime();
}

/** Whether a `Range` may be obeyed: `If-Range` names what the client has a part of. */
export function mayResume(request: PortalRequest, { etag, modified }: Validators): boolean {
  const condition = request.headers['if-range'];
  if (typeof condition !== 'string') return true;
  return condition.startsWith('"')
    ? condition === etag
    : Date.parse(condition) === modified.getTime();
}
