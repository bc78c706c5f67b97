import * as z from 'zod';

/** Addresses of machines, one by one or as ranges (`10.0.0.0/8`), as settings name them. */

/** Entries that were read; with a problem they must not be used. */
export interface ParsedRanges {
  readonly ranges: readonly string[];
  /** What is wrong, in words. */
  readonly problem?: string;
}

/** A range of no length at all would be everybody. */
const range = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
  .refine((entry) => !entry.endsWith('/0'));

/** Reads addresses and ranges with commas or white space between; names are none. */
export function parseAddressRanges(text: string): ParsedRanges {
  const ranges = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const wrong = ranges.find((entry) => !range.safeParse(entry).success);
  if (wrong !== undefined)
    return { ranges, problem: `takes addresses such as 10.0.0.2 or 10.0.0.0/24, not ${wrong}` };
  return ranges.length > 0 ? { ranges } : { ranges, problem: 'names nobody' };
}
