import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import {
  injectedLines,
  meterList,
  READINGS_HEADER,
  readingLines,
} from '@quotidien/sample-portal/meters/files';
import { MeterWorld } from '@quotidien/sample-portal/meters/world';
import type { MeterFiles } from './meter-day.ts';
import { meterModelText } from './meter-model.ts';

/** The made-up meters of the benchmarks, and the files of one of their days. */

/** `BENCH_METERS`, `BENCH_SHARDS`. */
export const METERS = Number(process.env['BENCH_METERS'] ?? 20_000);
/** In how many shards they come. */
export const SHARDS = Number(process.env['BENCH_SHARDS'] ?? 16);

const FIRST = '2024-01-01';
/** The measured day among the days of the world. */
const DAY = 14;

/** So many meters, the same ones in every run. */
export function meterWorld(meters = METERS, days = 120): MeterWorld {
  return new MeterWorld({ seed: 1, meters, from: FIRST, days });
}

/** Writes the files of one day of them. */
export async function writeMeterDay(folder: string): Promise<MeterFiles> {
  const world = meterWorld();
  const date = world.dateOf(DAY);
  const fileOf = (name: string): string => path.join(folder, `${name}.csv`);
  const files: MeterFiles = {
    date,
    folder,
    readings: fileOf('readings'),
    meters: fileOf('meters'),
    injected: fileOf('injected'),
    model: fileOf('model'),
  };
  await writeFile(files.model, meterModelText(date));
  await writeFile(files.meters, meterList(world));
  await writeFile(files.injected, [...injectedLines(world, [DAY])].join(''));
  await writeReadings(world, [DAY], files.readings);
  return files;
}

/** Writes the readings of some days into one bulk file. */
export async function writeReadings(
  world: MeterWorld,
  days: readonly number[],
  file: string,
): Promise<void> {
  const stream = createWriteStream(file);
  stream.write(READINGS_HEADER);
  for (const day of days)
    for (const text of readingLines(world, day))
      if (!stream.write(text)) await once(stream, 'drain');
  stream.end();
  await finished(stream);
}
