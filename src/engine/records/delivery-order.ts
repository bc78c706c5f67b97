import type { DocumentKey, DocumentStore, PutDocument } from '../../ports/documents.ts';
import {
  DELIVERY_ORDER_TABLE,
  countedAlone,
  dayOf,
  mergeReceipts,
  receiptKey,
} from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { changeDocument } from '../change-document.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';

/**
 * Order among the answers for a part, from the one place that all workers share. A number is taken
 * just before the publisher is asked: of two answers the one that was asked for later is the newer
 * one, however long either took and whatever the clocks of the hosts say. Whoever took a number may
 * be slow to ask: answers with other rows that came meanwhile are asked for again
 * (`isContradicted`).
 */

/**
 * Takes the next number of the part, above every one that is known to be taken: the counter itself
 * may have been lost.
 */
export async function takeSequence(
  documents: DocumentStore,
  { pipeline, part }: Pick<Receipt, 'pipeline' | 'part'>,
  known: readonly Receipt[],
): Promise<Numbered> {
  const key = counterKey(pipeline, part);
  const least = newestSequence(known);
  const { body, isPending } = await changeDocument<{ readonly last: number }>(
    documents,
    key,
    (found) => ({
      last: Math.max(least, found?.last ?? 0) + 1,
    }),
  );
  return { sequence: body.last, ...(isPending === true ? { alone: { upTo: null } } : {}) };
}

/** The place of an answer. */
export type Numbered = Pick<Receipt, 'sequence' | 'alone'> & { readonly sequence: number };

/** One counter per part. */
export function counterKey(pipeline: string, part: string): DocumentKey {
  return { table: DELIVERY_ORDER_TABLE, partition: pipeline, sort: part };
}

/**
 * Whether one of these receipts, but none of the earlier ones, came with other rows for a day than
 * these answers.
 */
export function isContradicted(
  answers: readonly (StepDone | StepFailed)[],
  earlier: readonly Receipt[],
  receipts: readonly Receipt[],
): boolean {
  const seen = newestSequence(earlier);
  const meanwhile = receipts.filter(({ sequence = 0 }) => sequence > seen);
  return answers.some((answer) => {
    if ('failure' in answer) return false;
    return meanwhile.some(
      (receipt) => (dayOf(receipt, answer.date)?.key ?? answer.key) !== answer.key,
    );
  });
}

function newestSequence(receipts: readonly Receipt[]): number {
  return receipts.reduce((max, { sequence = 0 }) => Math.max(max, sequence), 0);
}

/** Saves a receipt; what another worker wrote of the same bytes in the meantime stays with it. */
export async function saveReceipt(documents: DocumentStore, receipt: Receipt): Promise<void> {
  const { isPending } = await putReceipt(documents, await bounded(documents, receipt));
  if (receipt.alone === undefined || isPending === true) return;
  // The number was brought to the store while this was on its way: how far others have counted is
  // known since.
  await putReceipt(documents, await bounded(documents, receipt));
}

/**
 * Saves receipts of answers that nobody else has: one commit for all of them, where nobody has
 * meanwhile.
 */
export async function saveReceipts(
  documents: DocumentStore,
  receipts: readonly Receipt[],
): Promise<void> {
  const atOnce = receipts.filter(({ alone }) => alone === undefined);
  const created = await documents.createMany(
    atOnce.map((receipt) => ({ key: keyOf(receipt), body: receipt })),
  );
  const saved = new Set(atOnce.filter((_, index) => created[index] === true));
  for (const receipt of receipts) if (!saved.has(receipt)) await saveReceipt(documents, receipt);
}

/**
 * While the host's writes wait, the counter reads as this host has left it; their replay tells the
 * rest.
 */
async function bounded(documents: DocumentStore, receipt: Receipt): Promise<Receipt> {
  if (receipt.alone === undefined) return receipt;
  const counter = await documents.get<{ readonly last: number }>(
    counterKey(receipt.pipeline, receipt.part),
  );
  return countedAlone(receipt, counter?.body.last ?? 0);
}

function putReceipt(documents: DocumentStore, receipt: Receipt): Promise<PutDocument> {
  return changeDocument<Receipt>(documents, keyOf(receipt), (found) =>
    found === undefined ? receipt : mergeReceipts(found, receipt),
  );
}

function keyOf(receipt: Receipt): DocumentKey {
  return receiptKey({ ...receipt, sha256: receipt.origin.raw.sha256 });
}
