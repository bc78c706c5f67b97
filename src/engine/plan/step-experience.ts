import { addMonths, datesOfMonth, monthOf } from '../../pipelines/civil-date.ts';
import type { StepExperience } from '../../pipelines/backfill.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { CivilDate, StepId } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { readLedger } from '../records/ledger-reader.ts';

/**
 * Months whose ledger is read: enough runs to tell the usual from the slow, few enough to be read
 * at once.
 */
const MONTHS_READ = 6;

/**
 * How long each step took for one day, and what it stored, in the newest months up to `until` and
 * around `from`.
 */
export async function stepExperience(
  documents: DocumentStore,
  pipeline: string,
  range: { readonly from: CivilDate; readonly to: CivilDate },
): Promise<Map<StepId, StepExperience>> {
  const last = monthOf(range.to);
  const months = new Set([monthOf(range.from)]);
  for (let back = -1; back < MONTHS_READ; back += 1) months.add(addMonths(last, -back));
  const ledger = await readLedger(documents, pipeline, [...months].flatMap(datesOfMonth), []);
  const entries = new Map<StepId, LedgerEntry[]>();
  for (const entry of [...ledger.values()].flat()) {
    const known = entries.get(entry.step);
    if (known === undefined) entries.set(entry.step, [entry]);
    else known.push(entry);
  }
  return new Map([...entries].map(([step, of]) => [step, experienceOf(of)]));
}

function experienceOf(entries: readonly LedgerEntry[]): StepExperience {
  const perDay = entries.map(
    ({ execution }) => execution.durationMs / Math.max(1, execution.scopes),
  );
  perDay.sort((a, b) => a - b);
  const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  return {
    msP50: quantile(perDay, 0.5),
    msP90: quantile(perDay, 0.9),
    bytes: bytes / entries.length,
  };
}

function bytesOf({ outputs }: LedgerEntry): number {
  return Object.values(outputs).reduce((sum, ref) => sum + ref.bytes, 0);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
