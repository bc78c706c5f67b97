import { randomUUID } from 'node:crypto';
import type { DocumentStore } from '../../ports/documents.ts';

/** Who asked for what, when and why: created, never changed, and also there when what was asked for was refused. */
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
  const key = { table: AUDIT_TABLE, partition: record.at.slice(0, 7), sort: `${record.at}/${randomUUID()}` };
  await documents.put(key, record, { expectedVersion: 0 });
}
