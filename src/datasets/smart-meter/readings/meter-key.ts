import { createHmac } from 'node:crypto';
import { makeKeyedTable, PipelineError } from '../../kit/index.ts';
import type { Persons, SqlSession } from '../../kit/index.ts';

/**
 * Meters are known by `meter_key`, the first 64 bits of HMAC-SHA256(secret, id): whoever has the
 * tables and not the secret cannot try out ids. The engine computes it, once for each meter of a
 * file.
 */

/** The key of one meter, as decimal text of an unsigned 64-bit integer. */
export function meterKey(secret: string, id: string): string {
  return createHmac('sha256', secret).update(id).digest().readBigUInt64BE(0).toString();
}

/**
 * A meter stands for the household behind it. Slices know it by its key; ids are in raw files
 * alone.
 */
export function metersAsPersons(secret: () => Promise<string>): Persons {
  return {
    called: 'meter',
    async keyOf(id) {
      if (id.trim() === '')
        throw new PipelineError('INPUT_INVALID', 'give the id of a meter, as its files have it');
      return meterKey(await secret(), id.trim());
    },
    keySql: (_part, columns) => (columns.includes('meter_key') ? 'meter_key' : undefined),
  };
}

/**
 * Fills the temporary table `meter_keys` (`published_id`, `meter_id` without spaces around it,
 * `meter_key`) for the ids of a table.
 * @throws `SRC_SHAPE_CHANGED` when two ids have one key
 */
export async function fillMeterKeys(sql: SqlSession, secret: string, table: string): Promise<void> {
  await makeKeyedTable(sql, secret, {
    table: 'meter_keys',
    from: `(SELECT DISTINCT meter_id AS published_id, trim(meter_id) AS meter_id
      FROM ${table} WHERE trim(meter_id) <> '')`,
    text: 'meter_id',
    columns: (hmac) =>
      `published_id, meter_id, CAST('0x' || substr(${hmac}, 1, 16) AS UBIGINT) AS meter_key`,
  });
  const [found] = await sql.rows<{ twins: number }>(
    'SELECT count(DISTINCT meter_id) - count(DISTINCT meter_key) AS twins FROM meter_keys',
  );
  if ((found?.twins ?? 0) === 0) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    'two meters of the file have one key: take another secret and import all files again',
  );
}
