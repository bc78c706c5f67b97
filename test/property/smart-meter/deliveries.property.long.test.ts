import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { namesUnder } from '../../../src/engine/download/raw-names.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

/**
 * Any file may bring any reading of any day: what counts is decided by rank, never by who came
 * first.
 */

const DAY = '2024-01-15';
const HEADER = 'meter_id,start_at,wh,channel,quality,revision,file_time\n';

const line = fc.record({
  meter: fc.constantFrom('A', 'B', 'C'),
  slot: fc.integer({ min: 0, max: 5 }),
  wh: fc.integer({ min: 0, max: 4 }),
  quality: fc.constantFrom('A', 'E'),
  revision: fc.constantFrom('BRUT', 'COMPLETE', 'CORRIGE'),
  fileTime: fc.constantFrom('', '2024-01-16', '2024-01-20'),
});

function textOf({
  meter,
  slot,
  wh,
  quality,
  revision,
  fileTime,
}: typeof line extends fc.Arbitrary<infer T> ? T : never): string {
  const at = new Date(Date.parse(`${DAY}T10:00:00Z`) + slot * 1_800_000).toISOString().slice(0, 19);
  return `${meter},${at}Z,${wh},import,${quality},${revision},${fileTime}\n`;
}

async function readingsAfter(files: readonly (readonly string[])[]): Promise<string> {
  const engine = await openTestEngine([testMeters]);
  try {
    const folder = path.join(engine.home, 'given');
    await mkdir(folder);
    for (const [index, lines] of files.entries()) {
      if (lines.length === 0) continue;
      const file = path.join(folder, `${index}.csv`);
      await writeFile(file, HEADER + lines.join(''));
      await importFile(engine, 'smart-meter', file, testControl());
    }
    await runDay(engine, 'smart-meter', DAY, { offline: true });
    // The names of artefacts are the hashes of their bytes.
    const tables = ['readings', 'conflicts'].map(
      (table) => `core/smart-meter/${table}/date=${DAY}/`,
    );
    const names = await namesUnder(engine.objects, tables);
    expect(names).toHaveLength(2);
    return names.join(' ');
  } finally {
    await engine.close();
  }
}

it('gives the same bytes for any permutation and any cut of the same rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 2, maxLength: 24 }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.nat(99)),
      async (rows, cuts, luck) => {
        const lines = rows.map(textOf);
        const draw = (below: number): number => luck.next().value! % below;
        const shuffled = [...lines]
          .map((text) => [draw(100), text] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, text]) => text);
        const pieces = Array.from({ length: cuts }, (_, piece) =>
          shuffled.filter((__, index) => index % cuts === piece),
        );
        expect(await readingsAfter(pieces)).toBe(await readingsAfter([lines]));
      },
    ),
    { numRuns: 6 },
  );
}, 120_000);

it('has the bytes of a fresh import after a correction', async () => {
  const rows = (['A', 'B'] as const).map((meter) =>
    textOf({ meter, slot: 1, wh: 3, quality: 'A', revision: 'BRUT', fileTime: '' }),
  );
  const corrected = textOf({
    meter: 'A',
    slot: 1,
    wh: 9,
    quality: 'A',
    revision: 'CORRIGE',
    fileTime: '',
  });
  expect(await readingsAfter([rows, [corrected]])).toBe(await readingsAfter([[corrected], rows]));
  expect(await readingsAfter([rows, [corrected]])).not.toBe(await readingsAfter([rows]));
}, 60_000);
