import { definedMembers } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { auditCounters, auditSequences } from '../decode/sequences.ts';
import { LINES_FLUX } from '../lines/part.ts';
import { expiringRates } from '../rates/expiry.ts';
import type { DayEvents } from './events.ts';
import type { ArchiveLine, DailyReport } from './model.ts';
import { DAILY_SCHEMA, madeUpFlux } from './model.ts';

/**
 * Archives by day: the day's own, and those of the days before it that the numbers are looked at
 * over.
 */
export interface DailyInputs {
  readonly date: CivilDate;
  readonly own: readonly ArchiveLine[];
  readonly before: readonly ArchiveLine[];
  readonly daysLookedAt: number;
  readonly events?: DayEvents | undefined;
}

/**
 * Sequences are told where they have gaps, or got a number today; failures only of the day itself.
 */
export function buildDaily({ date, own, before, daysLookedAt, events }: DailyInputs): DailyReport {
  const named = [...before, ...own].map(nameOf);
  const sample = madeUpFlux(own);
  const today = new Set(own.map(({ sequence_key: key }) => key));
  return {
    schema: DAILY_SCHEMA,
    date,
    flux: [...new Set(own.map(({ flux }) => flux))].sort().map((flux) => fluxLine(flux, own)),
    failures: own.flatMap(({ flux, archive, failure_cause: cause, failure_message: message }) =>
      cause === null ? [] : [{ flux, archive, cause, message: message ?? '' }],
    ),
    changed_documents: changedDocuments(
      [...before, ...own].filter(({ flux }) => flux !== LINES_FLUX),
    ),
    sequences: auditSequences(named).filter(({ key, gaps }) => gaps.length > 0 || today.has(key)),
    incomplete_deliveries: auditCounters(named),
    days_looked_at: daysLookedAt,
    ...definedMembers({ events }),
    expiring_rates: expiringRates(date),
    ...(sample.length === 0 ? {} : { sample_data: sample }),
  };
}

function fluxLine(flux: string, all: readonly ArchiveLine[]) {
  const own = all.filter((line) => line.flux === flux);
  const documents = own.flatMap((line) => line.documents);
  return {
    flux,
    archives: own.length,
    documents: documents.length,
    occurrences: documents.reduce((sum, { occurrences }) => sum + occurrences, 0),
    failed: own.filter(({ failure_cause: cause }) => cause !== null).length,
  };
}

function nameOf({ archive_timestamp: timestamp, ...line }: ArchiveLine) {
  const {
    sequence_key: key,
    sequence_number: number,
    counter_rank: rank,
    counter_total: total,
  } = line;
  return {
    timestamp,
    ...(key === null || number === null ? {} : { sequence: { key, number } }),
    ...(rank === null || total === null ? {} : { counter: { rank, total } }),
  };
}

/**
 * A file of the ERP is not meant: it is known by its lines, and may have the name of an earlier
 * one.
 */
function changedDocuments(lines: readonly ArchiveLine[]): DailyReport['changed_documents'] {
  const found = new Map<string, { hashes: Set<string>; archives: Set<string> }>();
  for (const { archive, documents } of lines) {
    for (const { name, sha256 } of documents) {
      const known = found.get(name) ?? { hashes: new Set(), archives: new Set() };
      known.hashes.add(sha256);
      known.archives.add(archive);
      found.set(name, known);
    }
  }
  return [...found]
    .filter(([, { hashes }]) => hashes.size > 1)
    .map(([document, { archives }]) => ({ document, archives: [...archives].sort() }))
    .sort((a, b) => (a.document < b.document ? -1 : 1));
}
