import { createHash } from 'node:crypto';
import type { SqlSession } from '../../ports/sql.ts';

/**
 * Names of persons become keyed hashes: HMAC-SHA256 with the secret of the installation. Whoever
 * has the tables and not the secret cannot try names out. The engine computes it, for millions of
 * rows at once.
 */

const BLOCK_BYTES = 64;

/** A table with keyed hashes. */
export interface KeyedTable {
  /** The temporary table that is made. */
  readonly table: string;
  /** A table expression; `named.*` stands for all of its columns. */
  readonly from: string;
  /**
   * SQL over its columns: the text that is hashed. It begins with what the hash is for, unless it
   * is alone of its kind.
   */
  readonly text: string;
  /** SQL of the columns of the made table; `hmac` is SQL of the hash, 64 lower-case hex digits. */
  readonly columns: (hmac: string) => string;
}

/**
 * Makes a temporary table with HMAC-SHA256 of a text of each row. The secret is in the text of one
 * statement that cannot fail; no later one, whose text an error might quote, has it.
 */
export async function makeKeyedTable(
  sql: SqlSession,
  secret: string,
  { table, from, text, columns }: KeyedTable,
): Promise<void> {
  const raw = Buffer.from(secret, 'utf8');
  const short = raw.length > BLOCK_BYTES ? createHash('sha256').update(raw).digest() : raw;
  const pad = (byte: number): string => {
    const block = Buffer.alloc(BLOCK_BYTES, byte);
    for (const [index, value] of short.entries()) block[index] = value ^ byte;
    return block.toString('hex');
  };
  await sql.run(`CREATE OR REPLACE TEMP TABLE keyed_pads AS
    SELECT unhex('${pad(0x36)}') AS inner_pad, unhex('${pad(0x5c)}') AS outer_pad`);
  const hmac = `sha256(outer_pad || unhex(sha256(inner_pad || encode(${text}))))`;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT ${columns(hmac)} FROM ${from} AS named,
      keyed_pads`,
  );
  await sql.run('DROP TABLE keyed_pads');
}
