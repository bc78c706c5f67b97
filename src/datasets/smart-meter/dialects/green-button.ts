import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SaxesParser } from 'saxes';
import { matchOf, PipelineError, quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Dialect, FileHead, OpenFile } from './dialect.ts';
import { publishedRows } from './dialect.ts';

/**
 * Green Button: an Atom feed of NAESB ESPI. START of each interval in seconds since 1970; the value
 * times ten to `powerOfTenMultiplier`; unit 72 is Wh. Only `accumulationBehaviour` 4 (a quantity
 * per interval) is energy of an interval, 1 and 3 are registers; `flowDirection` 19 is what flows
 * back to the network.
 */
export const greenButton: Dialect = {
  id: 'green-button',
  title: 'intervals of a customer (Green Button)',
  matches: ({ text }) => text.includes('http://naesb.org/espi'),
  open: (head, sql) => openFeed(head, sql),
};

/** The ESPI code of quality as ours; 12 and 15 mean that the value is none. */
const QUALITY: Readonly<Record<string, string>> = {
  ...{
    0: 'A',
    17: 'A',
    18: 'A',
    7: 'C',
    8: 'E',
    9: 'E',
    11: 'E',
    10: 'S',
    13: 'U',
    14: 'U',
    16: 'U',
  },
};
const REFUSED_QUALITY = new Set(['12', '15']);
const WATT_HOURS = '72';
const PER_INTERVAL = '4';
const TO_NETWORK = '19';

interface ReadingType {
  readonly multiplier: number;
  readonly uom: string;
  readonly behaviour: string;
  readonly flow: string;
}

interface Entry {
  readonly links: Record<string, string>;
  kind: string;
  readonly values: Record<string, string>;
  readonly readings: Record<string, string>[];
}

