import { hasPersonalColumns } from '../../api/security/callers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { KnownVersion } from '../../engine/look/known-versions.ts';
import type { PlacedTable, TableCut } from '../../engine/look/table-cut.ts';
import { readRowSets } from '../../engine/look/table-rows.ts';
import { PipelineError } from '../../errors.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { CopiedSums, CopiedTable, TableCopies } from '../../storage/sql/clickhouse.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';

/**
 * Brings a table of ClickHouse to what the stores have: scopes of another version are replaced,
 * those without rows are emptied.
 */

/** What was done, by scope. */
export interface CopyOutcome {
  readonly table: string;
  readonly written: readonly Scope[];
  readonly removed: readonly Scope[];
  readonly unchanged: number;
  readonly rows: number;
}

/** Rows of one insert. */
const ROWS_AT_ONCE = 20_000;
/** Sums are added up in another order there: so much of a sum may differ. */
const TOLERANCE = 1e-9;

/**
 * Copies the cut, scope by scope, and compares counts and sums of each. A piece of the cut must
 * have rows of one scope alone.
 * @throws `STORE_CORRUPT` where the copy adds up to something else
 */
export async function copyCut(
  engine: Engine,
  copies: TableCopies,
  cut: TableCut,
  { as, signal }: { readonly as: string; readonly signal: AbortSignal },
): Promise<CopyOutcome> {
  const { order, columns } = cut.table;
  const table: CopiedTable = { name: as, columns, order };
  await copies.prepare(table);
  const there = await copies.scopesOf(table);
  const [written, removed]: [Scope[], Scope[]] = [[], []];
  const had = new Set<Scope>();
  let rows = 0;
  for (const version of cut.versions) {
    const { scope, version: revision } = version;
    had.add(scope);
    const own = there.get(scope);
    const piece = cut.pieces.filter((one) => one.scope === scope);
    const expected = piece.reduce((sum, { ref }) => sum + (ref.rows ?? Number.NaN), 0);
    rows += own?.rows ?? 0;
    if (own?.oldest === revision && own.newest === revision && own.rows === expected) continue;
    rows +=
      (await copyScope(engine, copies, {
        table,
        cut: { ...cut, pieces: piece },
        version,
        signal,
      })) - (own?.rows ?? 0);
    written.push(scope);
  }
  for (const scope of [...there.keys()]
    .filter((one) => !had.has(one) && isWithin(one, cut))
    .sort()) {
    await copies.remove(table, scope);
    removed.push(scope);
  }
  return { table: as, written, removed, unchanged: had.size - written.length, rows };
}

function isWithin(scope: Scope, { span: { from, to } }: TableCut): boolean {
  return (
    scope === WHOLE_HISTORY ||
    (scope >= from.slice(0, scope.length) && scope <= to.slice(0, scope.length))
  );
}

interface ScopeCopy {
  readonly table: CopiedTable;
  readonly cut: TableCut;
  readonly version: KnownVersion;
  readonly signal: AbortSignal;
}

async function copyScope(
  engine: Engine,
  copies: TableCopies,
  { table, cut, version, signal }: ScopeCopy,
): Promise<number> {
  const { scope, version: revision } = version;
  const sums: Record<string, number> = {};
  let rows = 0;
  for await (const set of readRowSets(engine, cut, { signal })) {
    for (let from = 0; from < set.length; from += ROWS_AT_ONCE) {
      const part = set.slice(from, from + ROWS_AT_ONCE);
      await copies.insert(
        table,
        part.map((row, index) => ({
          ...row,
          _scope: scope,
          _revision: revision,
          _row: rows + index,
        })),
      );
      for (const row of part) addTo(sums, row);
      rows += part.length;
    }
  }
  await copies.remove(table, scope, revision);
  compare({ rows, sums }, await copies.sumsOf(table, scope), `${table.name} of ${scope}`);
  return rows;
}

function addTo(sums: Record<string, number>, row: AnswerRow): void {
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
}

function compare(ours: CopiedSums, theirs: CopiedSums, what: string): void {
  if (ours.rows !== theirs.rows)
    throw new PipelineError(
      'STORE_CORRUPT',
      `${what} has ${theirs.rows} rows in ClickHouse beside ${ours.rows} here`,
    );
  for (const [name, sum] of Object.entries(ours.sums)) {
    const there = theirs.sums[name] ?? 0;
    if (Math.abs(there - sum) <= TOLERANCE * Math.max(1, Math.abs(sum))) continue;
    throw new PipelineError(
      'STORE_CORRUPT',
      `${name} of ${what} adds up to ${there} in ClickHouse beside ${sum} here`,
    );
  }
}

/** `quotidien export <table> --clickhouse`: exit code 3 when days that are due are missing. */
export async function exportToClickHouse(
  { terminal, config, signal }: CommandContext,
  engine: Engine,
  placed: PlacedTable,
  { cut, as = placed.table.id }: { readonly cut: TableCut; readonly as?: string | undefined },
): Promise<ExitCode> {
  const { url, database } = addressOf(config.env['QUOTIDIEN_CLICKHOUSE_URL']);
  const { openClickHouse } = await import('../../storage/sql/clickhouse.ts');
  const copies = openClickHouse(url, database);
  try {
    const outcome = await copyCut(engine, copies, cut, { as, signal });
    const { written, removed, unchanged, rows } = outcome;
    terminal.data({ ...outcome, database, missing: cut.missing });
    terminal.line(
      `${database}.${as}: ${count(rows, 'row')}; ${written.length} written, ${removed.length} removed, ${unchanged} as before; counts and sums agree`,
    );
    if (hasPersonalColumns(placed))
      terminal.note(
        `${as} has columns about persons; after "quotidien forget" give this command again`,
      );
    return cut.missing.length === 0 ? EXIT.done : EXIT.degraded;
  } finally {
    await copies.close();
  }
}

/** The database is the path of the address, by default `quotidien`. */
function addressOf(text: string | undefined): { readonly url: string; readonly database: string } {
  if (text === undefined)
    throw new PipelineError(
      'CONFIG_INVALID',
      'set QUOTIDIEN_CLICKHOUSE_URL, such as http://user:password@localhost:8123/energy_analytics',
    );
  const url = new URL(text);
  const database = decodeURIComponent(url.pathname.slice(1)) || 'quotidien';
  // A database that is not there yet cannot be the one of the session.
  url.pathname = '';
  return { url: url.href, database };
}
