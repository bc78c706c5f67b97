import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { PipelineError } from '../../errors.ts';

/**
 * Copies of tables in ClickHouse. Of each scope (a day, a month) a table holds the rows of one
 * version; `_revision` says which, `_row` is the place of a row in it. Invariants:
 * 1. Rows are named by scope, the table's order and place: writing a version again changes nothing.
 * 2. A newer version is written before the older one is removed. Whoever reads in between sees
 *    both; `_revision` tells them apart.
 */

/** What columns hold; all may be null. */
export type CopiedType = 'text' | 'integer' | 'number' | 'instant' | 'date' | 'boolean';

/** A table with its declared columns. */
export interface CopiedTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: CopiedType }[];
  /** Names of columns. */
  readonly order: readonly string[];
}

/** What the copy has of a scope. */
export interface CopiedScope {
  readonly oldest: number;
  readonly newest: number;
  readonly rows: number;
}

/** Rows of a scope, and the sum of each column of numbers. */
export interface CopiedSums {
  readonly rows: number;
  readonly sums: Readonly<Record<string, number>>;
}

/** One database of a ClickHouse; every call throws `STORE_UNAVAILABLE` or `STORE_DENIED`. */
export interface TableCopies {
  /** Makes the database and the table where they are not there. */
  prepare(table: CopiedTable): Promise<void>;
  scopesOf(table: CopiedTable): Promise<ReadonlyMap<string, CopiedScope>>;
  insert(table: CopiedTable, rows: readonly object[]): Promise<void>;
  /** Removes all rows of a scope, or those of other versions than the one that is kept. */
  remove(table: CopiedTable, scope: string, kept?: number): Promise<void>;
  sumsOf(table: CopiedTable, scope: string): Promise<CopiedSums>;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<CopiedType, string>> = {
  text: 'String',
  integer: 'Int64',
  number: 'Float64',
  instant: `DateTime64(6, 'UTC')`,
  date: 'Date32',
  boolean: 'Bool',
};

/** @param url `http(s)://<user>:<password>@<host>:<port>/<database>` */
export function openClickHouse(url: string, database: string): TableCopies {
  return copiesIn(
    createClient({
      url,
      application: 'quotidien',
      max_open_connections: 2,
      log: { level: ClickHouseLogLevel.OFF },
    }),
    database,
  );
}

/** The same over a client that is open, whatever engine answers it. */
export function copiesIn(client: ClickHouseClient, database: string): TableCopies {
  const at = ({ name }: CopiedTable): string => `${quoted(database)}.${quoted(name)}`;
  const command = (query: string, params: Record<string, string | number> = {}): Promise<void> =>
    asking(async () => {
      await client.command({ query, query_params: params });
    });
  const ask = <T>(query: string, params: Record<string, string> = {}): Promise<T[]> =>
    asking(async () => {
      const found = await client.query({ query, query_params: params, format: 'JSONEachRow' });
      return found.json<T>();
    });
  return {
    async prepare(table) {
      await command(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`);
      await command(createSql(at(table), table));
    },
    async scopesOf(table) {
      const rows = await ask<Record<'scope' | 'oldest' | 'newest' | 'rows', string>>(
        `SELECT _scope AS scope, toString(min(_revision)) AS oldest,
          toString(max(_revision)) AS newest, toString(count()) AS rows
         FROM ${at(table)} FINAL GROUP BY _scope`,
      );
      return new Map(
        rows.map(({ scope, oldest, newest, rows: count }) => [
          scope,
          { oldest: Number(oldest), newest: Number(newest), rows: Number(count) },
        ]),
      );
    },
    insert: (table, rows) =>
      asking(async () => {
        await client.insert({
          table: at(table),
          values: rows,
          format: 'JSONEachRow',
          clickhouse_settings: { date_time_input_format: 'best_effort' },
        });
      }),
    remove: (table, scope, kept) =>
      command(
        `DELETE FROM ${at(table)} WHERE _scope = {scope:
          String}${kept === undefined ? '' : ' AND _revision != {kept: UInt64}'}`,
        kept === undefined ? { scope } : { scope, kept },
      ),
    async sumsOf(table, scope) {
      const summed = table.columns.filter(({ type }) => type === 'integer' || type === 'number');
      const sums = summed.map(
        ({ name }) => `ifNull(sum(toFloat64(${quoted(name)})), 0) AS ${quoted(name)}`,
      );
      const [row = {}] = await ask<Record<string, number | string>>(
        `SELECT ${['toString(count()) AS _rows', ...sums].join(', ')} FROM ${at(table)} FINAL
          WHERE _scope = {scope: String}`,
        { scope },
      );
      const { _rows: rows = 0, ...own } = row;
      return {
        rows: Number(rows),
        sums: Object.fromEntries(Object.entries(own).map(([n, v]) => [n, Number(v)])),
      };
    },
    close: () => client.close(),
  };
}

function createSql(at: string, { columns, order }: CopiedTable): string {
  const own = columns.map(({ name, type }) => `${quoted(name)} Nullable(${TYPES[type]})`);
  const fixed = ['_scope LowCardinality(String)', '_revision UInt64', '_row UInt64'];
  return `CREATE TABLE IF NOT EXISTS ${at} (${[...own, ...fixed].join(', ')})
    ENGINE = ReplacingMergeTree(_revision)
    ORDER BY (${['_scope', ...order.map(quoted), '_row'].join(', ')}) SETTINGS
      allow_nullable_key = 1`;
}

function quoted(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** Codes of sockets that nobody answers, or that end before an answer. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);

async function asking<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    const isAway = AWAY.has(String(code)) || /timeout|socket hang up/i.test(message);
    throw new PipelineError(
      isAway ? 'STORE_UNAVAILABLE' : 'STORE_DENIED',
      `ClickHouse: ${message}`,
      { cause: error },
    );
  }
}
