import type { Receipt } from '../../pipelines/receipt.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { readReceipts } from '../records/ledger-reader.ts';

/** The log's columns, as the earlier system wrote them. */
const LOG_COLUMNS = [
  'file_name',
  'log_datetime',
  'nb_rows',
  'nb_columns',
  'date_min',
  'date_max',
  'file_size_bytes',
] as const;

/** Publishes the freshness of each part and the log of all downloads, for users of the earlier system. */
export async function publishDownloads(engine: Engine, pipeline: string): Promise<void> {
  const { definition } = datasetOf(engine, pipeline);
  const published = definition.publishedDownloads;
  if (published === undefined) return;
  const freshness: Record<string, string> = {};
  const lines: string[] = [];
  const range = { first: definition.since, last: engine.now().toISOString().slice(0, 10) };
  for (const part of definition.parts.filter(({ source }) => source === 'http')) {
    const receipts = await readReceipts(engine.documents, pipeline, part, range);
    const name = published.fileNameOf(part.id);
    const newest = receipts
      .map((receipt) => receipt.freshness)
      .filter((value) => value !== null)
      .sort()
      .at(-1);
    if (newest !== undefined) freshness[name] = newest;
    for (const receipt of receipts) lines.push(logLine(name, receipt));
  }
  await putText(engine, published.freshness, `${JSON.stringify(freshness, null, 2)}\n`, 'application/json');
  const log = [LOG_COLUMNS.join(','), ...lines.sort()].join('\n');
  await putText(engine, published.log, `${log}\n`, 'text/csv; charset=utf-8');
}

function logLine(name: string, { origin, rows, columns, window }: Receipt): string {
  return [name, origin.retrievedAt, rows, columns, window.from, window.to, origin.raw.bytes].join(',');
}

async function putText(engine: Engine, key: string, text: string, mediaType: string): Promise<void> {
  await engine.objects.put(key, Buffer.from(text, 'utf8'), { mediaType, mode: 'replace' });
}
