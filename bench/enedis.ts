import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SaxesParser } from 'saxes';
import type { ArchiveName } from '../src/datasets/enedis/decode/archive-name.ts';
import { parseArchiveName } from '../src/datasets/enedis/decode/archive-name.ts';
import { decryptTo, findOpening } from '../src/datasets/enedis/decode/decrypt.ts';
import { withDocuments } from '../src/datasets/enedis/decode/unzip.ts';
import { enedisDecoder } from '../src/datasets/enedis/days/decoder.ts';
import { enedis } from '../src/datasets/enedis/index.ts';
import { READERS } from '../src/datasets/enedis/flux/readers.ts';
import { cents, decimal, euros, multiply } from '../src/datasets/enedis/model/exact.ts';
import { calculateTurpe } from '../src/datasets/enedis/model/turpe-calculator.ts';
import { runModel } from '../src/datasets/enedis/model/run-model.ts';
import { emptyTable, PLACE_COLUMNS } from '../src/datasets/enedis/days/tables.ts';
import { addMonths } from '../src/pipelines/civil-date.ts';
import { zonedDay } from '../src/pipelines/zoned-day.ts';
import { createDuckDbEngine } from '../src/storage/sql/duckdb.ts';
import type { SqlEngine, SqlSession } from '../src/ports/sql.ts';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import { KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import { loadSupplier } from '../test/fixtures/enedis-supplier.ts';
import { daily, event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { benchHistory } from './enedis-history.ts';
import { dailyArchive } from './enedis-two-years.ts';
import { benchWhole } from './enedis-whole.ts';
import { median, peakMemoryMb, report } from './figures.ts';
import { ownCpuSeconds } from './process-usage.ts';

/**
 * The distributor's flux at the size of one supplier, and the model at the size of a large one.
 * Archives are generated before anything is timed.
 */

const POINTS = 1_372;
const FILES = 24;
/** Of the floor and of ours, one after the other. */
const TURNS = 3;
const LARGE = 100_000;
const MONTHS = 24;
const LINES = 100_000;
/** What a worker gives the engine unless it is told otherwise (`QUOTIDIEN_SQL_MEMORY_MB`). */
const SQL_MEMORY_MB = 384;

const pdlOf = (index: number): string => String(99_000_000_000_000 + index);
const four = (base: number) => ({ hph: base, hch: base + 7, hpb: base + 11, hcb: base + 3 });

/** Those that `BENCH_PARTS` names, or all. */
const PARTS = process.env['BENCH_PARTS']?.split(',') ?? [
  'tariff',
  'archives',
  'history',
  'whole',
  'model',
];

export async function run(): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'quotidien-bench-enedis-'));
  const engine = createDuckDbEngine({
    memoryLimitMb: SQL_MEMORY_MB,
    threads: 2,
    scratchRoot: path.join(home, 'sql'),
  });
  try {
    if (PARTS.includes('tariff')) benchCalculator();
    if (PARTS.includes('archives')) await engine.session((sql) => benchArchives(home, sql));
    if (PARTS.includes('history')) await benchHistory(engine, home, POINTS);
    if (PARTS.includes('whole')) await benchWhole((archives) => bareSeconds(archives, home));
    if (PARTS.includes('model')) await benchModels(engine);
    report({
      name: 'enedis: process memory peak',
      value: peakMemoryMb(),
      unit: 'MB',
      target: 1_200,
    });
  } finally {
    await engine.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function benchModels(engine: SqlEngine): Promise<void> {
  const small = await engine.session((sql) => benchModel(sql, POINTS));
  const large = await engine.session((sql) => benchModel(sql, LARGE));
  report({
    name: `model: cost per point at ${LARGE}, times that at ${POINTS}`,
    value: large / small,
    unit: 'x',
    target: 1.2,
  });
}

function benchCalculator(): void {
  const lines = Array.from({ length: LINES }, (_, index) => ({
    formule_tarifaire_acheminement: 'BTINFCUST',
    debut: '2025-09-01',
    fin: '2025-10-01',
    puissance_souscrite_kva: '6',
    energie_base_kwh: index,
  }));
  const [yearly, b, c] = [decimal('38.80'), decimal('11.07'), decimal('4.84')];
  const loop = (): string[] =>
    lines.map(({ puissance_souscrite_kva: kva, energie_base_kwh: kwh }) => {
      const power = multiply(b, decimal(kva));
      const fixed = {
        numerator: power.numerator + yearly.numerator,
        denominator: power.denominator,
      };
      const days = { numerator: 30n, denominator: 365n };
      return `${euros(cents(multiply(fixed, days)))} ${euros(cents(multiply(multiply(decimal(String(kwh)), c), { numerator: 1n, denominator: 100n })))}`;
    });
  loop();
  const [floor] = timed(loop);
  lines.map(calculateTurpe);
  const [value] = timed(() => lines.map(calculateTurpe));
  report({
    name: `TURPE of ${LINES} lines`,
    value,
    unit: 's',
    floor,
    target: 2,
    bounds: 'ratio',
    note: 'floor: bare loop, same decimals',
  });
}

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const start = ownCpuSeconds();
  await work();
  return ownCpuSeconds() - start;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function timed<T>(work: () => T): [number, T] {
  const start = performance.now();
  const result = work();
  return [(performance.now() - start) / 1_000, result];
}

interface Archive {
  readonly path: string;
  readonly name: ArchiveName;
  readonly sha256: string;
  readonly bytes: number;
}

async function makeArchives(home: string): Promise<{ archives: Archive[]; megabytes: number }> {
  const archives: Archive[] = [];
  let xmlBytes = 0;
  const stays = Array.from({ length: POINTS }, (_, index) => ({
    pdl: pdlOf(index),
    from: 0,
    to: FILES,
  }));
  for (let day = 1; day <= FILES; day += 1) {
    const made = dailyArchive(stays, day);
    xmlBytes += made.xmlBytes;
    const archive = path.join(home, made.name);
    await writeFile(archive, made.bytes);
    const sha256 = createHash('sha256').update(made.bytes).digest('hex');
    archives.push({
      path: archive,
      name: parseArchiveName(archive) as ArchiveName,
      sha256,
      bytes: made.bytes.length,
    });
  }
  return { archives, megabytes: xmlBytes / 1e6 };
}

async function benchArchives(home: string, sql: SqlSession): Promise<void> {
  const { archives, megabytes } = await makeArchives(home);
  const floors: number[] = [];
  const ours: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    floors.push(
      await cpuSeconds(async () => {
        for (const archive of archives) await readBare(archive, home);
      }),
    );
    ours.push(
      await cpuSeconds(async () => {
        for (const [index, archive] of archives.entries())
          await makeDay(sql, await decode(archive, home, `${turn}-${index}`), archive.name.date);
      }),
    );
  }
  const [floor, value] = [median(floors), median(ours)];
  const readings = POINTS * FILES;
  report({
    name: `${FILES} R151 archives, ${readings} readings: to linear tables`,
    value,
    unit: 'CPU s',
    floor,
    target: 2.5,
    bounds: 'ratio',
    note: `${megabytes.toFixed(0)} MB of XML; floor: decrypt, unzip, saxes without handlers`,
  });
  report({ name: 'one R151 archive', value: value / FILES, unit: 'CPU s', target: 0.5 });
  report({
    name: 'readings a second of CPU to linear tables',
    value: readings / value,
    unit: '/s',
    target: 442_000 / 13,
    more: true,
  });
}

