import { errorCodeOf } from '../../errors.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { RemovedContent } from '../../pipelines/forgetting.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { openIntact } from '../content-store.ts';
import { hasPersons } from '../download/leave-out.ts';
import { sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import type { IsForgotten } from '../records/forgotten.ts';
import { isPromised } from '../records/promises.ts';

/**
 * Tables with rows of persons to which no slice of the ledger leads: a worker that dies has stored
 * joined rows as a raw file, or slices, and no entry that names them. Names do not stand in them as
 * text.
 */

/** A table that is named by its own hash. */
const TABLE_NAME = /\/([0-9a-f]{64})\.parquet$/;

/**
 * Raw files in the form of slices, and slices that no entry names, which have rows of these
 * persons. Of the latter those stay that a run may commit which has not ended
 * (`pipelines/garbage.ts`).
 */
export async function tablesLeft(
  engine: Engine,
  { signal, progress }: Pick<StepControl, 'signal' | 'progress'>,
  dataset: Dataset,
  entries: readonly LedgerEntry[],
  isForgotten: IsForgotten,
): Promise<RemovedContent[]> {
  const named = new Set(
    entries.flatMap(({ outputs }) => Object.values(outputs).map(({ key }) => key)),
  );
  return sqlOf(engine).session(
    async (sql) => {
      const left: RemovedContent[] = [];
      for (const { part, prefix, isRaw } of placesOf(dataset)) {
        progress(`looking for what no record leads to of ${part}`);
        for (const table of await tablesUnder(engine, prefix)) {
          signal.throwIfAborted();
          if (named.has(table.key)) continue;
          if (!isRaw && (await isPromised(engine.documents, table.key, engine.now()))) continue;
          const file = await openIntact(engine, table);
          if (file !== undefined && (await tells(dataset, part, { sql, file, isForgotten })))
            left.push(table);
        }
      }
      return left;
    },
    { signal },
  );
}

interface Place {
  readonly part: string;
  readonly prefix: string;
  readonly isRaw: boolean;
}

/** Where the raw files and slices of each part are. Of sealed raw files the slices tell. */
function placesOf({ definition: { name, parts, steps } }: Dataset): Place[] {
  return parts.flatMap(({ id: part, decoding }) => {
    const layers = steps
      .filter((step) => step.part === part)
      .flatMap(({ outputs }) => Object.values(outputs));
    const slices = [...new Set(layers.map(({ layer }) => layer))].map((layer) => ({
      prefix: `${layer}/`,
      isRaw: false,
    }));
    const raws = decoding === undefined ? [{ prefix: `raw/${name}/${part}/`, isRaw: true }] : [];
    return [...raws, ...slices].map((place) => ({ part, ...place }));
  });
}

async function tablesUnder(
  { objects }: Pick<Engine, 'objects'>,
  prefix: string,
): Promise<RemovedContent[]> {
  const tables: RemovedContent[] = [];
  for await (const { key, bytes } of objects.list(prefix)) {
    const sha256 = TABLE_NAME.exec(key)?.[1];
    if (sha256 !== undefined) tables.push({ key, sha256, bytes });
  }
  return tables;
}

/** False also for a file that is no table: nothing was ever cut from it. */
async function tells(
  dataset: Dataset,
  part: string,
  {
    sql,
    file,
    isForgotten,
  }: { readonly sql: SqlSession; readonly file: string; readonly isForgotten: IsForgotten },
): Promise<boolean> {
  try {
    return await hasPersons(dataset, part, sql, file, isForgotten);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== 'STORE_CORRUPT' && code !== 'SRC_SHAPE_CHANGED') throw error;
    return false;
  }
}
