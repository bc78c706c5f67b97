import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { daily, event } from '@quotidien/sample-portal/sftp/supplier-rows';
import type { LocalArtefact } from '../src/pipelines/dataset.ts';
import { addDays } from '../src/pipelines/civil-date.ts';
import type { SqlEngine, SqlSession } from '../src/ports/sql.ts';
import { columnsOf, makeHistory, previousOf } from '../test/fixtures/enedis-history.ts';
import { loadSupplier } from '../test/fixtures/enedis-supplier.ts';
import { median, report } from './figures.ts';

/**
 * The history of a supplier with daily indexes, from everything and after one late event. The
 * engine's own part, some reads of records, is not in it.
 */

const DAYS = 322;
const TURNS = 3;
const NOTHING_ELSE = { r64: [], depassements: [], c12: [] };

const four = (base: number) => ({ hph: base, hch: base + 7, hpb: base + 11, hcb: base + 3 });

function artefact(scope: string, file: string): LocalArtefact {
  return { scope, path: file, ref: { key: file, sha256: file, bytes: 0, mediaType: '' } };
}

/**
 * One contract, copied in the engine with all its daily indexes; then one change of power that came
 * late.
 */
async function writeSupplier(sql: SqlSession, home: string, points: number) {
  const file = (name: string): string => path.join(home, name);
  const first = event({
    pdl: '1',
    at: '2024-12-15',
    event: 'CFNE',
    fta: 'BTINFCU4',
    after: four(0),
  });
  const indexes = Array.from({ length: DAYS }, (_, day) =>
    daily('1', addDays('2024-12-16', day), four(day * 5)),
  );
  await loadSupplier(sql, { ...NOTHING_ELSE, c15: [first], r151: indexes });
  const place = '1 AS occurrence, 1 AS position';
  for (const [name, flux] of [
    ['c15', 'C15'],
    ['r151', 'R151'],
  ] as const) {
    const columns = columnsOf(flux);
    const own = [
      'CAST(99000000000000 + n AS VARCHAR) AS pdl',
      ...(columns.includes('ref_situation_contractuelle')
        ? [`'R' || n AS ref_situation_contractuelle`]
        : []),
      ...(columns.includes('releve_id') ? ['left(md5(releve_id || n), 16) AS releve_id'] : []),
      ...(flux === 'R151' ? [`'r151-' || date_releve AS document`] : []),
    ];
    await sql.run(`COPY (SELECT * EXCLUDE (n) REPLACE (${own.join(', ')}), ${place} FROM ${name},
      range(${points}) AS r(n))
      TO '${file(name)}' (FORMAT PARQUET, COMPRESSION ZSTD)`);
  }
  const late = event({
    pdl: '99000000000007',
    rsc: 'R7',
    at: '2025-10-16',
    event: 'MDPRM',
    kva: '9',
  });
  await loadSupplier(sql, { ...NOTHING_ELSE, r151: [], c15: [{ ...late, document: 'late' }] });
  await sql.run(`COPY (SELECT *, ${place} FROM c15) TO '${file('late')}' (FORMAT PARQUET)`);
  await writeFile(
    file('archives'),
    `${JSON.stringify({ flux: 'R151', archive_timestamp: '20251101050000' })}\n`,
  );
  const before = {
    c15: [artefact('2024-12', file('c15'))],
    r151: [artefact('2025-10', file('r151'))],
    archives: [artefact('2025-10', file('archives'))],
  };
  return { before, after: { ...before, c15: [...before.c15, artefact('2025-10', file('late'))] } };
}

/** Reports the history from everything, and what one late event costs. */
export async function benchHistory(engine: SqlEngine, home: string, points: number): Promise<void> {
  const { before, after } = await engine.session((sql) => writeSupplier(sql, home, points));
  const seconds: number[] = [];
  await engine.session(async (sql) => {
    const start = performance.now();
    const whole = await makeHistory(sql, before);
    const floor = (performance.now() - start) / 1_000;
    for (let turn = 0; turn < TURNS; turn += 1) {
      const from = performance.now();
      const { told } = await engine.session((other) =>
        makeHistory(other, after, previousOf(whole, after)),
      );
      seconds.push((performance.now() - from) / 1_000);
      const [again] = told.filter((note) => note.endsWith('are made again'));
      if (again?.startsWith('1 of ') !== true)
        throw new Error(`not one contract alone: ${again ?? 'all'}`);
    }
    report({
      name: `one month remade after one late event, ${points} points, ${points * DAYS} readings`,
      value: median(seconds),
      unit: 's',
      floor,
      target: 1,
      note: '1 contract made again; floor: the history from everything',
    });
  });
}
