import type { DocumentKey, DocumentStore } from '../storage/ports.ts';
import { DELIVERY_ORDER_TABLE, mergeReceipts, receiptKey } from '../pipelines/receipt.ts';
import type { Receipt } from '../pipelines/receipt.ts';
import { changeDocument } from './change-document.ts';

/**
 * Order among the answers for a part, from the one place that all workers share. A number is taken just before the publisher is asked: of two
 * answers the one that was asked for later is the newer one, however long either took and whatever the clocks of the hosts say.
 */

/** Takes the next number of the part, above every one that is known to be taken: the counter itself may have been lost. */
export async function takeSequence(
  documents: DocumentStore,
  { pipeline, part }: Pick<Receipt, 'pipeline' | 'part'>,
  known: readonly Receipt[],
): Promise<number> {
  const key: DocumentKey = { table: DELIVERY_ORDER_TABLE, partition: pipeline, sort: part };
  const least = known.reduce((most, { sequence = 0 }) => Math.max(most, sequence), 0);
  const { body } = await changeDocument<{ readonly last: number }>(documents, key, (found) => ({
    last: Math.max(least, found?.last ?? 0) + 1,
  }));
  return body.last;
}

/** Saves a receipt; what another worker wrote of the same bytes in the meantime stays with it. */
export async function saveReceipt(documents: DocumentStore, receipt: Receipt): Promise<void> {
  const key = receiptKey({ ...receipt, sha256: receipt.origin.raw.sha256 });
  await changeDocument<Receipt>(documents, key, (found) =>
    found === undefined ? receipt : mergeReceipts(found, receipt),
  );
}
