import { textBefore } from '../../given.ts';
import { PipelineError } from '../../errors.ts';

/** The formats of tables, and which of them a request means. */

/** The media type of each format; its name is also the suffix of a path. */
export const FORMATS = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.stream',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;

/** How a client may ask for rows. */
export type Format = keyof typeof FORMATS;

const NAMES = Object.keys(FORMATS) as Format[];

function bare(mediaType: string): string {
  return textBefore(mediaType, ';').trim().toLowerCase();
}

/**
 * A suffix decides, then `Accept` (RFC 9110, by quality, then by our order); `NOT_ACCEPTABLE` names
 * what there is.
 */
export function chooseFormat(
  suffix: string | undefined,
  accept: string | undefined,
  offered = NAMES,
): Format {
  if (suffix !== undefined) {
    const named = offered.find((format) => format === suffix);
    if (named !== undefined) return named;
    throw notAcceptable(offered);
  }
  if (accept === undefined || accept.trim() === '') return offered[0] ?? 'json';
  const wanted = accept
    .split(',')
    .map((part) => {
      const quality = /;\s*q=([\d.]+)/.exec(part)?.[1];
      return { type: bare(part), quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const { type } of wanted) {
    const found = offered.find((format) => matches(type, bare(FORMATS[format])));
    if (found !== undefined) return found;
  }
  throw notAcceptable(offered);
}

function matches(wanted: string, offered: string): boolean {
  if (wanted === '*/*' || wanted === offered) return true;
  return wanted.endsWith('/*') && offered.startsWith(wanted.slice(0, -1));
}

function notAcceptable(offered: readonly Format[]): PipelineError {
  const names = offered.map((format) => `${format} (${bare(FORMATS[format])})`).join(', ');
  return new PipelineError('NOT_ACCEPTABLE', `this resource comes as ${names}`);
}