async function decode(
  { path: file, name, sha256, bytes }: Archive,
  home: string,
  place: string,
): Promise<string> {
  const target = path.join(home, place);
  // oxlint-disable-next-line typescript/require-await -- stands for files that are unsealed one by one
  async function* files() {
    yield { name: name.name, path: file, sha256, bytes };
  }
  const { signal } = new AbortController();
  const progress = (): void => undefined;
  await enedisDecoder.decode({
    ...{ part: 'r151', files: files(), keys: keysText([KEY_32]) },
    ...{ target, scratch: home, progress, signal },
  });
  return target;
}

/**
 * Processor seconds of archives that are opened, unpacked and read by a parser without handlers.
 */
async function bareSeconds(archives: readonly SampleArchive[], home: string): Promise<number> {
  let sum = 0;
  for (const { name, bytes } of archives) {
    const file = path.join(home, name);
    await writeFile(file, bytes);
    sum += await cpuSeconds(() =>
      readBare({ path: file, name: parseArchiveName(file) as ArchiveName }, home),
    );
    await rm(file);
  }
  return sum;
}

async function readBare(
  { path: file, name }: Pick<Archive, 'path' | 'name'>,
  home: string,
): Promise<void> {
  const opening = await findOpening(file, name.name, [KEY_32]);
  const plain = path.join(home, 'bare.zip');
  if (opening.kind === 'sealed') await decryptTo(file, opening, plain);
  await withDocuments(plain, name.name, async ([document]) => {
    const parser = new SaxesParser();
    const decoder = new TextDecoder();
    for await (const chunk of document!.read())
      parser.write(decoder.decode(chunk, { stream: true }));
    parser.close();
  });
}

