import { inputOf, isRecord, parquetSql } from '../../kit/index.ts';
import type { JsonRecord, LocalArtefact, SqlSession, StepUnit } from '../../kit/index.ts';
import type { District } from '../geometry.ts';
import { districtOf } from '../geometry.ts';

/** What the steps of single days share: records of a slice, and the districts. */

/** The records of a JSON part's slice in the order of their keys. */
export async function recordsOf(
  sql: SqlSession,
  slice: LocalArtefact | undefined,
): Promise<JsonRecord[]> {
  if (slice === undefined) return [];
  const rows = await sql.rows<{ record: string }>(`SELECT record FROM ${parquetSql(slice.path)}`);
  return rows.map(({ record }) => JSON.parse(record) as unknown).filter(isRecord);
}

/**
 * The districts of the last slice: the days of a set share them, and parsing the polygons takes
 * longer than using them.
 */
export class DistrictsCache {
  #last: { readonly sha256: string; readonly districts: readonly District[] } | undefined;

  /** Empty where the unit has no districts. */
  async of(sql: SqlSession, unit: StepUnit): Promise<readonly District[]> {
    const slice = inputOf(unit, 'arrondissements');
    if (slice === undefined) return [];
    const { sha256 } = slice.ref;
    if (this.#last?.sha256 === sha256) return this.#last.districts;
    const districts = (await recordsOf(sql, slice)).flatMap((feature) => districtOf(feature) ?? []);
    this.#last = { sha256, districts };
    return districts;
  }
}
