import { checkResult, dayByDay, inputOf, matchOf, writeParquetRows } from '../../kit/index.ts';
import type {
  CheckDefinition,
  SqlColumn,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { rounded } from '../statistics.ts';
import { readPublished } from '../transform/network.ts';
import { SERVICE } from './columns.ts';

/**
 * `transform/service-quality`: the indicators of the quarter that the day lies in, one row each.
 */

const PLAUSIBLE: CheckDefinition = {
  id: 'plausible-indicators',
  title: 'a result is 0–150 %: what was offered beyond the contract counts too',
  severity: 'warn',
};
/** Warns: results above 100 % exist, above 150 % they are errors. */
export const SERVICE_CHECKS: readonly CheckDefinition[] = [PLAUSIBLE];
const MAX_PCT = 150;

/** Core table: one row per indicator and line; the columns are those of `ServiceIndicator`. */
export const SERVICE_TABLE = [
  { name: 'operator', type: 'VARCHAR' },
  { name: 'mode', type: 'VARCHAR' },
  { name: 'theme', type: 'VARCHAR' },
  { name: 'indicator', type: 'VARCHAR' },
  { name: 'line_id', type: 'VARCHAR' },
  { name: 'line', type: 'VARCHAR' },
  { name: 'quarter', type: 'VARCHAR' },
  { name: 'result_pct', type: 'DOUBLE' },
  { name: 'result_count', type: 'DOUBLE' },
  { name: 'target_pct', type: 'DOUBLE' },
  { name: 'gap_pct', type: 'DOUBLE' },
  { name: 'penalty', type: 'BOOLEAN' },
] as const satisfies readonly SqlColumn[];

/** A row of the core table; null where the publisher gives no value. */
export interface ServiceIndicator {
  readonly operator: string;
  readonly mode: string | null;
  readonly theme: string;
  readonly indicator: string;
  readonly line_id: string | null;
  readonly line: string | null;
  /** `2024-T3`. */
  readonly quarter: string;
  readonly result_pct: number | null;
  readonly result_count: number | null;
  /** What the contract wants, %. */
  readonly target_pct: number | null;
  /** Result − target, points of a per cent. */
  readonly gap_pct: number | null;
  readonly penalty: boolean | null;
}

type PublishedIndicator = Readonly<Record<(typeof WANTED)[number], string | null>>;

const WANTED = [
  ...(['operator', 'theme', 'indicator', 'mode', 'line_id', 'line', 'quarter', 'year'] as const),
  ...(['result_pct', 'result_count', 'target_pct', 'penalty'] as const),
];

/** Days of one quarter give equal tables, which are stored once. */
export const transformService = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const slice = inputOf(unit, 'service-quality');
  const published =
    slice === undefined
      ? []
      : await readPublished<PublishedIndicator>(sql, slice.path, SERVICE.names, WANTED);
  const indicators = published.map(indicatorOf).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const core = await writeParquetRows(
    sql,
    SERVICE_TABLE,
    indicators.map((one) => SERVICE_TABLE.map(({ name }) => one[name])),
    `service-${unit.scope}`,
  );
  const odd = indicators.filter(
    ({ result_pct: result }) => result !== null && (result < 0 || result > MAX_PCT),
  );
  return {
    outputs: { core },
    checks: [
      checkResult(
        PLAUSIBLE,
        indicators.length,
        odd.map(({ operator, indicator, line, result_pct }) => ({
          operator,
          indicator,
          line,
          result_pct,
        })),
      ),
    ],
    facts: { rows: indicators.length },
  };
}

function sortKey(one: ServiceIndicator): string {
  return JSON.stringify(SERVICE_TABLE.map(({ name }) => one[name]));
}

function indicatorOf(row: PublishedIndicator): ServiceIndicator {
  const [result, target] = [percentOf(row.result_pct), percentOf(row.target_pct)];
  const [number = ''] = matchOf(/[1-4]/, row.quarter) ?? [];
  return {
    operator: trimmed(row.operator),
    mode: textOf(row.mode),
    theme: trimmed(row.theme),
    indicator: trimmed(row.indicator),
    line_id: textOf(row.line_id),
    line: textOf(row.line),
    quarter: `${trimmed(row.year)}-T${number}`,
    result_pct: result,
    result_count: percentOf(row.result_count),
    target_pct: target,
    gap_pct: result === null || target === null ? null : rounded(result - target, 4),
    penalty: { OUI: true, NON: false }[trimmed(row.penalty).toUpperCase()] ?? null,
  };
}

/** What a cell says; nothing where it is empty. */
function trimmed(text: string | null): string {
  return text?.trim() ?? '';
}

function textOf(text: string | null): string | null {
  const plain = trimmed(text);
  return plain === '' ? null : plain;
}

/** `97,4`, `97.4` and `97.4 %` are the same; null for what is no number. */
function percentOf(text: string | null): number | null {
  const plain = trimmed(text).replace('%', '').replace(',', '.').trim();
  return /^-?\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : null;
}
