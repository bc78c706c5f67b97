import type { PartDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import { isEmptyEntry } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { readLedger, readReceipts } from '../records/ledger-reader.ts';
import { publishFreshness } from './publish-freshness.ts';

/**
 * The log's columns, as the earlier system wrote them. `date_min` and `date_max` are days that the
 * file has rows of.
 */
const LOG_COLUMNS = [
  'file_name',
  'log_datetime',
  'nb_rows',
  'nb_columns',
  'date_min',
  'date_max',
  'file_size_bytes',
] as const;

/**
 * Publishes the freshness of each part and the log of all downloads, for users of the earlier
 * system.
 */
export async function publishDownloads(engine: Engine, pipeline: string): Promise<void> {
  const { definition } = datasetOf(engine, pipeline);
  const published = definition.publishedDownloads;
  if (published === undefined) return;
  await publishFreshness(engine, definition);
  const lines: string[] = [];
  for (const part of definition.parts.filter(({ source }) => source === 'http')) {
    lines.push(...(await linesOf(engine, definition, part, published.fileNameOf(part.id))));
  }
  const log = `${[LOG_COLUMNS.join(','), ...lines.sort()].join('\n')}\n`;
  await engine.objects.put(published.log, Buffer.from(log, 'utf8'), {
    mediaType: 'text/csv; charset=utf-8',
    mode: 'replace',
  });
}

async function linesOf(
  engine: Engine,
  definition: PipelineDefinition,
  part: PartDefinition,
  name: string,
): Promise<string[]> {
  // The civil day, not that of UTC: after midnight the windows of the new day are there already.
  const range = { first: definition.since, last: civilDateAt(engine.now(), definition.zone) };
  const receipts = await readReceipts(engine.documents, definition.name, part, range);
  const lines: string[] = [];
  for (const receipt of receipts) {
    const { from = '', to = '' } = (await daysWithRows(engine, receipt)) ?? {};
    const { origin, rows, columns } = receipt;
    lines.push([name, origin.retrievedAt, rows, columns, from, to, origin.raw.bytes].join(','));
  }
  return lines;
}

/**
 * First and last day of which the file has rows; receipts of earlier versions do not say, and their
 * slices do.
 */
async function daysWithRows(engine: Engine, receipt: Receipt): Promise<Receipt['span']> {
  const { span, rows, pipeline, part, days } = receipt;
  if (span !== undefined || rows === 0) return span;
  const ledger = await readLedger(engine.documents, pipeline, Object.keys(days));
  const filled = Object.entries(days).flatMap(([date, key]) => {
    const entry = ledger
      .get(date)
      ?.find(({ step, key: own }) => step === `download/${part}` && own === key);
    return entry === undefined || isEmptyEntry(entry) ? [] : [date];
  });
  const sorted = filled.sort();
  const [from, to] = [sorted[0], sorted.at(-1)];
  return from === undefined || to === undefined ? undefined : { from, to };
}