async function makeDay(sql: SqlSession, piece: string, date: string): Promise<void> {
  const progress = (): void => undefined;
  const day = zonedDay(date, 'Europe/Paris');
  const raw = { path: piece, sha256: '', bytes: 0 };
  const [sliced] = await enedis.slice({ part: 'r151', raw, days: [day], progress }, sql);
  const slice = sliced !== undefined && 'outputs' in sliced ? sliced.outputs['slice'] : undefined;
  if (slice === undefined || !('path' in slice)) throw new Error('no slice');
  const ref = { key: '', sha256: '', bytes: 0, mediaType: '' };
  const units = [{ scope: date, day, inputs: { slice: [{ scope: date, path: slice.path, ref }] } }];
  const step = enedis.steps['transform/r151'];
  if (step?.kind !== 'sql') throw new Error('no step');
  await step.run(
    { step: 'transform/r151', params: {}, units, progress, signal: new AbortController().signal },
    sql,
  );
}

/** Seconds per point of the whole model over two years of monthly readings. */
async function benchModel(sql: SqlSession, points: number): Promise<number> {
  // One contract with all its readings, copied in the engine: a large supplier is not generated row
  // by row.
  const months = Array.from({ length: MONTHS }, (_, index) => `${addMonths('2024-01', index)}-01`);
  await loadSupplier(sql, {
    c15: [event({ pdl: '1', at: '2023-12-15', event: 'CFNE', fta: 'BTINFCU4', after: four(0) })],
    r151: months.map((month, index) => daily('1', month, four(index * 90))),
    r64: [],
    depassements: [],
    c12: [],
  });
  for (const table of ['c15', 'r151']) {
    const columns = Object.keys(READERS[table === 'c15' ? 'C15' : 'R151'].tables[0]!.columns);
    const rsc = columns.includes('ref_situation_contractuelle')
      ? `, 'R' || n AS ref_situation_contractuelle`
      : '';
    const id = columns.includes('releve_id') ? `, releve_id || n AS releve_id` : '';
    await sql.run(
      `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * REPLACE
        (CAST(99000000000000 + n AS VARCHAR) AS pdl${rsc}${id}) FROM ${table},
        range(${points}) AS r(n)`,
    );
  }
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE r64 AS SELECT * FROM ${emptyTable({ ...READERS.R64.tables[0]!.columns, ...PLACE_COLUMNS })}`,
  );
  const value = await seconds(() => runModel(sql, { horizon: '2026-01-01' }));
  const [made] = await sql.rows<{ months: number }>('SELECT count(*) AS months FROM mois');
  report({
    name: `model of ${points} points, ${MONTHS} months`,
    value,
    unit: 's',
    note: `${made!.months} months`,
  });
  return value / points;
}
