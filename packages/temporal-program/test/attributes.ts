/** Search attributes as a program may want them, made up for these tests. */
export const SEARCH_ATTRIBUTES = {
  Pipeline: 'Keyword',
  DataDate: 'Keyword',
  FailedStep: 'Keyword',
} as const;
