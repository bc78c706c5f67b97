import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import { DELIVERY_ORDER_TABLE, dayOf, mergeReceipts, receiptKey } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { changeDocument } from '../change-document.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';

/**
 * Order among the answers for a part, from the one place that all workers share. A number is taken just before the publisher is asked: of two
 * answers the one that was asked for later is the newer one, however long either took and whatever the clocks of the hosts say. Whoever took a number
 * may be slow to ask: answers with other rows that came meanwhile are asked for again (`isContradicted`).
 */

/** Takes the next number of the part, above every one that is known to be taken: the counter itself may have been lost. */
export async function takeSequence(
  documents: DocumentStore,
  { pipeline, part }: Pick<Receipt, 'pipeline' | 'part'>,
  known: readonly Receipt[],
): Promise<number> {
  const key: DocumentKey = { table: DELIVERY_ORDER_TABLE, partition: pipeline, sort: part };
  const least = newestSequence(known);
  const { body } = await changeDocument<{ readonly last: number }>(documents, key, (found) => ({
    last: Math.max(least, found?.last ?? 0) + 1,
  }));
  return body.last;
}

/** Whether one of these receipts, but none of the earlier ones, came with other rows for a day than these answers. */
export function isContradicted(
  answers: readonly (StepDone | StepFailed)[],
  earlier: readonly Receipt[],
  receipts: readonly Receipt[],
): boolean {
  const seen = newestSequence(earlier);
  const meanwhile = receipts.filter(({ sequence = 0 }) => sequence > seen);
  return answers.some((answer) => {
    if ('failure' in answer) return false;
    return meanwhile.some((receipt) => (dayOf(receipt, answer.date)?.key ?? answer.key) !== answer.key);
  });
}

function newestSequence(receipts: readonly Receipt[]): number {
  return receipts.reduce((most, { sequence = 0 }) => Math.max(most, sequence), 0);
}

/** Saves a receipt; what another worker wrote of the same bytes in the meantime stays with it. */
export async function saveReceipt(documents: DocumentStore, receipt: Receipt): Promise<void> {
  const key = receiptKey({ ...receipt, sha256: receipt.origin.raw.sha256 });
  await changeDocument<Receipt>(documents, key, (found) =>
    found === undefined ? receipt : mergeReceipts(found, receipt),
  );
}
