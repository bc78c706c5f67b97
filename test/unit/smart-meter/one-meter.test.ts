import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leafCommands } from '../../../src/cli/examples.ts';
import { addDatasetCommands, hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { exportTable } from '../../../src/cli/look/export.ts';
import { METER_TABLES } from '../../../src/datasets/smart-meter/answers/tables.ts';
import { METER_COMMAND } from '../../../src/datasets/smart-meter/one-meter/command.ts';
import type { OneMeter } from '../../../src/datasets/smart-meter/one-meter/read-meter.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Twelve meters on two days; the first jumps to 90 kWh in one half-hour, and is known by an id that
 * must be told nowhere.
 */

const [FIRST, SECOND] = ['2024-01-15', '2024-01-16'];
const IDS = Array.from({ length: 12 }, (_, index) => `7700001234${String(index).padStart(4, '0')}`);
const [ID = ''] = IDS;
const KEY = meterKey(TEST_SECRET, ID);

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine([testMeters]);
  const meters = IDS.map((id, index) => ({
    id,
    whOf: (slot: number) => 100 + 10 * index + (slot % 7),
  }));
  const spiked = meters.map((one) =>
    one.id === ID ? { id: ID, whOf: (s: number) => (s === 20 ? 90_000 : 100 + s) } : one,
  );
  const list = IDS.map((id) => `${id},2024-01-01,home,T1,6\n`).join('');
  const files = {
    'bulk.csv': bulkFile({ [FIRST]: meters, [SECOND]: spiked }),
    'list.csv': `meter_id,valid_from,segment,transformer,kva\n${list}`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(engine.home, name);
    await writeFile(file, text);
    await importFile(engine, 'smart-meter', file, testControl());
  }
  for (const date of [FIRST, SECOND])
    expect((await runDay(engine, 'smart-meter', date, { offline: true })).outcome.verdict).toBe(
      'ok',
    );
});
afterAll(() => engine.close());

async function ask(id: string, options: Record<string, string | true> = {}) {
  const context = testContext(engine);
  await METER_COMMAND.run(
    { arguments: [id], options },
    hostOf(context, 'smart-meter meter', 'smart-meter'),
  );
  return {
    found: context.terminal.values[0] as OneMeter,
    said: [...context.terminal.lines, ...context.terminal.notes],
  };
}

describe('one meter', () => {
  it('is told by its id, with readings, quality, cohort and place, and of no other meter', async () => {
    const { found, said } = await ask(ID);
    expect(found).toMatchObject({
      meter_key: KEY,
      to: SECOND,
      place: { segment: 'home', transformer: 'T1', kva: 6 },
    });
    expect(found.days.map(({ date, observed, expected }) => [date, observed, expected])).toEqual([
      [FIRST, 48, 48],
      [SECOND, 48, 48],
    ]);
    expect(found.readings).toHaveLength(96);
    expect(found.readings[0]).toMatchObject({
      start_at: '2024-01-14T23:00:00Z',
      energy_wh: 100,
      quality: 'A',
    });
    expect(found.failures.map(({ rule, date }) => [rule, date])).toContainEqual([
      'below_contracted_power',
      SECOND,
    ]);
    expect(found.held).toEqual([]);
    expect(found.typical).toHaveLength(48);
    // Half-hour 3 of the meter: 103 Wh on both days; of the cohort: 113 + 5 more a meter of its 10.
    expect(found.typical[3]).toMatchObject({ half_hour: 3, own_wh: 103 });
    expect(found.typical[3]!.cohort_wh).toBeGreaterThan(103);
    expect(said.join('\n')).toContain(`meter ${KEY}`);
    expect(JSON.stringify([found, said])).not.toContain(ID);
  });

  it('is told by its key, for the days that are asked for', async () => {
    const { found } = await ask(KEY, { key: true, from: FIRST, to: FIRST });
    expect(found).toMatchObject({ meter_key: KEY, from: FIRST, to: FIRST });
    expect(found.readings).toHaveLength(48);
    expect(found.failures.filter(({ rule }) => rule === 'below_contracted_power')).toEqual([]);
  });

  it('is a page and a document that only their owner reads, without the id', async () => {
    for (const ending of ['html', 'json']) {
      const file = path.join(engine.home, `meter.${ending}`);
      await ask(ID, { output: file });
      const text = await readFile(file, 'utf8');
      expect(text).toContain(KEY);
      expect(text).not.toContain(ID);
      expect((await stat(file)).mode & 0o077).toBe(0);
    }
    const page = await readFile(path.join(engine.home, 'meter.html'), 'utf8');
    for (const part of [
      'place',
      'charge',
      'soupcons',
      'scores',
      'qualite',
      'jours',
      'transformateur',
    ])
      expect(page).toContain(`id="${part}"`);
    await expect(ask(ID, { output: 'meter.txt' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('is not found when no file has it, and the error does not repeat what was asked', async () => {
    const refused = await ask('99999999999999').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'NOT_FOUND' });
    expect(String(refused)).not.toContain('99999999999999');
    await expect(ask('1e5', { key: true })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(ask(ID, { from: 'soon' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('tables of meters', () => {
  it.each(METER_TABLES.map(({ id }) => id))(
    '%s is exported with its declared columns',
    async (id) => {
      const context = testContext(engine);
      const output = path.join(engine.home, `${id}.csv`);
      await exportTable(context, { table: id, from: FIRST, to: SECOND, output });
      const [head = ''] = (await readFile(output, 'utf8')).replace('\ufeff', '').split('\n');
      expect(head.trim().split(/[,;]/)).toEqual(
        METER_TABLES.find((table) => table.id === id)!.columns.map(({ name }) => name),
      );
    },
  );

  it('tell the same sum of the fleet as the meters’ days', async () => {
    const context = testContext(engine);
    const host = hostOf(context, 'test', 'smart-meter');
    const rows = await host.withTables(['meter_fleet', 'meter_days'], (sql) =>
      sql.rows<{ told: number; summed: number }>(
        `SELECT (SELECT sum(total_kwh) FROM meter_fleet WHERE segment = 'fleet') AS told,
          (SELECT sum(total_wh) / 1000 FROM meter_days WHERE channel = 'import') AS summed`,
      ),
    );
    expect(rows[0]!.told).toBeCloseTo(rows[0]!.summed, 6);
  });
});

it('is asked for by a short command as well', async () => {
  const program = createProgram(() => Promise.resolve());
  await addDatasetCommands(program, () => Promise.resolve(), { env: {}, home: engine.home });
  const leaves = leafCommands(program).map(([words]) => words);
  expect(leaves).toEqual(expect.arrayContaining(['meter', 'smart-meter meter']));
});
