import { defineSearchAttributeKey } from '@temporalio/common';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

/** The search attributes by which runs are found in the UI; the server's owner registers them. */
export const SEARCH_KEYS = {
  Pipeline: keyword('Pipeline'),
  DataDate: keyword('DataDate'),
  RunReason: keyword('RunReason'),
  Verdict: keyword('Verdict'),
  Revision: keyword('Revision'),
  FailedStep: keyword('FailedStep'),
} as const;
