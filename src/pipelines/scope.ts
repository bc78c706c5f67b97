import { definedMembers } from '../given.ts';
import { PipelineError } from '../errors.ts';
import { isCivilDate, MONTH_FORM } from './civil-date.ts';
import { splitShard, shardName } from './shard.ts';
import type { Shard } from './shard.ts';
import type { CivilDate, Period, Scope } from './vocabulary.ts';

/**
 * What outputs are about, as a value. Records keep its text form, which is what they always had:
 * `2024-01-15`, `2024-01`, `2024` or `all`, with `.07-of-16` behind it where one shard alone is
 * meant.
 */
export type ScopeValue = { readonly partition?: Shard } & (
  | { readonly kind: 'day'; readonly date: CivilDate }
  | { readonly kind: 'period'; readonly grain: 'month' | 'year'; readonly period: Period }
  | { readonly kind: 'history' }
);

/** The text of the one scope of kind `history`. */
export const WHOLE_HISTORY: Period = 'all';

const DAY = /^\d{4}-\d{2}-\d{2}/;
const YEAR = /^\d{4}$/;

/** Reads the text form; `INPUT_INVALID` for anything else. `scopeText` gives the same text back. */
export function parseScope(text: string): ScopeValue {
  const { name, shard } = splitShard(text);
  const partition = definedMembers({ partition: shard });
  const isSound = shard === undefined || (shard.index >= 1 && shard.index <= shard.of);
  if (isSound && isCivilDate(name)) return { kind: 'day', date: name, ...partition };
  if (isSound && MONTH_FORM.test(name))
    return { kind: 'period', grain: 'month', period: name, ...partition };
  if (isSound && YEAR.test(name))
    return { kind: 'period', grain: 'year', period: name, ...partition };
  if (isSound && name === WHOLE_HISTORY) return { kind: 'history', ...partition };
  throw new PipelineError(
    'INPUT_INVALID',
    `${JSON.stringify(text)} is no existing day, month or year: write it as YYYY-MM-DD, YYYY-MM, YYYY or ${WHOLE_HISTORY}, ` +
      'with .07-of-16 behind it for one shard',
  );
}

/** The one text form of a scope. */
export function scopeText(scope: ScopeValue): Scope {
  const text =
    scope.kind === 'day' ? scope.date : scope.kind === 'period' ? scope.period : WHOLE_HISTORY;
  return scope.partition === undefined ? text : shardName(text, scope.partition);
}

/**
 * Whether a scope, in its text form, is a period or the history, and not a data day. Asked of every
 * row that is read.
 */
export function isPeriod(scope: Scope): boolean {
  return !DAY.test(scope);
}
