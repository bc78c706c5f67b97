import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importRaw } from '../../../src/cli/make/import.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { MEASURES } from '../../../src/datasets/eco2mix/columns.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { countLine, countsCsv } from '../cityflow/made-data.ts';
import { constantRows, portalCsv } from '../eco2mix/portal-csv.ts';

/**
 * What `quotidien import` says of a file at its first sight, before anything is known of its days.
 */

const DAY = '2024-05-05';
const MEASURES_OF_DAY = MEASURES.filter((measure) => !('since' in measure)).map(
  ({ name }) => name as string,
);

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([eco2mix, cityflow]);
});
afterEach(() => engine.close());

async function take(pipeline: string, text: string | Uint8Array, name = 'given.csv') {
  const file = path.join(engine.home, name);
  await writeFile(file, text);
  const context = testContext(engine);
  const exit = await importRaw(context, { pipeline, files: [file] });
  return { exit, text: context.terminal.text() };
}

describe('the first import of a file', () => {
  const export_ = portalCsv(
    DAY,
    constantRows(DAY, 15, { consommation: 50_000, gaz: 4_000 }),
    MEASURES_OF_DAY,
  );
  const counts = countsCsv([countLine(DAY, { arc: '1', hour: 8, q: 100, k: 10 })]);

  it('says nothing of columns where all that are usual are there', async () => {
    for (const [pipeline, text] of [
      ['eco2mix', export_],
      ['cityflow', counts],
    ] as const) {
      const taken = await take(pipeline, text);
      expect(taken.exit).toBe(0);
      expect(taken.text).not.toMatch(/not known|missing/);
    }
  });

  it.each([
    ['eco2mix', export_.replace(';gaz;', ';gas;'), 'gas', 'Gaz'],
    ['cityflow', counts.replace('Etat trafic', 'Etat'), 'Etat', 'etat trafic'],
  ])(
    'names an optional column of %s that was renamed, and is not all right',
    async (pipeline, text, odd, lost) => {
      const taken = await take(pipeline, text);
      expect(taken.exit).toBe(3);
      expect(taken.text).toContain(`not known, and used nowhere: "${odd}"`);
      expect(taken.text).toMatch(
        new RegExp(`missing, and without values: ".*${lost}"; one of the columns`),
      );
    },
  );

  it('names a column that is gone, and one that is new', async () => {
    const gone = await take(
      'eco2mix',
      export_.replaceAll(/^(([^;\n]*;){10})[^;\n]*;/gm, '$1'),
      'gone.csv',
    );
    expect(gone).toMatchObject({
      exit: 3,
      text: expect.stringContaining('missing, and without values: "Gaz"\n') as string,
    });
    const added = export_
      .replaceAll(/$/gm, (_, at: number) => (at === 0 ? '' : ';7'))
      .replace(';7', ';hydrogene');
    const more = await take('eco2mix', `${added.replace(/\n;7$/, '')}\n`, 'more.csv');
    expect(more).toMatchObject({
      exit: 0,
      text: expect.stringContaining('used nowhere: "hydrogene"\n') as string,
    });
  });

  it('shows no bytes of a file that is no text', async () => {
    const { exit, text } = await take('eco2mix', gzipSync(export_), 'export.csv.gz');
    expect(exit).toBe(2);
    expect(text).toContain('compressed with gzip: unpack it first. What can be imported');
  });
});
