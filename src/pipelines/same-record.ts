import type { JsonObject } from '../ports/json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { LEDGER_TABLE } from './ledger.ts';
import { MANIFEST_TABLE } from './manifest.ts';

/** The members that say what a record is about; who wrote it and when does not count. */
const TELLING: Readonly<Record<string, readonly string[]>> = {
  [LEDGER_TABLE]: ['key', 'outputs', 'checks', 'facts'],
  [MANIFEST_TABLE]: ['verdict', 'steps', 'facts'],
};

/**
 * Whether two records of one name say the same although two hosts wrote them: a step that was
 * executed twice with equal outputs, a day that was committed twice from equal steps. Records of
 * other tables are the same when they are equal.
 */
export function sameRecord(table: string, ours: JsonObject, theirs: JsonObject): boolean {
  const told = (record: JsonObject): JsonObject => {
    const names = TELLING[table] ?? Object.keys(record);
    return Object.fromEntries(names.map((name) => [name, record[name] ?? null]));
  };
  return canonicalJson(told(ours)) === canonicalJson(told(theirs));
}
