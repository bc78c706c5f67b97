import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectationsOf } from '../../../src/datasets/smart-meter/quality/great-expectations.ts';
import { QUALITY_RULES, USUAL } from '../../../src/datasets/smart-meter/quality/rules.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

/** Every rule with rows that fail it and rows that just do not. */

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 1 });
});
afterAll(() => engine.close());

const TABLES: Readonly<Record<string, string>> = {
  readings: `meter_key UBIGINT, channel VARCHAR, start_at TIMESTAMPTZ, step_min SMALLINT, energy_wh DECIMAL(12, 5), suspect VARCHAR, label VARCHAR,
    value_raw DOUBLE, temperature_raw DOUBLE, humidity_raw DOUBLE, wind_speed_raw DOUBLE, avg_past_raw DOUBLE`,
  rejects: 'meter_key UBIGINT, reason VARCHAR, value VARCHAR',
  conflicts:
    'meter_key UBIGINT, start_at TIMESTAMPTZ, largest_wh DECIMAL(12, 5), smallest_wh DECIMAL(12, 5)',
  daily: `meter_key UBIGINT, channel VARCHAR, observed SMALLINT, expected SMALLINT, total_wh DECIMAL(18, 5), step_min SMALLINT, changes_step BOOLEAN,
    estimated SMALLINT, zeros SMALLINT, peak_wh DECIMAL(12, 5)`,
  history: `back INTEGER, meter_key UBIGINT, channel VARCHAR, observed SMALLINT, expected SMALLINT, total_wh DECIMAL(18, 5), estimated SMALLINT`,
  meters: 'meter_key UBIGINT, kva DECIMAL(18, 5), dials DECIMAL(18, 5), transformer VARCHAR',
  registers: 'meter_key UBIGINT, read_at TIMESTAMPTZ, register_wh DECIMAL(18, 5)',
  outages: 'transformer VARCHAR',
};

/**
 * What rules see of these tables, as the step opens it: days are those that a case tells of, and
 * those of its readings.
 */
const VIEWS: Readonly<Record<string, string>> = {
  all_meters: 'SELECT * FROM meters',
  usual: USUAL,
  counts: `SELECT count(*) AS rows, ${[
    'label',
    'value_raw',
    'temperature_raw',
    'humidity_raw',
    'wind_speed_raw',
    'avg_past_raw',
  ]
    .map((column) => `count(${column}) AS ${column}`)
    .join(', ')} FROM readings`,
};

const DAYS_OF_READINGS = `INSERT INTO daily BY NAME SELECT meter_key, channel, max(energy_wh) AS peak_wh, min(step_min) AS step_min,
  count(*) FILTER (WHERE energy_wh = 0) AS zeros FROM readings GROUP BY meter_key, channel`;

const at = (slot: number): string =>
  `TIMESTAMPTZ '2024-01-15 00:00:00Z' + INTERVAL ${30 * slot} MINUTE`;
const reading = (meter: number, slot: number, wh: number): string =>
  `INSERT INTO readings (meter_key, channel, start_at, step_min, energy_wh) VALUES (${meter}, 'import', ${at(slot)}, 30, ${wh})`;
const run = (meter: number, length: number, wh: number): string[] =>
  Array.from({ length }, (_, slot) => reading(meter, slot, wh));
const day = (
  meter: number,
  wh: number,
  more: { observed?: number; steps?: boolean; estimated?: number } = {},
): string =>
  `INSERT INTO daily (meter_key, channel, observed, expected, total_wh, step_min, changes_step, estimated) VALUES (${meter}, 'import', ${more.observed ?? 48}, 48, ${wh}, 30, ${more.steps ?? false}, ${more.estimated ?? 0})`;
const past = (meter: number, wh: number, backs = [7, 14, 21, 28], estimated = 0): string[] =>
  backs.map(
    (back) =>
      `INSERT INTO history VALUES (${back}, ${meter}, 'import', 48, 48, ${wh}, ${estimated})`,
  );
const meter = (key: number, kva: number, transformer = 'T1'): string =>
  `INSERT INTO meters VALUES (${key}, ${kva}, 6, '${transformer}')`;
const register = (key: number, first: number, last: number): string =>
  `INSERT INTO registers VALUES (${key}, ${at(0)}, ${first}), (${key}, ${at(48)}, ${last})`;
const reject = (reason: string): string => `INSERT INTO rejects VALUES (1, '${reason}', '-1')`;
const raw = (key: number, column: string, value: string): string =>
  `INSERT INTO readings (meter_key, channel, start_at, step_min, energy_wh, ${column}) VALUES (${key}, 'import', ${at(0)}, 30, 1, ${value})`;

/**
 * By rule: rows of which exactly the meters 1 (or as many rejects) fail; those of meter 2 just do
 * not.
 */
