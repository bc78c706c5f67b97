import type { PartDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import { compareAnswers } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import { changeDocument } from '../change-document.ts';
import type { Engine } from '../engine.ts';
import { readReceipts } from '../records/ledger-reader.ts';

/**
 * The freshness value of the newest answer for each part, under the published name. It is kept in a
 * small record of its own, because the receipts of years would have to be read for it after each
 * request.
 */

/** One row per part: what the newest answer told. */
export const TOLD_FRESHNESS_TABLE = 'told-freshness';

interface ToldFreshness {
  readonly value: string;
  /** Place of the answer among all for the part. */
  readonly sequence: number;
  readonly checkedAt: string;
}

/** What an answer told; of a publisher that tells nothing, nothing is kept. */
type Told = Pick<Receipt, 'freshness' | 'checkedAt' | 'sequence'>;

function keyOf(pipeline: string, part: string): DocumentKey {
  return { table: TOLD_FRESHNESS_TABLE, partition: pipeline, sort: part };
}

/**
 * Keeps what an answer told, unless a newer answer has told more, and publishes it; nothing where
 * nothing is published.
 */
export async function tellFreshness(
  engine: Engine,
  definition: PipelineDefinition,
  part: string,
  { freshness: value, checkedAt, sequence = 0 }: Told,
): Promise<void> {
  if (definition.publishedDownloads === undefined || value === null) return;
  const told: ToldFreshness = { value, checkedAt, sequence };
  await changeDocument<ToldFreshness>(engine.documents, keyOf(definition.name, part), (found) =>
    found !== undefined && found.sequence > sequence ? found : told,
  );
  await publishFreshness(engine, definition);
}

/**
 * Publishes the newest values of all parts. What has been told since is looked for after each
 * write: whoever writes last has seen what is newest.
 */
export async function publishFreshness(
  engine: Engine,
  definition: PipelineDefinition,
): Promise<void> {
  const key = definition.publishedDownloads?.freshness;
  if (key === undefined) return;
  for (let written: string | undefined; ;) {
    const text = await freshnessText(engine, definition);
    if (text === written) return;
    await engine.objects.put(key, Buffer.from(text, 'utf8'), {
      mediaType: 'application/json',
      mode: 'replace',
    });
    written = text;
  }
}

async function freshnessText(engine: Engine, definition: PipelineDefinition): Promise<string> {
  const values: Record<string, string> = {};
  for (const part of definition.parts.filter(({ source }) => source === 'http')) {
    const value = await freshnessOf(engine, definition, part);
    const name = definition.publishedDownloads?.fileNameOf(part.id) ?? part.id;
    if (value !== undefined) values[name] = value;
  }
  return `${JSON.stringify(values, null, 2)}\n`;
}

/** Answers of earlier versions of this code told their receipts alone. */
async function freshnessOf(
  engine: Engine,
  definition: PipelineDefinition,
  part: PartDefinition,
): Promise<string | undefined> {
  const told = await engine.documents.get<ToldFreshness>(keyOf(definition.name, part.id));
  if (told !== undefined) return told.body.value;
  const range = { first: definition.since, last: civilDateAt(engine.now(), definition.zone) };
  const receipts = await readReceipts(engine.documents, definition.name, part, range);
  const telling = receipts.filter(({ freshness }) => freshness !== null).sort(compareAnswers);
  return telling.at(-1)?.freshness ?? undefined;
}
