import type { ReadDocument } from '../decode/read-archive.ts';
import type { IncompleteDelivery, SequenceAudit } from '../decode/sequences.ts';
import type { DayEvents } from './events.ts';
import type { ExpiringRates } from '../rates/expiry.ts';

/** What is known of an archive that came, or of a file that was given. */
export interface ArchiveLine {
  readonly flux: string;
  readonly archive: string;
  readonly archive_sha256: string;
  readonly archive_timestamp: string;
  /** Null for a file of the ERP: no more than its lines is known of it. */
  readonly archive_bytes: number | null;
  readonly sequence_key: string | null;
  readonly sequence_number: number | null;
  readonly counter_rank: number | null;
  readonly counter_total: number | null;
  readonly documents: readonly ReadDocument[];
  readonly failure_cause: string | null;
  readonly failure_message: string | null;
  /** A sample portal made it up; absent for what a distributor delivered, and in older lists. */
  readonly exemple?: true;
}

/** Raised when a reader of the document would have to change. */
export const DAILY_SCHEMA = 'enedis.daily/1';

/**
 * The report of a day: what arrived, what failed, and what is missing between the numbers of the
 * last days.
 */
export interface DailyReport {
  readonly schema: typeof DAILY_SCHEMA;
  readonly date: string;
  readonly flux: readonly {
    readonly flux: string;
    readonly archives: number;
    readonly documents: number;
    readonly occurrences: number;
    readonly failed: number;
  }[];
  readonly failures: readonly {
    readonly flux: string;
    readonly archive: string;
    readonly cause: string;
    readonly message: string;
  }[];
  /**
   * Inner files that came more than once with other bytes: the newest archive counts, all are kept.
   */
  readonly changed_documents: readonly {
    readonly document: string;
    readonly archives: readonly string[];
  }[];
  readonly sequences: readonly SequenceAudit[];
  readonly incomplete_deliveries: readonly IncompleteDelivery[];
  /** How many days before the day the numbers were looked at. */
  readonly days_looked_at: number;
  /** Absent where no C15 came. */
  readonly events?: DayEvents;
  readonly expiring_rates: readonly ExpiringRates[];
  /** The flux whose archives a sample portal made up; absent for real days. */
  readonly sample_data?: readonly string[];
}

/** The flux among these archives that a sample portal made up, each once, in order. */
export function madeUpFlux(lines: readonly Pick<ArchiveLine, 'flux' | 'exemple'>[]): string[] {
  return [
    ...new Set(lines.flatMap(({ flux, exemple }) => (exemple === true ? [flux] : []))),
  ].sort();
}