/** Every entry of the feed; the text of an element under its local name. */
async function* entriesOf(file: string): AsyncGenerator<Entry | { readonly updated: string }> {
  const parser = new SaxesParser({ xmlns: true });
  const done: (Entry | { readonly updated: string })[] = [];
  const open: string[] = [];
  let [entry, reading, text]: [Entry | undefined, Record<string, string> | undefined, string] = [
    undefined,
    undefined,
    '',
  ];
  parser.on('error', (error) => {
    throw new PipelineError('SRC_SHAPE_CHANGED', `the feed is not well formed: ${error.message}`);
  });
  parser.on('opentag', ({ local, attributes }) => {
    open.push(local);
    text = '';
    if (local === 'entry') entry = { links: {}, kind: '', values: {}, readings: [] };
    else if (entry !== undefined && local === 'link') {
      const { rel, href } = attributes as unknown as Record<string, { value: string } | undefined>;
      if (rel !== undefined && href !== undefined) entry.links[rel.value] ??= href.value;
    } else if (entry !== undefined && local === 'IntervalReading') reading = {};
    else if (entry !== undefined && open.at(-2) === 'content') entry.kind = local;
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('closetag', ({ local }) => {
    open.pop();
    const value = text.trim();
    text = '';
    if (entry === undefined) {
      if (local === 'updated' && open.length === 1) done.push({ updated: value });
    } else if (local === 'entry') {
      done.push(entry);
      entry = undefined;
    } else if (local === 'IntervalReading' && reading !== undefined) {
      entry.readings.push(reading);
      reading = undefined;
    } else if (value !== '') (reading ?? entry.values)[local] = value;
  });
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    parser.write(chunk);
    yield* done.splice(0);
  }
  parser.close();
  yield* done;
}

/**
 * What stands before the last `/IntervalBlock…` names the meter reading that a block belongs to.
 */
function readingOf(link: string | undefined): string | undefined {
  return link?.replace(/\/IntervalBlock(\/.*)?$/, '');
}

function idOf(link: string | undefined): string {
  return matchOf(/UsagePoint\/([^/]+)/, link)?.[1] ?? 'green-button';
}

async function openFeed({ path: file, name }: FileHead, sql: SqlSession): Promise<OpenFile> {
  const types = new Map<string | undefined, ReadingType>();
  const typeOfReading = new Map<string | undefined, string | undefined>();
  let updated: string | null = null;
  for await (const entry of entriesOf(file)) {
    if ('updated' in entry) updated = entry.updated;
    else if (entry.kind === 'ReadingType')
      types.set(entry.links['self'], readingType(entry.values));
    else if (entry.kind === 'MeterReading')
      typeOfReading.set(entry.links['self'], entry.links['related']);
  }
  const [only] = types.size === 1 ? [...types.values()] : [];
  const lines: string[] = [];
  for await (const entry of entriesOf(file)) {
    if ('updated' in entry || entry.kind !== 'IntervalBlock') continue;
    const link = readingOf(entry.links['up'] ?? entry.links['self']);
    const known = link === undefined ? undefined : typeOfReading.get(link);
    const type = (known === undefined ? undefined : types.get(known)) ?? only;
    if (type === undefined)
      throw new PipelineError(
        'SRC_SHAPE_CHANGED',
        `${name} has a block of readings without its type`,
      );
    for (const reading of entry.readings)
      lines.push(
        `${JSON.stringify({ ...rowOf(reading, type), meter: idOf(link), line: lines.length + 1, updated })}\n`,
      );
  }
  const rows = path.join(sql.scratch, `green-button-${path.basename(file)}.ndjson`);
  await writeFile(rows, lines.join(''));
  return { select: feedRows(rows), extension: 'xml', mediaType: 'application/atom+xml' };
}

function readingType(values: Readonly<Record<string, string>>): ReadingType {
  return {
    multiplier: Number(values['powerOfTenMultiplier'] ?? 0),
    uom: values['uom'] ?? WATT_HOURS,
    behaviour: values['accumulationBehaviour'] ?? PER_INTERVAL,
    flow: values['flowDirection'] ?? '1',
  };
}

function rowOf(reading: Readonly<Record<string, string>>, type: ReadingType) {
  const quality = reading['quality'] ?? '0';
  return {
    start: reading['start'] ?? null,
    minutes: Number(reading['duration'] ?? 0) / 60,
    value: scaled(reading['value'], type.multiplier),
    channel: type.flow === TO_NETWORK ? 'export' : 'import',
    quality: QUALITY[quality] ?? 'A',
    refused: refusalOf(type, quality),
  };
}

function refusalOf({ behaviour, uom }: ReadingType, quality: string): string | null {
  if (behaviour !== PER_INTERVAL) return 'register_not_interval';
  if (uom !== WATT_HOURS) return 'unknown_unit';
  return REFUSED_QUALITY.has(quality) ? 'refused_quality' : null;
}

/** Moves the decimal point of a text: no digit is lost on the way through a double. */
export function scaled(value: string | undefined, power: number): string | null {
  const [, sign = '', whole = '', rest = ''] = matchOf(/^(-?)(\d+)(?:\.(\d+))?$/, value) ?? [];
  if (whole === '') return value ?? null;
  const digits = `${'0'.repeat(Math.max(0, -power))}${whole}${rest}${'0'.repeat(Math.max(0, power))}`;
  const point = digits.length - (rest.length + Math.max(0, power)) + power;
  const text = `${digits.slice(0, point) || '0'}.${digits.slice(point) || '0'}`;
  return `${sign}${text.replace(/^0+(?=\d)/, '').replace(/\.?0+$/, '')}`;
}

function feedRows(file: string): string {
  const columns = `{start: 'VARCHAR', minutes: 'INTEGER', value: 'VARCHAR', channel: 'VARCHAR', quality: 'VARCHAR', refused: 'VARCHAR',
    meter: 'VARCHAR', line: 'BIGINT', updated: 'VARCHAR'}`;
  return publishedRows(
    {
      line: 'line',
      meter_id: 'meter',
      channel: 'channel',
      stamp: 'start',
      zone: `'Europe/Paris'`,
      value: 'value',
      unit: `'Wh'`,
      step_min: 'minutes',
      quality: 'quality',
      file_time: 'updated',
      refused: 'refused',
    },
    `read_json(${quoteText(file)}, format = 'newline_delimited', columns = ${columns})`,
  );
}
