import { randomUUID } from 'node:crypto';
import type { DocumentStore } from '../../ports/documents.ts';

/**
 * Who asked for what, when and why: created, never changed, and also there when what was asked for
 * was refused.
 */
export interface AuditRecord {
  /** ISO instant. */
  readonly at: string;
  /** `key:<id>`. */
  readonly by: string;
  /** Such as `run` or `backfill/pause`. */
  readonly action: string;
  /** What it was done to: a day, a backfill, a schedule. */
  readonly target: string;
  readonly reason: string;
}

/** One partition per month; only ever added to. */
export const AUDIT_TABLE = 'audit';

/** Records of one month are together. */
export async function writeAudit(documents: DocumentStore, record: AuditRecord): Promise<void> {
  const key = {
    table: AUDIT_TABLE,
    partition: record.at.slice(0, 7),
    sort: `${record.at}/${randomUUID()}`,
  };
  await documents.put(key, record, { expectedVersion: 0 });
}

const MONTHS_READ = 12;

/** The last of them, the newest first, at most `count`; of this month and the eleven before it. */
export async function lastAudit(
  documents: DocumentStore,
  now: Date,
  count: number,
): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let back = 0; back < MONTHS_READ && records.length < count; back += 1) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back));
    const partition = month.toISOString().slice(0, 7);
    const limit = count - records.length;
    const found = documents.query<AuditRecord>({
      table: AUDIT_TABLE,
      partition,
      order: 'descending',
      limit,
    });
    for await (const { body } of found) records.push(body);
  }
  return records;
}
