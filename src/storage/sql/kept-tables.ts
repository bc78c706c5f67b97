import type { KeptRows, KeptTables } from '../../ports/sql.ts';

/** The database of an instance whose tables outlive sessions. */
export const KEPT_DATABASE = 'kept_rows';

/** Three windows of half a year and forty columns in the making; a worker has 384 MiB for all that its SQL does. */
const MAX_BYTES = 96 * 1024 * 1024;

/** What a value takes in a table in memory, measured: 30 in half a year of whole numbers, 33 of texts, 41 in a month. */
const BYTES_PER_VALUE = 35;

interface KeptTable extends KeptRows {
  readonly bytes: number;
  /** Sessions that may read it. */
  users: number;
}

/** A larger one would leave no room for those of other windows. */
const MAX_TABLE_BYTES = MAX_BYTES / 2;

function bytesOf(rows: number, columns: number): number {
  return rows * (columns + 1) * BYTES_PER_VALUE;
}

/** The kept tables as one session sees them. */
export interface SessionTables {
  readonly tables: KeptTables;
  /** Lets go of what the session found. */
  end(): Promise<void>;
}

/**
 * Tables that sessions of one instance leave to each other.
 *
 * 1. What a session has found stays until the session ends.
 * 2. What a session has made and not added is gone with it.
 * 3. All together are no larger than `MAX_BYTES`, but for those that are in use; the oldest go first.
 */
export class KeptTableStore {
  readonly #drop: (table: string) => Promise<void>;
  /** By name, oldest first. */
  readonly #tables = new Map<string, KeptTable>();
  /** Names of tables by the hash of a file whose rows they have. */
  readonly #holders = new Map<string, string>();
  #named = 0;
  #bytes = 0;

  /** `drop` removes a table of the instance by its qualified name. */
  constructor(drop: (table: string) => Promise<void>) {
    this.#drop = drop;
  }

  forSession(): SessionTables {
    const used = new Set<KeptTable>();
    const made = new Set<string>();
    return {
      tables: {
        newName: ({ rows, columns }) => {
          if (bytesOf(rows, columns) > MAX_TABLE_BYTES) return undefined;
          this.#named += 1;
          const name = `${KEPT_DATABASE}.rows_${this.#named}`;
          made.add(name);
          return name;
        },
        add: (rows) => {
          made.delete(rows.table);
          return this.#add(rows);
        },
        find: (sha256) => {
          const name = this.#holders.get(sha256);
          const table = name === undefined ? undefined : this.#tables.get(name);
          if (table !== undefined && !used.has(table)) {
            used.add(table);
            table.users += 1;
          }
          return table;
        },
      },
      end: async () => {
        for (const table of used) table.users -= 1;
        for (const name of made) await this.#drop(name);
        await this.#shrink(MAX_BYTES);
      },
    };
  }

  /** Drops all that nobody uses. */
  clear(): Promise<void> {
    return this.#shrink(0);
  }

  async #add(rows: KeptRows): Promise<void> {
    const count = rows.files.reduce((sum, file) => sum + file.rows, 0);
    const bytes = bytesOf(count, rows.columns.length);
    this.#tables.set(rows.table, { ...rows, bytes, users: 0 });
    for (const { sha256 } of rows.files) this.#holders.set(sha256, rows.table);
    this.#bytes += bytes;
    await this.#shrink(MAX_BYTES);
  }

  async #shrink(bytes: number): Promise<void> {
    for (const [name, table] of this.#tables) {
      if (this.#bytes <= bytes) return;
      if (table.users > 0) continue;
      this.#tables.delete(name);
      for (const { sha256 } of table.files) {
        if (this.#holders.get(sha256) === name) this.#holders.delete(sha256);
      }
      this.#bytes -= table.bytes;
      await this.#drop(name);
    }
  }
}
