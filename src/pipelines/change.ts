import type { DocumentKey } from '../ports/documents.ts';
import type { Manifest } from './manifest.ts';
import type { Scope, StepId, Verdict } from './vocabulary.ts';

/**
 * Says that a version was committed, for readers who follow what is new. It is written before the
 * version is created: a crash in between leaves a change of a version that is not there, which
 * readers leave out.
 */
export interface Change {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly version: number;
  readonly verdict: Verdict;
  /** ISO instant, by the clock of the host that committed. */
  readonly committedAt: string;
  /** The steps whose outputs differ from the version before. */
  readonly changed: readonly StepId[];
}

/** The feed of committed versions: one partition per pipeline, in the order of commits. */
export const CHANGE_TABLE = 'changes';

const VERSION_DIGITS = 6;

/** Changes of a pipeline follow each other by the time of their commit. */
export function changeKey({ pipeline, scope, version, committedAt }: Change): DocumentKey {
  const sort = `${committedAt}/${scope}/${String(version).padStart(VERSION_DIGITS, '0')}`;
  return { table: CHANGE_TABLE, partition: pipeline, sort };
}

/** The change that is written before this manifest becomes a version. */
export function changeOf({ pipeline, scope, version, verdict, run, changed }: Manifest): Change {
  return { pipeline, scope, version, verdict, committedAt: run.committedAt, changed };
}
