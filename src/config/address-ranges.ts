import { isIP } from 'node:net';

/** Addresses of machines, one by one or as ranges (`10.0.0.0/8`), as settings name them. */

/** Entries that were read; with a problem they must not be used. */
export interface ParsedRanges {
  readonly ranges: readonly string[];
  /** What is wrong, in words. */
  readonly problem?: string;
}

/** Reads addresses and ranges with commas or white space between; names are none. */
export function parseAddressRanges(text: string): ParsedRanges {
  const ranges = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const wrong = ranges.find((entry) => !isRange(entry));
  if (wrong === undefined) return { ranges };
  return { ranges, problem: `takes addresses such as 10.0.0.2 or 10.0.0.0/24, not ${wrong}` };
}

/** A range of no length at all would be everybody. */
function isRange(entry: string): boolean {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  const bits = version === 4 ? 32 : 128;
  return length === undefined || (Number(length) > 0 && Number(length) <= bits);
}
