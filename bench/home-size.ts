import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { report } from './figures.ts';
import { oneArcHome } from './one-arc-home.ts';

/**
 * What an installation keeps of the road counts of one arc over 13 months, against the Parquet
 * among it.
 */

const DAYS = Number(process.env['BENCH_HOME_DAYS'] ?? 396);

export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-home-'));
  try {
    const sizes = await sizesOf(await oneArcHome(folder, DAYS));
    const total = sum(sizes.values());
    const parquet = sum(
      [...sizes].flatMap(([name, bytes]) => (name.endsWith('.parquet') ? [bytes] : [])),
    );
    const largest = [...byPlace(sizes)].sort(([, a], [, b]) => b - a).slice(0, 6);
    report({
      name: `home of one arc, ${DAYS} days`,
      value: total / 1e6,
      unit: 'MB',
      floor: parquet / 1e6,
      target: 3,
      bounds: 'ratio',
      note: `floor: its Parquet; ${largest.map(([place, bytes]) => `${place} ${(bytes / 1e6).toFixed(1)}`).join(', ')}`,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizesOf(home: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    sizes.set(path.relative(home, file), (await stat(file)).size);
  }
  return sizes;
}

function byPlace(sizes: ReadonlyMap<string, number>): Map<string, number> {
  const places = new Map<string, number>();
  for (const [name, bytes] of sizes) {
    const place = name.split('/').slice(0, 4).join('/');
    places.set(place, (places.get(place) ?? 0) + bytes);
  }
  return places;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
