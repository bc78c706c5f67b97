import { createHash, createHmac } from 'node:crypto';
import { PipelineError } from '../../kit/index.ts';
import type { Persons, SqlSession } from '../../kit/index.ts';

/**
 * Meters are known by `meter_key`, the first 64 bits of HMAC-SHA256(secret, id): whoever has the tables and not the secret cannot try out ids. The engine
 * computes it, once for each meter of a file.
 */

const BLOCK_BYTES = 64;

/** The key of one meter, as decimal text of an unsigned 64-bit integer. */
export function meterKey(secret: string, id: string): string {
  return createHmac('sha256', secret).update(id).digest().readBigUInt64BE(0).toString();
}

/** A meter stands for the household behind it. Slices know it by its key; ids are in raw files alone. */
export function metersAsPersons(secret: () => Promise<string>): Persons {
  return {
    called: 'meter',
    async keyOf(id) {
      if (id.trim() === '') throw new PipelineError('INPUT_INVALID', 'give the id of a meter, as its files have it');
      return meterKey(await secret(), id.trim());
    },
    keySql: (_part, columns) => (columns.includes('meter_key') ? 'meter_key' : undefined),
  };
}

/**
 * Fills the temporary table `meter_keys` (`meter_id`, `meter_key`) for the ids of a table. The secret is in the text of one statement that cannot fail; no
 * later one, whose text an error might quote, has it.
 * @throws `SRC_SHAPE_CHANGED` when two ids have one key
 */
export async function fillMeterKeys(sql: SqlSession, secret: string, table: string): Promise<void> {
  const raw = Buffer.from(secret, 'utf8');
  const short = raw.length > BLOCK_BYTES ? createHash('sha256').update(raw).digest() : raw;
  const pad = (byte: number): string => {
    const block = Buffer.alloc(BLOCK_BYTES, byte);
    for (const [index, value] of short.entries()) block[index] = value ^ byte;
    return block.toString('hex');
  };
  await sql.run(`CREATE OR REPLACE TEMP TABLE meter_pads AS
    SELECT unhex('${pad(0x36)}') AS inner_pad, unhex('${pad(0x5c)}') AS outer_pad`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE meter_keys AS
    SELECT meter_id, CAST('0x' || substr(sha256(outer_pad || unhex(sha256(inner_pad || encode(meter_id)))), 1, 16) AS UBIGINT) AS meter_key
    FROM (SELECT DISTINCT meter_id FROM ${table} WHERE meter_id IS NOT NULL), meter_pads`);
  await sql.run('DROP TABLE meter_pads');
  const [found] = await sql.rows<{ twins: number }>(
    'SELECT count(*) - count(DISTINCT meter_key) AS twins FROM meter_keys',
  );
  if ((found?.twins ?? 0) === 0) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    'two meters of the file have one key: take another secret and import all files again',
  );
}
