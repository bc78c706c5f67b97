import { sha256Hex } from '../canonical-json.ts';

/**
 * Shards: the fixed share of a data day that one piece of work handles. A unit (a meter, a
 * contract) belongs to one shard of every day, by the hash of its id, so that a corrected unit
 * changes one shard and no other. Pure; `shardSql` of the kit computes the same in SQL.
 *
 * The text form of a name with a shard is `<name>.07-of-16`, counted from 1, as wide as the last:
 * of a step (`transform/readings.07-of-16`), of an output (`slice.07-of-16`) and of a scope
 * (`2024-01-15.07-of-16`).
 */
export interface Shard {
  /** From 1 to `of`. */
  readonly index: number;
  readonly of: number;
}

/** `definePipeline` refuses more. */
export const MAX_SHARDS = 256;

const SHARD = /^(.+)\.(\d{2,})-of-(\d{2,})$/;

/** `07-of-16` */
export function shardText({ index, of }: Shard): string {
  const digits = Math.max(2, String(of).length);
  return `${String(index).padStart(digits, '0')}-of-${String(of).padStart(digits, '0')}`;
}

/** The name of a shard's own step, output or scope. */
export function shardName<T extends string>(name: T, shard: Shard): `${T}.${string}` {
  return `${name}.${shardText(shard)}`;
}

/** A name without its shard, and the shard; a name that has none comes back as it is. */
export function splitShard<T extends string>(
  name: T,
): { readonly name: T; readonly shard?: Shard } {
  const [, plain, index, of] = SHARD.exec(name) ?? [];
  if (plain === undefined) return { name };
  return { name: plain as T, shard: { index: Number(index), of: Number(of) } };
}

/** A name without its shard. */
export function unsharded<T extends string>(name: T): T {
  return splitShard(name).name;
}

/** All shards of so many, ascending. */
export function shardsOf(of: number): Shard[] {
  return Array.from({ length: of }, (_, index) => ({ index: index + 1, of }));
}

/** Hex digits of the hash that count: 32 bits, so that every language can divide them exactly. */
const DIGITS = 8;

/**
 * The shard of a unit: the first 32 bits of the sha256 of its id in UTF-8, modulo the number of
 * shards. The id is text, its leading zeros count.
 */
export function shardOf(unit: string, of: number): Shard {
  return { index: (Number.parseInt(sha256Hex(unit).slice(0, DIGITS), 16) % of) + 1, of };
}

/**
 * The same as SQL for the embedded engine: the index of the shard, from 1, of an expression that
 * gives the unit's id as text.
 */
export function shardSql(unit: string, of: number): string {
  return `(CAST('0x' || left(sha256(${unit}), ${DIGITS}) AS UBIGINT) % ${of} + 1)`;
}
