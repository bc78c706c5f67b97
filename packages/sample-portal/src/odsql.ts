import { odsqlRefusal } from './answer.ts';

/** A date or an instant as a client wrote it. */
export interface DateLiteral {
  /** `YYYY-MM-DD` as written. */
  readonly date: string;
  /** Epoch milliseconds of a literal with a time and an offset. */
  readonly instant?: number;
  /**
   * Epoch milliseconds, read as UTC, of a literal with a time and no offset: whoever knows the zone
   * corrects it.
   */
  readonly naive?: number;
}

/** Those that a `where` of ours may use between a field and a date. */
export type Operator = '=' | '<' | '<=' | '>' | '>=';

/** One term of a `where`; all terms hold together. */
export interface Comparison {
  readonly field: string;
  readonly operator: Operator;
  readonly value: DateLiteral;
}

interface Token {
  readonly kind: 'word' | 'operator' | 'literal' | 'bracket' | 'dots';
  readonly text: string;
}

const TOKEN =
  /\s*(?:(?<literal>(?:date\s*)?(?:'[^']*'|"[^"]*"))|(?<operator><=|>=|=|<|>)|(?<dots>\.\.)|(?<bracket>[[\]])|(?<word>[A-Za-z_]\w*))/y;
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined)
      throw odsqlRefusal(`unexpected “${text.slice(at).trim().slice(0, 40)}”`);
    const [kind, value] = Object.entries(groups).find(
      ([, each]) => (each as string | undefined) !== undefined,
    ) ?? ['', ''];
    tokens.push({ kind: kind as Token['kind'], text: value });
  }
  return tokens;
}

function isCalendarDate(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

function readLiteral(token: Token | undefined): DateLiteral {
  const quoted =
    token?.kind === 'literal' ? token.text.replace(/^date\s*/, '').slice(1, -1) : undefined;
  const match = quoted === undefined ? null : DATE.exec(quoted);
  if (quoted === undefined || match === null)
    throw odsqlRefusal(`“${token?.text ?? 'the end'}” is not a date literal`);
  const date = quoted.slice(0, 10);
  if (!isCalendarDate(date)) throw odsqlRefusal(`“${quoted}” is not a date of the calendar`);
  const [, , , , hour, minute, second, offset] = match;
  if (hour === undefined) return { date };
  const local = `${date}T${hour}:${minute ?? '00'}:${second ?? '00'}`;
  const instant = Date.parse(
    `${local}${offset === undefined ? 'Z' : offset.replace(/(\d\d)(\d\d)$/, '$1:$2')}`,
  );
  if (Number.isNaN(instant)) throw odsqlRefusal(`“${quoted}” is not a time of the day`);
  return offset === undefined ? { date, naive: instant } : { date, instant };
}

/** `field in [a..b]`; a bracket turned outwards leaves its end out. */
function readRange(field: string, tokens: Token[]): Comparison[] {
  const open = tokens.shift();
  const from = readLiteral(tokens.shift());
  const dots = tokens.shift();
  const to = readLiteral(tokens.shift());
  const close = tokens.shift();
  if (open?.kind !== 'bracket' || dots?.kind !== 'dots' || close?.kind !== 'bracket') {
    throw odsqlRefusal('a range is written [date’…’..date’…’]');
  }
  return [
    { field, operator: open.text === '[' ? '>=' : '>', value: from },
    { field, operator: close.text === ']' ? '<=' : '<', value: to },
  ];
}

function readTerm(tokens: Token[]): Comparison[] {
  const field = tokens.shift();
  if (field?.kind !== 'word')
    throw odsqlRefusal(`expected a field, found “${field?.text ?? 'the end'}”`);
  const next = tokens.shift();
  if (next?.kind === 'word' && next.text.toLowerCase() === 'in')
    return readRange(field.text, tokens);
  if (next?.kind !== 'operator') throw odsqlRefusal(`expected a comparison after “${field.text}”`);
  return [
    { field: field.text, operator: next.text as Operator, value: readLiteral(tokens.shift()) },
  ];
}

/**
 * Reads the part of ODSQL that clients of daily data use: comparisons of a field with a date
 * literal and `in` ranges, joined by AND. `undefined` and an empty text select everything.
 * @throws a 400 refusal for everything else, OR and functions included, rather than answer more
 * rows than were asked for.
 */
export function parseWhere(text: string | undefined): readonly Comparison[] {
  const tokens = text === undefined ? [] : tokenize(text);
  const comparisons: Comparison[] = [];
  if (tokens.length === 0) return comparisons;
  for (;;) {
    comparisons.push(...readTerm(tokens));
    const joint = tokens.shift();
    if (joint === undefined) return comparisons;
    if (joint.text.toLowerCase() !== 'and')
      throw odsqlRefusal(`“${joint.text}” is not supported here`);
  }
}
