import { percentFigure } from '../../../pipelines/percent.ts';
import { lastOf, nthOf } from '../../../given.ts';

/**
 * Numbers, dates and times as a French reader expects them. Written out instead of taken from
 * `Intl`, whose separators change with the ICU data of the runtime, while the page's bytes must
 * not.
 */

/** Thousands are parted by a narrow no-break space, units follow after a no-break space. */
const GROUP = '\u202f';
const SPACE = '\u00a0';
const MINUS = '\u2212';
/** What stands where nothing was published. */
export const UNKNOWN = '–';

const WEEKDAYS = ['dimanche', 'lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi'];
const MONTHS = [
  'janvier',
  'février',
  'mars',
  'avril',
  'mai',
  'juin',
  'juillet',
  'août',
  'septembre',
  'octobre',
  'novembre',
  'décembre',
];

/** `−1 234,5`; the number of decimals is fixed, and what rounds to zero has no sign. */
export function number(value: number | null, decimals = 0): string {
  if (value === null) return UNKNOWN;
  const [whole = '', fraction] = Math.abs(value).toFixed(decimals).split('.');
  const text =
    whole.replace(/\B(?=(\d{3})+$)/g, GROUP) + (fraction === undefined ? '' : `,${fraction}`);
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** Like `number`, with `+` before what is greater than zero. */
export function signed(value: number | null, decimals = 0): string {
  const text = number(value, decimals);
  return value !== null && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** The unit after a no-break space; an unknown value stays without. */
export function withUnit(text: string, unit: string): string {
  return text === UNKNOWN ? text : `${text}${SPACE}${unit}`;
}

/** Whole MW; null is unknown, never 0. */
export function megawatts(value: number | null): string {
  return withUnit(number(value), 'MW');
}

/** An energy given in MWh, as GWh with one decimal. */
export function gigawattHours(mwh: number | null): string {
  return withUnit(gigawattHourFigure(mwh), 'GWh');
}

/** The number of `gigawattHours` alone, for tables that have the unit in their head. */
export function gigawattHourFigure(mwh: number | null): string {
  return number(mwh === null ? null : mwh / 1000, 1);
}

/** A share from 0 to 1, in percent; `100,0` is the whole and `0,0` is nothing. */
export function percentOf(share: number | null, decimals = 1): string {
  return withUnit(percentText(share, decimals), '%');
}

/** The same without its unit. */
export function percentText(share: number | null, decimals = 1): string {
  return number(share === null ? null : percentFigure(share, decimals), decimals);
}

/** `lundi 15 janvier 2024`. */
export function longDate(date: string): string {
  const [day, weekday] = dateParts(date);
  return `${weekday} ${day}`;
}

/** `lun. 15/01/2024`: for heads of columns. */
export function shortDate(date: string): string {
  const [, weekday] = dateParts(date);
  return `${weekday.slice(0, 3)}.${SPACE}${date.slice(8)}/${date.slice(5, 7)}/${date.slice(0, 4)}`;
}

function dateParts(date: string): readonly [day: string, weekday: string] {
  const time = new Date(`${date}T00:00:00Z`);
  const day = time.getUTCDate();
  const month = nthOf(MONTHS, time.getUTCMonth());
  return [
    `${day === 1 ? '1er' : String(day)} ${month} ${date.slice(0, 4)}`,
    nthOf(WEEKDAYS, time.getUTCDay()),
  ];
}

/** `19:15` of a local time with offset. */
export function clockTime(at: string): string {
  return at.slice(11, 16);
}

/** `UTC+2` of a local time with offset. */
function offsetOf(at: string): string {
  const [, sign = '+', hours = '0', minutes = '00'] = /([+-])(\d{2}):?(\d{2})$/.exec(at) ?? [];
  return `UTC${sign === '-' ? MINUS : '+'}${Number(hours)}${minutes === '00' ? '' : `:${minutes}`}`;
}

/**
 * The clock time of an instant; on a day with a change of the clock an hour alone does not say
 * when, so the offset follows.
 */
export function instantText(at: string, hoursOfDay: number): string {
  return hoursOfDay === 24 ? clockTime(at) : `${clockTime(at)}${SPACE}(${offsetOf(at)})`;
}

/** The singular up to 1, as French has it: `0 jour`, `1 jour`, `2 jours`. */
export function plural(count: number, one: string, many: string): string {
  return `${number(count)}${SPACE}${count > 1 ? many : one}`;
}

/** `a, b et c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} et ${lastOf(words)}`;
}
