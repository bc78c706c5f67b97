import { quoteText } from '../../kit/index.ts';
import type { NeededTable } from '../../kit/index.ts';

/**
 * A contract is known by its events: the one that began it, perhaps decades ago, and those that
 * changed its power or formula. They stay for as long as a month of the contract is kept, with the
 * day's file in which they came.
 */

function eventsOf(table: 'c15' | 'c12', name: string): NeededTable {
  return {
    table: `transform/${table}:${table}`,
    with: [`download/${table}:slice`, `rollup/month:${table}`],
    living: { step: 'rollup/history', output: 'mois' },
    where: (living, since) =>
      `${name} IN (SELECT ${name} FROM ${living} WHERE mois >= ${quoteText(since.slice(0, 7))})`,
  };
}

/** C15 names the contract; C12 names the point alone. */
export const NEEDED_EVENTS: readonly NeededTable[] = [
  eventsOf('c15', 'ref_situation_contractuelle'),
  eventsOf('c12', 'pdl'),
];
