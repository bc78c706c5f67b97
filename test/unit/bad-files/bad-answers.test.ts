import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executeDownload } from '../../../src/engine/download/execute-download.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { namesUnder } from '../../../src/engine/download/raw-names.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { ERROR_TABLE, PipelineError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import type { GoodFile } from './table.ts';
import { DAMAGES, FOREIGN, GOOD_ANSWERS, GOOD_FILES, PLACES } from './table.ts';

/**
 * The table of damages as answers of a publisher, and all of them together as the files of a
 * folder.
 */

const DAY = '2025-11-04';
const NEXT_DAY = new Date('2025-11-05T10:00:00Z');

/**
 * The part whose publisher answers so, by the name of the good file; the others are only ever
 * imported.
 */
const PART_OF: Readonly<Record<string, string>> = {
  'portal.csv': 'tr',
  'counts.csv': 'comptages',
  'works-2025-11-04.csv': 'chantiers',
  'network.csv': 'referentiel',
  'districts.geojson': 'arrondissements',
  'bikes.json': 'bikes',
  'traffic_data.json': 'traffic',
  'weather.json': 'weather',
  'consolidated.csv': 'cons-def',
  'open-meteo.json': 'open-meteo',
};

const TIMES = ['an unreadable time', 'one unreadable time'];

/**
 * What is no refusal, by part: nothing of what is read is damaged, or the answer has no row of the
 * day and says no more than that.
 */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  tr: ['a header alone'],
  comptages: ['a header alone'],
  // Their last column is a free text of a position; dates that cannot be read are listed by a
  // check.
  chantiers: ['cut in its last row', ...TIMES],
  referentiel: TIMES,
  arrondissements: ['an unreadable time', 'the file twice'],
  bikes: ['the file twice'],
  traffic: ['an unreadable time', 'the file twice'],
  weather: ['an unreadable time', 'the file twice'],
  'cons-def': ['a header alone'],
  'open-meteo': ['an unreadable time', 'the file twice'],
};

let engine: TestEngine;
let server: Server;
let answer: Uint8Array = new Uint8Array();

beforeAll(async () => {
  server = createServer((request, response) => {
    // The catalogue tells no freshness: the data themselves are asked for.
    const isData = /exports|navitia|VisualCrossing|archive/.test(request.url ?? '');
    response.end(isData ? answer : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requestsPerSecond: 1_000,
    key: 'k',
  };
  const hosts = {
    paris: host,
    idfm: host,
    'visual-crossing': host,
    'open-meteo': host,
    odre: host,
  };
  engine = await openTestEngine(Object.values(configuredDatasets({ cityflow, eco2mix }, hosts)), {
    now: () => NEXT_DAY,
  });
});
afterAll(async () => {
  await engine.close();
  await new Promise((resolve) => server.close(resolve));
});

/** What came of asking for the day: its rows, or the failure of the download or of the day. */
async function ask(pipeline: string, part: string): Promise<{ code?: string; message?: string }> {
  const step = `download/${part}` as const;
  try {
    const { days } = await executeDownload(
      engine,
      { pipeline, step, days: [{ date: DAY, inputs: {} }], siblings: {}, force: true },
      testControl(),
    );
    const [day] = days;
    return day !== undefined && 'failure' in day ? day.failure : {};
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error;
  }
}

async function isKept(bytes: Uint8Array): Promise<boolean> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return (await namesUnder(engine.objects, ['raw/'])).some((name) => name.includes(sha256));
}

const ANSWERED = [...GOOD_FILES, ...GOOD_ANSWERS].flatMap((file) => {
  const name = path.basename(file.name);
  const part = PART_OF[name];
  return part === undefined ? [] : [[`${name} for ${part}`, file, part] as const];
});

describe.each(ANSWERED)('an answer like %s', (_name, file: GoodFile, part) => {
  const damaged = DAMAGES.flatMap(({ title, apply }) => {
    const content = apply(file);
    return content === undefined ? [] : [[title, Buffer.from(content)] as const];
  });

  it('is cut into the day when it is whole', async () => {
    answer = Buffer.from(file.text);
    expect(await ask(file.pipeline, part)).toEqual({});
  });

  it.each(damaged)(
    '%s: is cut or refused with what, where and the raw file, and no byte is lost',
    async (title, body) => {
      answer = body;
      const { code, message } = await ask(file.pipeline, part);
      expect(code === undefined).toBe(HARMLESS[part]?.includes(title) === true);
      if (code !== undefined) {
        expect(['SRC_SHAPE_CHANGED', 'SRC_TRUNCATED']).toContain(code);
        expect(message).not.toMatch(FOREIGN);
        // Where it is kept, for whoever wants to see what came.
        expect(message).toContain(`raw/${file.pipeline}/${part}/`);
        expect(message).toMatch(PLACES[title] ?? /./);
        // The next step is to look at that file, or to wait while it is fetched again.
        expect(ERROR_TABLE[code as ErrorCode].remedy).toMatch(/kept (raw|part) file/);
      }
      expect(await isKept(body)).toBe(true);
    },
  );
});

describe('a folder of good and damaged files', () => {
  it('is reported file by file, and every good one is taken in', async () => {
    const folder = path.join(engine.home, 'folder');
    await mkdir(folder);
    const [counts, works] = [GOOD_FILES[3]!, GOOD_FILES[4]!];
    for (const [index, { apply }] of DAMAGES.entries())
      await writeFile(
        path.join(folder, `${String(index).padStart(2, '0')}-counts.csv`),
        apply(counts) ?? '',
      );
    await writeFile(path.join(folder, '05-good-counts.csv'), counts.text);
    await writeFile(path.join(folder, 'works-2025-11-04.csv'), works.text);
    const files = (await readdir(folder)).sort().map((name) => path.join(folder, name));
    const outcomes = await importFiles(engine, 'cityflow', files, testControl());
    expect(outcomes.map(({ file }) => file)).toEqual(files);
    const refused = outcomes.flatMap((one) => ('code' in one ? [one] : []));
    for (const { file, code, message } of refused) {
      expect(code, message).toBe('INPUT_INVALID');
      expect(message).toContain(path.basename(file));
      expect(message).not.toMatch(FOREIGN);
    }
    const taken = outcomes.flatMap((one) => ('code' in one ? [] : [path.basename(one.file)]));
    expect(taken).toEqual(expect.arrayContaining(['05-good-counts.csv', 'works-2025-11-04.csv']));
    // The damages that the single files show to be harmless are none of road counts.
    expect(taken).toHaveLength(2);
  });
});
