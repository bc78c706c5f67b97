import type { SearchAttributeTypes } from '@quotidien/temporal-program/search-attributes';

/**
 * What makes days findable in Temporal's UI. `DataDate` is civil text such as `2024-01-15`: a
 * `Datetime` would be an instant, and a data day has none without its zone; as text it still
 * compares and sorts in the order of time.
 */
export const SEARCH_ATTRIBUTES = {
  Pipeline: 'Keyword',
  DataDate: 'Keyword',
  RunReason: 'Keyword',
  Verdict: 'Keyword',
  Revision: 'Keyword',
  FailedStep: 'Keyword',
} as const satisfies SearchAttributeTypes;
