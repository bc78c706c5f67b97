import { sha256Hex } from '../../canonical-json.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { JsonObject } from '../../ports/json.ts';
import { errorCodeOf } from '../../errors.ts';
import type { Engine } from '../engine.ts';

/**
 * Removes a row that cannot be read. What can be got of it is kept as an object first:
 * `aside/<table>/…`. Returns the key of that.
 */
export async function setAside(
  { documents, objects, now }: Pick<Engine, 'documents' | 'objects' | 'now'>,
  row: UnreadableRow,
): Promise<string> {
  const { table, partition, sort, why } = row;
  const key = { table, partition, sort };
  const kept = {
    ...key,
    why,
    setAsideAt: now().toISOString(),
    body: await bodyOf({ documents }, key),
  };
  const name = `aside/${table}/${sha256Hex(JSON.stringify([partition, sort, kept.setAsideAt]))}.json`;
  await objects.put(name, Buffer.from(JSON.stringify(kept)), {
    mediaType: 'application/json',
    mode: 'replace',
  });
  await documents.delete(key);
  return name;
}

/** Null where the store itself cannot make anything of it. */
async function bodyOf(
  { documents }: Pick<Engine, 'documents'>,
  key: Pick<UnreadableRow, 'table' | 'partition' | 'sort'>,
): Promise<JsonObject | null> {
  try {
    return (await documents.get(key))?.body ?? null;
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return null;
  }
}
