import { unlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import type { Done } from '../../fixtures/step-runner.ts';
import { dates, dayUnit } from '../../fixtures/step-runner.ts';
import type { Runner } from './day-runner.ts';
import { openRunner } from './day-runner.ts';
import { portalHeader, portalLine, quartersOf } from './portal-csv.ts';

/** A day of 25 hours is among them. */
const DAYS = dates('2024-10-21', '2024-10-31');
const MEASURES = ['consommation', 'prevision_j1', 'gaz', 'ech_comm_suisse'];

interface Export {
  readonly days: readonly string[];
  readonly nature: string;
  readonly more?: string;
}

/** Rows in no order; of the last day some twice, of the first one with a value that is no whole number. */
function exportOf({ days, nature, more }: Export): string {
  const measures = more === undefined ? MEASURES : [...MEASURES, more];
  const lines = days.flatMap((day, place) =>
    Array.from({ length: quartersOf(day) }, (_, quarter) => {
      const gaz = day === DAYS[0] && quarter === 5 ? '12.5' : quarter % 7 === 0 ? null : 1_000 + place;
      const values = { consommation: 50_000 + place * 97 + quarter, prevision_j1: 51_000, gaz, [more ?? '']: quarter };
      return portalLine(day, { quarter, nature, values }, measures);
    }),
  );
  const mixed = lines.toSorted((a, b) => (a.slice(-9) + a < b.slice(-9) + b ? -1 : 1));
  return [portalHeader(measures), ...mixed, ...lines.slice(-3), ''].join('\n');
}

const TR = exportOf({ days: DAYS, nature: 'Données temps réel' });
/** Lacks days in between, and has a column that nobody knows. */
const CONSOLIDATED = exportOf({
  days: DAYS.filter((_, place) => place % 3 !== 1),
  nature: 'Données consolidées',
  more: 'nouveau',
});

interface Made {
  readonly hashes: readonly string[];
  readonly checks: readonly Done['checks'][];
}

/** All of a window and its month; `after` is told the files of a step when the step is done. */
async function makeAll(runner: Runner, after: (files: readonly LocalArtefact[]) => Promise<unknown>): Promise<Made> {
  const made: Done[] = [];
  const add = (done: readonly Done[]): readonly Done[] => {
    made.push(...done);
    return done;
  };
  const tr = add(await runner.slice({ part: 'tr', path: await runner.file('tr', TR) }, DAYS));
  const path = await runner.file('cons', CONSOLIDATED);
  const consolidated = add(await runner.slice({ part: 'cons-def', path }, DAYS));
  const slicesOf = (place: number) => ({
    tr: outputs([tr[place]], 'slice'),
    'cons-def': outputs([consolidated[place]], 'slice'),
  });
  await after([...outputs(tr, 'slice'), ...outputs(consolidated, 'slice')]);
  const units = DAYS.map((day, place) => dayUnit(day, slicesOf(place)));
  const cores = add(await runner.step('transform/national', units));
  await after(outputs(cores, 'core'));
  const ofCore = DAYS.map((day, place) => dayUnit(day, { core: outputs([cores[place]], 'core') }));
  const metrics = add(await runner.step('metrics/national', ofCore));
  const inputs = {
    core: outputs(cores, 'core'),
    metrics: outputs(metrics, 'metrics'),
    raw_tr: outputs(tr, 'slice'),
    raw_cons_def: outputs(consolidated, 'slice'),
  };
  add(await runner.step('rollup/month', [{ scope: '2024-10', inputs }]));
  return {
    hashes: made.flatMap(({ scope, outputs: named }) =>
      Object.entries(named).map(([name, { ref }]) => `${scope} ${name} ${ref.sha256}`),
    ),
    checks: made.map(({ checks }) => checks),
  };
}

function outputs(done: readonly (Done | undefined)[], name: string): LocalArtefact[] {
  return done.flatMap((one) => one?.outputs[name] ?? []);
}

const remove = (files: readonly LocalArtefact[]) => Promise.all(files.map(({ path }) => unlink(path)));

let keeping: Runner;
let reading: Runner;
beforeAll(async () => {
  keeping = await openRunner({ keeps: true });
  reading = await openRunner();
});
afterAll(async () => {
  await keeping.close();
  await reading.close();
});

describe('the steps of a window', () => {
  it('need no file of the step before, and give the same bytes and checks as from files', async () => {
    const fromMemory = await makeAll(keeping, remove);
    const fromFiles = await makeAll(reading, () => Promise.resolve());
    expect(fromMemory.hashes.length).toBe(DAYS.length * 4 - 4 + 5);
    expect(fromMemory).toEqual(fromFiles);
  });

  it('read files where nothing is kept', async () => {
    await expect(makeAll(reading, remove)).rejects.toMatchObject({ code: expect.any(String) as string });
  });
});
