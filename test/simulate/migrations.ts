import { newestName } from '../../src/engine/content-store.ts';
import { OPERATIONAL_TABLES } from '../../src/cli/stores/storage.ts';
import { LEDGER_TABLE } from '../../src/pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../src/pipelines/manifest.ts';
import { RECEIPT_TABLE } from '../../src/pipelines/receipt.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import { migrate } from '../../src/storage/setup/migrate.ts';
import type { MigrationOptions } from '../../src/storage/setup/migrate.ts';
import { openMigrationNotes } from '../../src/storage/setup/migration-notes.ts';
import { Process } from './scheduler.ts';
import type { Installation } from './installation.ts';
import { commanded } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Random } from './random.ts';
import { readObject, storesOf } from './stores-of-process.ts';
import type { Stores } from './stores-of-process.ts';
import { hashOf, seedFolder } from './virtual-files.ts';

/** A copy of the installation to other stores, broken off in its middle and gone on with later. */
export class Move {
  readonly target: Stores = {
    objects: createMemoryObjectStore(),
    documents: createMemoryDocumentStore(),
  };

  /** A try of the copy, which may be killed. */
  async begin(
    { primary, scheduler, weather, mutation }: Installation,
    afterMs: number,
  ): Promise<void> {
    const process = new Process('migrate');
    scheduler.timer(afterMs, () => {
      scheduler.tell('the migration is killed');
      process.dead = true;
    });
    await this.#copy(storesOf(process, weather, primary), mutation?.migration);
  }

  /** The try that ends, while nobody writes; returns what is not as it was in the source. */
  async end({ primary, mutation }: Installation): Promise<string[]> {
    const { conflicts } = await this.#copy(primary, mutation?.migration);
    // What it says is missing is gone from the source too, and is no fault of the copy.
    const [wanted, found] = [await contentOf(primary), await contentOf(this.target)];
    const names = new Set([...wanted.keys(), ...found.keys()]);
    return [
      ...conflicts,
      ...[...names].flatMap((name) =>
        wanted.get(name) === found.get(name) ? [] : `${name} is another in the target`,
      ),
    ];
  }

  async #copy(
    from: Stores,
    change: (options: MigrationOptions) => MigrationOptions = (options) => options,
  ) {
    const notes = await openMigrationNotes(`${seedFolder()}/migration.jsonl`);
    return migrate(
      change({
        from,
        to: this.target,
        tables: OPERATIONAL_TABLES,
        naming: {
          [MANIFEST_TABLE]: 'required',
          [RECEIPT_TABLE]: 'required',
          [LEDGER_TABLE]: 'collected',
        },
        otherKeyOf: newestName,
        notes,
      }),
    );
  }
}

async function contentOf({ objects, documents }: Stores): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { key } of objects.list(''))
    content.set(key, hashOf((await readObject(objects, key)) ?? Buffer.of()));
  for (const table of OPERATIONAL_TABLES) {
    for await (const partition of documents.partitions(table)) {
      for await (const { sort, body } of documents.query({ table, partition }))
        content.set(`${table} ${partition} ${sort}`, JSON.stringify(body));
    }
  }
  return content;
}

export function migration(random: Random): Omit<Operation, 'afterMs'> {
  const killedMs = random.whole(1, 1_500);
  return {
    what: `a migration begins, and is killed after ${killedMs} ms`,
    act: async (installation) => {
      if (installation.move !== undefined) return;
      const move = (installation.move = new Move());
      await commanded(installation, 'migrate', () => move.begin(installation, killedMs));
    },
  };
}
