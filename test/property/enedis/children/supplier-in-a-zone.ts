import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { c15Xml, r151Xml, r64Json } from '@quotidien/sample-portal/sftp/flux-text';
import { READERS } from '../../../../src/datasets/enedis/flux/readers.ts';
import { readJson } from '../../../../src/datasets/enedis/flux/read-json.ts';
import { readXml } from '../../../../src/datasets/enedis/flux/read-xml.ts';
import { runModel } from '../../../../src/datasets/enedis/model/run-model.ts';
import { createDuckDbEngine } from '../../../../src/storage/sql/duckdb.ts';
import { RANDOM_HORIZON, randomSupplier } from '../../../fixtures/enedis-random.ts';
import { loadSupplier } from '../../../fixtures/enedis-supplier.ts';

/**
 * Prints the host's offset in January 2026, and a hash of what a supplier's files and months are in
 * this process.
 */

const rows = randomSupplier(10, 77);
const place = { archive: 'a.zip', document: 'd' };
const texts = { C15: c15Xml(rows.c15), R151: r151Xml(rows.r151), R64: r64Json(rows.r64) } as const;
const hash = createHash('sha256');

for (const [flux, text] of Object.entries(texts)) {
  const { shape, tables } = READERS[flux as keyof typeof texts];
  const chunks = (async function* () {
    yield await Promise.resolve(Buffer.from(text));
  })();
  if (!('xml' in shape || 'json' in shape))
    throw new Error(`${flux} is no flux of the distributor`);
  const records =
    'xml' in shape ? readXml(chunks, shape.xml, place) : readJson(chunks, shape.json, place);
  for await (const batch of records)
    for (const record of batch) hash.update(JSON.stringify(tables[0]?.linear(record, 'd').rows));
}

const home = await mkdtemp(path.join(tmpdir(), 'enedis-zone-'));
const engine = createDuckDbEngine({ memoryLimitMb: 512, threads: 2, scratchRoot: home });
await engine.session(async (sql) => {
  await loadSupplier(sql, rows);
  await runModel(sql, { horizon: RANDOM_HORIZON });
  for (const table of [
    'releves',
    'echine',
    'abonnements_payes',
    'energies_payees',
    'mois',
    'accise_mois',
  ])
    hash.update(JSON.stringify(await sql.rows(`SELECT * FROM ${table} ORDER BY ALL`)));
});
await engine.close();
await rm(home, { recursive: true, force: true });
process.stdout.write(
  `${new Date('2026-01-15T00:00:00Z').getTimezoneOffset()} ${hash.digest('hex')}\n`,
);
