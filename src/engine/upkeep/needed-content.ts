import { PipelineError } from '../../errors.ts';
import type { Dataset, NeededTable } from '../../pipelines/dataset.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { isExpired, keptSince } from '../../pipelines/retention.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import { quoteList, quoteText } from '../../pipelines/sql-text.ts';
import { monthOf } from '../../pipelines/civil-date.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { openContent } from '../content-store.ts';
import { sqlOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { untilEnd } from '../held-objects.ts';
import { newestManifests } from '../records/ledger-reader.ts';

/** By `<step>:<output>`, the days and months whose files stay although their time is over. */
export type Needed = ReadonlyMap<string, ReadonlySet<Scope>>;

interface Stored {
  readonly entries: readonly LedgerEntry[];
  readonly today: CivilDate;
  readonly gone: ReadonlySet<string>;
}

/**
 * What something that lives still rests on, of the tables that the dataset names: of each day whose
 * file is past its time the rows are held against what the newest history tells. A file stays as a
 * whole, also the rows in it that nothing rests on.
 *
 * @throws `STORE_CORRUPT` when a file that decides is not there: nothing is destroyed on a guess
 */
export async function neededContent(
  engine: Engine,
  dataset: Dataset,
  stored: Stored,
): Promise<Needed> {
  const needed = new Map<string, Set<Scope>>();
  for (const table of dataset.neededTables ?? []) {
    const days = await neededDays(engine, dataset, table, stored);
    const scopes = new Set<Scope>([...days, ...days.map(monthOf)]);
    for (const name of [table.table, ...table.with]) needed.set(name, scopes);
  }
  return needed;
}

async function neededDays(
  engine: Engine,
  { definition }: Dataset,
  needed: NeededTable,
  { entries, today, gone }: Stored,
): Promise<readonly CivilDate[]> {
  const [step = '', output = ''] = needed.table.split(':');
  const retention = definition.steps.find(({ id }) => id === step)?.outputs[output]?.retention;
  if (retention === undefined) return [];
  const judged = entries.flatMap(({ step: made, scope, outputs }) => {
    const ref = made === step && isExpired(retention, scope, today) ? outputs[output] : undefined;
    return ref === undefined || gone.has(ref.key) ? [] : [{ scope, ref }];
  });
  const { living } = needed;
  const history = (await newestManifests(engine.documents, definition.name, [WHOLE_HISTORY])).get(
    WHOLE_HISTORY,
  );
  const state = history?.steps[living.step];
  const lives = state?.state === 'done' ? state.outputs[living.output] : undefined;
  if (judged.length === 0 || lives === undefined) return [];
  return untilEnd(async (until) => {
    const open = (ref: ArtefactRef): Promise<string> => opened(engine, ref, until);
    const told = `read_parquet(${quoteText(await open(lives))}, hive_partitioning = false)`;
    const scopes = new Map<string, Scope[]>();
    for (const { scope, ref } of judged) {
      const path = await open(ref);
      scopes.set(path, [...(scopes.get(path) ?? []), scope]);
    }
    const files = `read_parquet(${quoteList([...scopes.keys()])}, filename = true, union_by_name = true, hive_partitioning = false)`;
    const where = needed.where(told, keptSince(retention, today));
    const found = await sqlOf(engine).session((sql) =>
      sql.rows<{ filename: string }>(`SELECT DISTINCT filename FROM ${files} WHERE ${where}`),
    );
    return found.flatMap(({ filename }) => scopes.get(filename) ?? []);
  });
}

async function opened({ objects }: Engine, ref: ArtefactRef, until: AbortSignal): Promise<string> {
  const path = await openContent(objects, ref, { until });
  if (path === undefined) throw new PipelineError('STORE_CORRUPT', `${ref.key} is not there`);
  return path;
}
