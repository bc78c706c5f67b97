import type { DocumentKey } from '../ports/documents.ts';
import type { Scope } from './vocabulary.ts';

/**
 * Says that a version of a scope gives other days or periods something to do, or takes names back.
 * It is written before the version is created and removed after everything that depends on the
 * version was made again: whoever comes next finds what a crash left undone.
 *
 * The same for everybody who announces the same version: two hosts that do so while a store is away
 * do not contradict each other.
 */
export interface Announcement {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly version: number;
  /** Published names that the version before had and this one has not. */
  readonly withdrawn?: readonly string[];
  /** The same for records that other programs read. */
  readonly withdrawnRecords?: readonly DocumentKey[];
}

/** One partition per pipeline; rows by scope, then version. */
export const ANNOUNCEMENT_TABLE = 'announcements';

const VERSION_DIGITS = 6;

/** The version is padded with zeros, so that the versions of a scope sort as numbers. */
export function announcementKey({
  pipeline,
  scope,
  version,
}: Pick<Announcement, 'pipeline' | 'scope' | 'version'>): DocumentKey {
  const sort = `${scope}/${String(version).padStart(VERSION_DIGITS, '0')}`;
  return { table: ANNOUNCEMENT_TABLE, partition: pipeline, sort };
}
