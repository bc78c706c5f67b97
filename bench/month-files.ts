import { createReadStream } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { writeSyntheticCsv } from '@quotidien/sample-portal/portal';
import { datesOfMonth } from '../src/pipelines/civil-date.ts';

/** Every month of these years is definitive or consolidated at this instant. */
export const BENCH_NOW = new Date('2026-11-20T12:00:00Z');

/** A made-up export of one month, `YYYY-MM`. */
export interface MonthFile {
  readonly month: string;
  readonly path: string;
}

/**
 * Writes the consolidated export of every month of some years, each once: `<folder>/<YYYY-MM>.csv`.
 */
export async function writeMonthFiles(
  folder: string,
  firstYear: number,
  years: number,
): Promise<MonthFile[]> {
  await mkdir(folder, { recursive: true });
  const files: MonthFile[] = [];
  for (let index = 0; index < years * 12; index += 1) {
    const month = `${firstYear + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;
    const file = path.join(folder, `${month}.csv`);
    const dates = datesOfMonth(month);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (!exists) {
      const range = { from: dates[0] ?? '', to: dates.at(-1) ?? '' };
      await writeSyntheticCsv({
        dataset: 'eco2mix-national-cons-def',
        ...range,
        path: file,
        now: BENCH_NOW,
      });
    }
    files.push({ month, path: file });
  }
  return files;
}

/** Gives these files in place of the publisher. */
export interface FileServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the month files as the publisher would, without the cost of making them: the real-time
 * dataset is empty.
 */
export async function serveMonthFiles(folder: string): Promise<FileServer> {
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '');
    const month = /(\d{4}-\d{2})-\d{2}/.exec(url)?.[1];
    if (!url.includes('/exports/csv') || month === undefined) {
      response.end(
        JSON.stringify({ metas: { default: { data_processed: BENCH_NOW.toISOString() } } }),
      );
    } else if (url.includes('national-tr')) {
      response.end('perimetre;nature;date;heure;date_heure;consommation\n');
    } else {
      createReadStream(path.join(folder, `${month}.csv`)).pipe(response);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
