import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import type { ImportOptions, ImportResult } from '../../../src/engine/download/import-file.ts';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { disruption, DISTRICTS, networkCsv, SHAPE, WORK_HEADER } from './made-data.ts';

/** Lists without an order of their own: what a shorter or an older one does to what is known. */

const DAY = '2025-11-04';
let engine: TestEngine;
let files = 0;

beforeEach(async () => {
  engine = await openTestEngine([cityflow]);
});
afterEach(() => engine.close());

async function give(
  name: string,
  text: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const target = path.join(engine.home, 'given', `${(files += 1)}`, name);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
  const [outcome] = await importFiles(engine, 'cityflow', [target], testControl(), options);
  if (outcome === undefined || 'code' in outcome) throw new Error(JSON.stringify(outcome));
  return outcome;
}

async function sliceRows(part: string, date = DAY): Promise<number | undefined> {
  await runDay(engine, 'cityflow', date, { offline: true });
  const step = (await readVersions(engine, 'cityflow', date)).at(-1)!.steps[`download/${part}`];
  return step?.state === 'done' ? step.outputs['slice']?.rows : undefined;
}

async function downloadOf(part: string, date = DAY) {
  return (await readVersions(engine, 'cityflow', date)).at(-1)!.steps[`download/${part}`];
}

const shape = SHAPE.replaceAll('"', '""');
const network = (...arcs: string[]): string => networkCsv(arcs.map((arc) => ({ arc, shape })));
const work = (id: string, ends = '2025-12-31'): string =>
  `${id};75001;1;x;2025-10-01;${ends};RESTREINTE;2;;48.86, 2.30`;
const works = (...lines: string[]): string => [WORK_HEADER, ...lines, ''].join('\n');

describe('a reference that is shorter than the known one', () => {
  it('is kept aside on all its days, which need no run; one with as much counts, and what is forced', async () => {
    await give('network.csv', network('1', '2', '3'));
    expect(await sliceRows('referentiel')).toBe(3);
    const taken = await give('network.csv', network('1', '2'));
    expect(taken.kept).toBe(5_844);
    expect(taken.remarks[0]!.text).toMatch(/lacks \d+ values \(label 1, .*that are known/);
    const { plans } = await planFromStores(engine, cityflow.definition, [DAY], { offline: true });
    expect(plans[0]).toMatchObject({ upToDate: true });
    expect(await downloadOf('referentiel')).not.toHaveProperty('kept');
    expect(await give('network.csv', network('1', '2', '4'))).toMatchObject({
      kept: 0,
      remarks: [],
    });
    await give('network.csv', network('1'), { force: true });
    expect(await sliceRows('referentiel')).toBe(1);
  });

  it('is told of districts too, and of one without its outline', async () => {
    await give('districts.geojson', DISTRICTS);
    const poorer = JSON.parse(DISTRICTS) as { features: { geometry: unknown }[] };
    poorer.features[1]!.geometry = null;
    const taken = await give('districts.geojson', JSON.stringify(poorer));
    expect(taken).toMatchObject({
      kept: 5_844,
      remarks: { 0: { text: expect.stringContaining('outline 1') as string } },
    });
    poorer.features.pop();
    expect((await give('districts.geojson', JSON.stringify(poorer))).kept).toBe(5_844);
  });
});

describe('lists of roadworks for the same days', () => {
  it('of the same day: one with less is kept aside, and the day is degraded', async () => {
    await give('works.csv', works(work('CP1'), work('CP2')), { asOf: DAY });
    expect(await sliceRows('chantiers')).toBe(2);
    const taken = await give('works.csv', works(work('CP1')), { asOf: DAY });
    expect(taken.kept).toBeGreaterThan(0);
    expect(taken.remarks[0]!.text).toMatch(/lacks \d+ values .* that are known/);
    expect(await sliceRows('chantiers')).toBe(2);
    expect(await downloadOf('chantiers')).toMatchObject({ kept: { code: 'LACKS_VALUES' } });
  });

  it('of a later day: it counts from its day on, also where works have left it, and for no day before', async () => {
    await give('works.csv', works(work('CP1'), work('CP2', '2025-11-20')), { asOf: DAY });
    const later = await give('works.csv', works(work('CP1')), { asOf: '2025-11-25' });
    expect(later).toMatchObject({ kept: 0, remarks: [] });
    expect(await sliceRows('chantiers')).toBe(2);
    expect(await sliceRows('chantiers', '2025-11-26')).toBe(1);
  });

  it('of an earlier day, given later: it counts for its own days, and never for those of the later list', async () => {
    await give('works.csv', works(work('CP1')), { asOf: '2025-11-25' });
    const earlier = await give('works.csv', works(work('CP1'), work('CP2')), { asOf: DAY });
    expect(earlier.kept).toBe(0);
    expect(earlier.remarks[0]).toEqual({
      date: '2025-11-25',
      text: 'the list of 2025-11-25 stays, which is nearer to the day than that of 2025-11-04',
    });
    expect(await sliceRows('chantiers')).toBe(2);
    expect(await sliceRows('chantiers', '2025-11-26')).toBe(1);
    expect(await downloadOf('chantiers', '2025-11-26')).not.toHaveProperty('kept');
  });
});

describe('weather of a day', () => {
  const answer = (hours: number): string => {
    const time = Array.from(
      { length: hours },
      (_, hour) => `${DAY}T${String(hour).padStart(2, '0')}:00`,
    );
    const daily = {
      time: [DAY],
      temperature_2m_mean: [11],
      precipitation_sum: [hours === 24 ? 0.4 : null],
    };
    return JSON.stringify({ daily, hourly: { time, temperature_2m: time.map((_, hour) => hour) } });
  };

  it('stays when an answer has fewer of its hours and values', async () => {
    await give('open-meteo.json', answer(24));
    const { remarks } = await give('open-meteo.json', answer(23));
    const text = 'the answer lacks 2 values (precip 1, temp_23h 1) that are known';
    expect(remarks).toEqual([{ date: DAY, text, isKept: true }]);
  });
});

describe('disruptions, which tell of a moment', () => {
  it('are of the day that somebody says, or that their name says, before that of their last update', async () => {
    const answer = JSON.stringify({
      disruptions: [disruption({ id: 'd', periods: [['20251101T060000', '20251130T070000']] })],
    });
    expect((await give('answer.json', answer, { asOf: '2025-11-07' })).recognised.from).toBe(
      '2025-11-07',
    );
    expect((await give('perturbations-2025-11-08.json', answer)).recognised.from).toBe(
      '2025-11-08',
    );
  });
});
