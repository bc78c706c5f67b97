import { readFile } from 'node:fs/promises';
import { isRecord, PipelineError, textOf } from '../kit/index.ts';
import type { RteSource } from './sources-of-power.ts';

/**
 * RTE's pages of monthly production and load factors. Their charts are JSON texts in the page's
 * script, `JSON.parse('{"01_Eolien terrestre": {"name": …, "data": {"filiere": {"monthlyData":
 * {"2024": {"1": 4.07}}}}}}')`: production in TWh, load factors in percent. Nothing of that is
 * promised: what is found is named when something is not.
 */

/** A monthly figure as the page has it. */
export interface PageFigure {
  readonly key: string;
  readonly name: string;
  /** `2024-01` */
  readonly month: string;
  /** Decimal text; never empty, a month without a value has no figure. */
  readonly value: string;
}

const MARKER = /JSON\.parse\(\s*(['"])/g;

/**
 * Every monthly figure of the page, in its order.
 * @throws `SRC_TRUNCATED` for a page that ends in a chart; `SRC_SHAPE_CHANGED` for one without
 * production or without load factors.
 */
export async function readRtePage(path: string, what: string): Promise<PageFigure[]> {
  const html = (await readFile(path, 'utf8')).replace(/^\u{FEFF}/u, '');
  if (html.trim() === '') throw new PipelineError('SRC_TRUNCATED', `${what} is empty`);
  const charts = chartsIn(html, what);
  const figures = charts.flatMap(figuresOf);
  const kinds = new Set(figures.map(kindOf).map((kind) => kind?.measure));
  if (kinds.has('production') && kinds.has('load_factor')) return figures;
  const keys = charts.flatMap((chart) => Object.keys(chart)).slice(0, 20);
  const lacks = kinds.has('production') ? 'no monthly load factor' : 'no monthly production';
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${what} has ${lacks} that is known; its ${charts.length} charts have ${JSON.stringify(keys)}`,
  );
}

function chartsIn(html: string, what: string): Readonly<Record<string, unknown>>[] {
  const charts: Readonly<Record<string, unknown>>[] = [];
  for (const match of html.matchAll(MARKER)) {
    const literal = literalFrom(html, match.index + match[0].length, match[1] ?? "'");
    if (literal === undefined)
      throw new PipelineError('SRC_TRUNCATED', `${what} ends inside a chart`);
    const chart = parsed(literal);
    if (isRecord(chart)) charts.push(chart);
  }
  return charts;
}

/** The text of a string literal of JavaScript that begins here; undefined when it does not end. */
function literalFrom(text: string, start: number, quote: string): string | undefined {
  let end = start;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) return undefined;
  return text
    .slice(start, end)
    .replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^])/g, (_, escape: string) => {
      if (/^[ux]./.test(escape) && escape.length > 1)
        return String.fromCharCode(parseInt(escape.slice(1), 16));
      return { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[escape] ?? escape;
    });
}

/** Other scripts of the page parse other things. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function figuresOf(chart: Readonly<Record<string, unknown>>): PageFigure[] {
  return Object.entries(chart).flatMap(([key, entry]) => {
    if (!isRecord(entry)) return [];
    const data = isRecord(entry['data']) ? entry['data'] : {};
    const inner = [data['filiere'], data['global']].find(isRecord) ?? {};
    const years = isRecord(inner['monthlyData']) ? inner['monthlyData'] : {};
    return monthsOf(years).map((figure) => ({ key, name: textOf(entry['name']) ?? '', ...figure }));
  });
}

function monthsOf(years: Readonly<Record<string, unknown>>): Pick<PageFigure, 'month' | 'value'>[] {
  return Object.entries(years).flatMap(([year, months]) =>
    Object.entries(isRecord(months) ? months : {}).flatMap(([month, value]) => {
      const text = textOf(value);
      const isMonth = /^\d{4}$/.test(year) && /^(0?[1-9]|1[0-2])$/.test(month);
      return isMonth && text !== null && text !== ''
        ? [{ month: `${year}-${month.padStart(2, '0')}`, value: text }]
        : [];
    }),
  );
}

/** Production in TWh, or a mean load factor in percent, as published. */
export interface FigureKind {
  readonly source: RteSource;
  readonly measure: 'production' | 'load_factor';
}

/**
 * What a figure tells, by the words of its key and name; undefined for what nothing is made of:
 * totals, and the least and greatest load factors. Names alone do not say whether a load factor is
 * that of the land or of the sea; keys do.
 */
export function kindOf({ key, name }: Pick<PageFigure, 'key' | 'name'>): FigureKind | undefined {
  const words = `${key} ${name}`.toLowerCase();
  const isFactor = words.includes('facteur');
  if (isFactor && /\bm(ax|in)/.test(words)) return undefined;
  const source = sourceIn(words);
  return source === undefined
    ? undefined
    : { source, measure: isFactor ? 'load_factor' : 'production' };
}

function sourceIn(words: string): RteSource | undefined {
  if (words.includes('terrestre')) return 'eolien_terrestre';
  if (/en mer|offshore/.test(words)) return 'eolien_en_mer';
  return /solaire|photovolta/.test(words) ? 'solaire' : undefined;
}
