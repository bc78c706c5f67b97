import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportOutcome } from '../../../src/engine/download/import-file.ts';
import { importFiles, importStored } from '../../../src/engine/download/import-file.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import type { GoodFile } from './table.ts';
import { ACCEPTED, DAMAGES, FOREIGN, GOOD_FILES, PLACES } from './table.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine([cityflow, eco2mix]);
});
afterAll(() => engine.close());

async function take(
  { pipeline, name }: GoodFile,
  content: string | Uint8Array,
): Promise<ImportOutcome> {
  const target = path.join(engine.home, 'given', name);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, content);
  const [outcome] = await importFiles(engine, pipeline, [target], testControl());
  if (outcome === undefined) throw new Error('nothing came of the file');
  return outcome;
}

const LONGEST_MESSAGE = 1_200;

function expectClear(file: GoodFile, outcome: ImportOutcome, place = /./): void {
  if (!('code' in outcome)) throw new Error(`${file.name} was taken in with ${outcome.days} days`);
  const subject = file.name.startsWith('raw/api/') ? 'traffic' : path.basename(file.name);
  expect(outcome.code).toBe('INPUT_INVALID');
  expect(outcome.message).toContain(subject);
  expect(outcome.message).toMatch(place);
  expect(outcome.message).not.toMatch(FOREIGN);
  expect(outcome.message.length).toBeLessThan(LONGEST_MESSAGE);
}

describe.each(GOOD_FILES.map((file) => [path.basename(file.name), file] as const))(
  '%s',
  (_name, file) => {
    const damaged = DAMAGES.flatMap(({ title, apply }) => {
      const content = apply(file);
      return content === undefined ? [] : [[title, content] as const];
    });

    it.each(damaged)(
      '%s: is taken in or refused with file, place and next step',
      async (title, content) => {
        const outcome = await take(file, content);
        if (ACCEPTED[path.basename(file.name)]?.includes(title) === true)
          expect(outcome).toMatchObject({ failed: [] });
        else expectClear(file, outcome, PLACES[title]);
      },
    );

    it('is taken in as it is after all that', async () => {
      expect(await take(file, file.text)).toMatchObject({ failed: [] });
    });
  },
);

describe('damaged objects under the names that other programs know', () => {
  it.each(DAMAGES.slice(0, 12).map(({ title, apply }) => [title, apply] as const))(
    '%s: is reported by its name, and the others are taken in',
    async (title, apply) => {
      const own = await openTestEngine([cityflow]);
      try {
        const [counts, works] = [GOOD_FILES[3]!, GOOD_FILES[4]!];
        const put = (name: string, content: string | Uint8Array) =>
          own.objects.put(name, Buffer.from(content), { mediaType: 'text/csv', mode: 'replace' });
        await put('raw/batch/comptages-routiers-permanents-2.csv', apply(counts) ?? '');
        await put('raw/batch/other-counts.csv', counts.text);
        await put('raw/batch/works.csv', works.text);
        const outcomes = await importStored(own, 'cityflow', testControl(), { asOf: '2025-11-04' });
        expect(
          outcomes.map((one) => 'code' in one),
          title,
        ).toEqual([true, false, false]);
        const [refused] = outcomes;
        if (refused === undefined || !('code' in refused))
          throw new Error('the damaged object was taken in');
        expect(refused).toMatchObject({ code: 'INPUT_INVALID' });
        expect(refused.message).toContain('comptages-routiers-permanents-2.csv');
        expect(refused.message).not.toMatch(FOREIGN);
      } finally {
        await own.close();
      }
    },
  );
});

describe('any damage', () => {
  it('is never an internal error', async () => {
    const files = fc.constantFrom(...GOOD_FILES.filter(({ text }) => text.length < 20_000));
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(40),
      put: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom(';', '"', '\n', '\r\n', '\t', '{', ']', '\u{0}', '0', '-'),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (file, changes) => {
          const text = changes.reduce((now, { at, cut, put }) => {
            const start = Math.floor(at * now.length);
            return now.slice(0, start) + put + now.slice(start + cut);
          }, file.text);
          const outcome = await take(file, text);
          if ('code' in outcome) expectClear(file, outcome);
          else
            for (const { failure } of outcome.failed) expect(failure.message).not.toMatch(FOREIGN);
        },
      ),
      { numRuns: 150 },
    );
  });
});