const CASES: Readonly<Record<string, readonly string[]>> = {
  timestamp_not_null: [reject('ambiguous_time'), reject('negative')],
  consumption_not_null: [reject('no_value'), reject('negative')],
  consumption_finite: [reject('not_finite'), reject('negative')],
  consumption_not_negative: [reject('negative'), reject('no_value')],
  consumption_in_range: [reject('out_of_range'), reject('negative')],
  interval_energy: [reject('register_not_interval'), reject('negative')],
  known_meter: [day(1, 1), day(2, 1), meter(2, 9)],
  no_conflict: [`INSERT INTO conflicts VALUES (1, ${at(0)}, 2, 1)`],
  timestamp_unique: [reading(1, 0, 1), reading(1, 0, 2), reading(2, 0, 1), reading(2, 1, 1)],
  no_missing_interval: [day(1, 1, { observed: 47 }), day(2, 1)],
  on_grid: [raw(1, 'suspect', `'off_grid'`), raw(2, 'suspect', 'NULL')],
  one_step: [day(1, 1, { steps: true }), day(2, 1)],
  below_contracted_power: [meter(1, 9), meter(2, 9), reading(1, 0, 4951), reading(2, 0, 4950)],
  no_spike: [
    reading(1, 0, 841),
    reading(2, 0, 840),
    ...[1, 2].flatMap((slot) => [reading(1, slot, 300), reading(2, slot, 300)]),
  ],
  no_identical_run: [...run(1, 12, 7), ...run(2, 11, 7), ...run(3, 20, 0)],
  no_zero_run: [
    ...run(1, 48, 0),
    ...run(2, 47, 0),
    meter(3, 9, 'T9'),
    ...run(3, 48, 0),
    `INSERT INTO outages VALUES ('T9')`,
  ],
  sum_is_register: [day(1, 10_000), register(1, 0, 10_021), day(2, 10_000), register(2, 0, 10_020)],
  register_forward: [register(1, 899_999_000, 5), register(2, 900_000_001, 5)],
  usual_day: [
    day(1, 501),
    ...past(1, 100),
    day(2, 500),
    ...past(2, 100),
    day(3, 9_000),
    ...past(3, 100, [7, 14]),
  ],
  same_unit: [day(1, 250), ...past(1, 1), day(2, 249), ...past(2, 1)],
  measured_again: [
    day(1, 1, { estimated: 1 }),
    ...past(1, 1, [1, 2, 3], 2),
    day(2, 1, { estimated: 1 }),
    ...past(2, 1, [1, 2], 2),
  ],
  label_set: [raw(1, 'label', `'Odd'`), raw(2, 'label', `'Anomaly'`)],
  raw_share: [raw(1, 'humidity_raw', '1.01'), raw(2, 'humidity_raw', '1')],
  scaled_temperature: [raw(1, 'temperature_raw', '1.51'), raw(2, 'temperature_raw', '1.5')],
};

describe('rules of quality', () => {
  it.each(QUALITY_RULES.map((rule) => [rule.id, rule] as const))(
    '%s finds what fails and lets pass what just does not',
    async (id, rule) => {
      const failing = await engine.session(async (sql) => {
        for (const [name, columns] of Object.entries(TABLES))
          await sql.run(`CREATE TEMP TABLE ${name} (${columns})`);
        for (const [name, select] of Object.entries(VIEWS))
          await sql.run(`CREATE TEMP VIEW ${name} AS ${select}`);
        const clean = await sql.rows(rule.failing);
        expect(clean).toEqual([]);
        for (const statement of [...(CASES[id] ?? []), DAYS_OF_READINGS]) await sql.run(statement);
        if (rule.mayFail !== undefined)
          expect(await sql.rows(`SELECT (${rule.mayFail}) AS holds`)).toEqual([{ holds: true }]);
        await sql.rows(`SELECT (${rule.tested}) AS tested`);
        return sql.rows<{ meter_key: number }>(`SELECT DISTINCT meter_key FROM (${rule.failing})`);
      });
      expect(failing).toEqual([{ meter_key: 1 }]);
    },
  );

  it('are told as Great Expectations tells them', () => {
    const verdict = {
      suite: 'raw_readings_suite',
      rule: 'r',
      version: 1,
      severity: 'warn',
      title: 'a claim',
      tested: 200,
      failed: 3,
      keys: ['1'],
    } as const;
    const [result] = expectationsOf({
      date: '2024-01-15',
      verdicts: [verdict, { ...verdict, rule: 's', failed: 0 }],
    });
    expect(result).toMatchObject({
      success: false,
      statistics: { evaluated_expectations: 2, successful_expectations: 1, success_percent: 50 },
      results: [
        { success: false, result: { unexpected_count: 3, unexpected_percent: 1.5 } },
        { success: true },
      ],
    });
  });
});
