import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 1 });
});
afterAll(() => engine.close());

describe('rows', () => {
  it.each<[string, unknown]>([
    ['NULL', null],
    ['NULL::TIMESTAMPTZ', null],
    ['true', true],
    ['(-128)::TINYINT', -128],
    ['255::UTINYINT', 255],
    ['(-32768)::SMALLINT', -32_768],
    ['2147483647::INTEGER', 2_147_483_647],
    ['4294967295::UINTEGER', 4_294_967_295],
    ['9007199254740991::BIGINT', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991::BIGINT', Number.MIN_SAFE_INTEGER],
    ['9007199254740992::BIGINT', '9007199254740992'],
    ['(-9223372036854775808)::BIGINT', '-9223372036854775808'],
    ['18446744073709551615::UBIGINT', '18446744073709551615'],
    ['12::HUGEINT', 12],
    [
      "'170141183460469231731687303715884105727'::HUGEINT",
      '170141183460469231731687303715884105727',
    ],
    ['7::UHUGEINT', 7],
    ['count(*)', 1],
    ['sum(1::BIGINT)', 1],
    ['0::DECIMAL(9,2)', 0],
    ['1234.5::DECIMAL(9,2)', 1_234.5],
    ['-0.05::DECIMAL(18,4)', -0.05],
    ["'39947123.456789'::DECIMAL(38,6)", 39_947_123.456789],
    ["'1234567890123456789.01'::DECIMAL(38,2)", '1234567890123456789.01'],
    ["'0.12345678901234567890'::DECIMAL(38,20)", '0.12345678901234567890'],
    [
      "'12345678901234567890123456789012345678'::DECIMAL(38,0)",
      '12345678901234567890123456789012345678',
    ],
    ['0.1::DOUBLE', 0.1],
    ['1e300', 1e300],
    ["'nan'::DOUBLE", Number.NaN],
    ["'-infinity'::DOUBLE", Number.NEGATIVE_INFINITY],
    ['0.5::FLOAT', 0.5],
    ["'été 😀'", 'été 😀'],
    ["''", ''],
    ["DATE '2024-02-29'", '2024-02-29'],
    ["DATE '0987-01-01'", '0987-01-01'],
    ["TIMESTAMPTZ '2024-03-31 03:00:00+02:00'", '2024-03-31T01:00:00Z'],
    ["TIMESTAMPTZ '2024-01-15 10:00:00.5+00'", '2024-01-15T10:00:00.500Z'],
    ["TIMESTAMPTZ '2024-01-15 10:00:00.000001+00'", '2024-01-15T10:00:00.000001Z'],
    ["TIMESTAMPTZ '1969-12-31 23:59:59.999+00'", '1969-12-31T23:59:59.999Z'],
    ["TIMESTAMPTZ '0001-01-01 00:00:00+00'", '0001-01-01T00:00:00Z'],
    ["TIMESTAMPTZ 'infinity'", 'infinity'],
    ["TIMESTAMP '2024-01-15 10:00:00'", '2024-01-15T10:00:00'],
    ["TIMESTAMP '2024-01-15 10:00:00.25'", '2024-01-15T10:00:00.250'],
    ["'2024-01-15 10:00:00'::TIMESTAMP_S", '2024-01-15T10:00:00'],
    ["'2024-01-15 10:00:00.125'::TIMESTAMP_MS", '2024-01-15T10:00:00.125'],
    ["'2024-01-15 10:00:00.123456789'::TIMESTAMP_NS", '2024-01-15T10:00:00.123456789'],
    ["TIME '09:05:00'", '09:05:00'],
    ["INTERVAL '1 month 2 days'", '1 month 2 days'],
    ["'a'::ENUM('a', 'b')", 'a'],
    ["'00112233-4455-6677-8899-aabbccddeeff'::UUID", '00112233-4455-6677-8899-aabbccddeeff'],
    ["'\\x00\\xFFa'::BLOB", '00ff61'],
    ['[1::BIGINT, NULL, 9007199254740993::BIGINT]', [1, null, '9007199254740993']],
    ['[]::DATE[]', []],
    ["[[DATE '2024-01-15']]", [['2024-01-15']]],
    ['array_value(1.5::DOUBLE, 2.5)', [1.5, 2.5]],
    [
      "{'at': TIMESTAMPTZ '2024-01-15 10:00:00+00', 'n': 0.1::DECIMAL(3,1)}",
      { at: '2024-01-15T10:00:00Z', n: 0.1 },
    ],
    ["[{'x': [{'y': 1::HUGEINT}]}]", [{ x: [{ y: 1 }] }]],
    [
      "MAP {'a': 1::BIGINT, 'b': NULL}",
      [
        { key: 'a', value: 1 },
        { key: 'b', value: null },
      ],
    ],
    ['union_value(n := 5::BIGINT)', 5],
    [`'{"a": 1}'::JSON`, '{"a": 1}'],
  ])('give %s as %o', async (expression, expected) => {
    expect(await engine.session((sql) => sql.rows(`SELECT ${expression} AS value`))).toEqual([
      { value: expected },
    ]);
  });

  it('give many rows in order, with all their columns', async () => {
    const rows = await engine.session((sql) =>
      sql.rows<{ n: number; at: string }>(
        `SELECT range AS n, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_minutes(range) AS at FROM range(10000) ORDER BY n`,
      ),
    );
    expect(rows).toHaveLength(10_000);
    expect(rows[9_999]).toEqual({ n: 9_999, at: '2024-01-07T22:39:00Z' });
  });

  it('are empty where the query finds nothing', async () => {
    expect(await engine.session((sql) => sql.rows('SELECT 1 WHERE false'))).toEqual([]);
  });
});
