import type { FastifyReply } from 'fastify';
import type { TableCut } from '../../engine/look/table-cut.ts';

/**
 * What an answer stands on, as headers and as a member of JSON answers: its coverage, revision,
 * versions and proof.
 */

/** What every answer with rows says of them; members as the JSON has them. */
export interface Standing {
  readonly coverage: number | null;
  readonly revision: string | null;
  /** Of a single day or period; null where there are several. */
  readonly version: number | null;
  /** How many days or periods have rows, and which that are due have none. */
  readonly scopes: number;
  readonly missing: readonly string[];
  /**
   * Of the newest version, ISO instant. The same request with it as `as_of` gives the same rows for
   * ever.
   */
  readonly committed_at: string | null;
  /** Address of the versions and hashes of every file. */
  readonly proof: string;
}

const MISSING_TOLD = 100;

/** `proof` keeps the moment, so that it shows these versions also after later ones came. */
export function standingOf(cut: TableCut, asOf?: string): Standing {
  const { span, table, versions, missing } = cut;
  const query = new URLSearchParams({ from: span.from, to: span.to });
  const moment = asOf ?? cut.committedAt;
  if (moment !== null) query.set('as_of', moment);
  return {
    coverage: cut.coverage,
    revision: cut.revision,
    version: versions.length === 1 ? (versions[0]?.version ?? null) : null,
    scopes: versions.length,
    missing: missing.slice(0, MISSING_TOLD),
    committed_at: cut.committedAt,
    proof: `/api/v1/tables/${table.id}/proof?${query.toString()}`,
  };
}

/** The same as headers, for formats without a place for it. */
export function tellStanding(
  reply: FastifyReply,
  standing: Standing,
  links: readonly string[] = [],
): void {
  const { coverage, revision, version, committed_at: at, proof } = standing;
  if (coverage !== null) reply.header('quotidien-coverage', coverage);
  if (revision !== null) reply.header('quotidien-revision', revision);
  if (version !== null) reply.header('quotidien-version', version);
  if (at !== null) reply.header('quotidien-as-of', at);
  reply.header('link', [...links, `<${proof}>; rel="describedby"`].join(', '));
}

/**
 * Of an answer from several tables: the lowest coverage, what all of them share, and the proof of
 * each.
 */
export function tellStandings(reply: FastifyReply, standings: readonly Standing[]): void {
  const [first, ...others] = standings;
  if (first === undefined) return;
  const proofs = others.map(({ proof }) => `<${proof}>; rel="describedby"`);
  tellStanding(reply, others.reduce(together, first), proofs);
}

function together(one: Standing, other: Standing): Standing {
  const known = [one.coverage, other.coverage].filter((coverage) => coverage !== null);
  const instants = [one.committed_at, other.committed_at].filter((at) => at !== null).sort();
  return {
    ...one,
    coverage: known.length === 0 ? null : Math.min(...known),
    revision: one.revision === other.revision ? one.revision : null,
    version: one.version === other.version ? one.version : null,
    committed_at: instants.at(-1) ?? null,
  };
}
