import { once } from 'node:events';
import path from 'node:path';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import { peakMemoryMb } from './figures.ts';
import { makeMeterDay } from './meter-day.ts';
import type { MadeDay, MeterFiles } from './meter-day.ts';

/**
 * Makes the day of meters that the parent sends and sends back what it was made in, in a process of
 * its own: the memory peak is the product's, without the generator of the files and the engine of
 * the floor.
 */

/** What the process is told. */
export interface DayOrder {
  readonly files: MeterFiles;
  readonly shards: number;
  readonly threads: number;
  readonly memoryLimitMb: number;
}

/** What it answers. */
export interface DayDone extends MadeDay {
  /** Of this process, in MB. */
  readonly peakMb: number;
}

if (process.send !== undefined) {
  const [order] = (await once(process, 'message')) as [DayOrder];
  process.send(await makeDay(order));
  process.disconnect();
}

async function makeDay({ files, shards, threads, memoryLimitMb }: DayOrder): Promise<DayDone> {
  const engine = createDuckDbEngine({
    memoryLimitMb,
    threads,
    scratchRoot: path.join(files.folder, 'scratch'),
  });
  try {
    const made = await makeMeterDay(files, engine, { shards, atOnce: threads });
    return { ...made, peakMb: peakMemoryMb() };
  } finally {
    await engine.close();
  }
}
