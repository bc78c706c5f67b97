import { repairRows, unreadableRows } from '../../src/engine/upkeep/repair-rows.ts';
import type { StepControl } from '../../src/engine/engine.ts';
import { LEDGER_TABLE } from '../../src/pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../src/pipelines/manifest.ts';
import { periodsOf } from '../../src/pipelines/period.ts';
import { placeOf } from '../../src/pipelines/stored-records.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import type { StoredDocument } from '../../src/ports/documents.ts';
import { PIPELINE } from './dataset.ts';
import type { Installation } from './installation.ts';
import { commanded } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Random } from './random.ts';
import type { Stores } from './stores-of-process.ts';

/**
 * Rows of the document store that a disk, or somebody, has made unreadable or taken away, and their
 * repair.
 */

export function damagedRow(random: Random): Omit<Operation, 'afterMs'> {
  const table = random.pick([LEDGER_TABLE, MANIFEST_TABLE]);
  const [which, isLost] = [random.fraction(), random.chance(0.5)];
  return {
    what: isLost
      ? 'the row of a newest version is lost'
      : `a row of the ${table} becomes unreadable`,
    act: async (installation) => {
      const { primary, scheduler, forgiven, setAside } = installation;
      const rows = isLost ? await newestVersions(primary) : await rowsOf(primary, table);
      const row = rows[Math.floor(which * rows.length)];
      if (row === undefined) return;
      scheduler.tell(`it is ${row.sort}`);
      // Until it is made again, the version before it is the newest one.
      if (row.table === MANIFEST_TABLE) forgiven.add(placeOf(row).scope);
      if (isLost) return primary.documents.delete(row);
      const { table: name, partition, sort } = row;
      setAside.add(sort);
      await primary.documents.put(
        { table: name, partition, sort },
        { ...row.body, steps: 0, outputs: 0 },
      );
    },
  };
}

async function rowsOf({ documents }: Stores, table: string): Promise<StoredDocument[]> {
  const rows: StoredDocument[] = [];
  for await (const partition of documents.partitions(table)) {
    for await (const row of documents.query({ table, partition })) rows.push(row);
  }
  return rows;
}

async function newestVersions(stores: Stores): Promise<StoredDocument[]> {
  const rows = await rowsOf(stores, MANIFEST_TABLE);
  return [...new Map(rows.map((row) => [placeOf(row).scope, row])).values()];
}

export function repair(_random: Random, dates: readonly CivilDate[]): Omit<Operation, 'afterMs'> {
  return {
    what: 'somebody repairs what cannot be read',
    act: async (installation) => {
      await repairAll(installation, dates);
    },
  };
}

/** As the command does it, for the days and for each period. */
export async function repairAll(
  installation: Installation,
  dates: readonly CivilDate[],
): Promise<void> {
  await commanded(installation, 'repair', async () => {
    const { engine, process } = await installation.command(installation.hosts[0]!, 'repair');
    const control: StepControl = {
      execution: { workflowId: 'cli/repair', runId: 'repair', attempt: 1 },
      signal: new AbortController().signal,
      progress: () => undefined,
    };
    for (const scopes of [dates, ...periodsOf('month', dates).map((month) => [month]), ['all']]) {
      const { rows, scopes: made } = await repairRows(engine, control, PIPELINE, scopes);
      for (const { row } of rows)
        installation.scheduler.tell(`${process.name}: repairs ${row.table} ${row.sort}`);
      for (const { scope, version, why } of made)
        installation.scheduler.tell(
          `${process.name}: ${scope} has version ${String(version)} ${why ?? ''}`,
        );
    }
  });
}

/** The rows that cannot be read, in words. */
export async function stillUnreadable(
  { primary, dataset }: Installation,
  dates: readonly CivilDate[],
): Promise<string[]> {
  const engine = { datasets: { [PIPELINE]: dataset }, documents: primary.documents };
  const rows = await unreadableRows(engine, PIPELINE, [
    ...dates,
    ...periodsOf('month', dates),
    'all',
  ]);
  return rows.map(
    ({ table, sort, why }) => `${table} ${sort} cannot be read after its repair: ${why}`,
  );
}
