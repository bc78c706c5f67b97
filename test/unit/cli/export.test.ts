import { tableFromIPC } from 'apache-arrow';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportTable } from '../../../src/cli/look/export.ts';
import type { ExportCommand } from '../../../src/cli/look/export.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { cutTable, tablesOf } from '../../../src/engine/look/table-cut.ts';
import { readRowSets } from '../../../src/engine/look/table-rows.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import type { AnswerRow } from '../../../src/pipelines/tables.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { readXlsx } from '../../fixtures/xlsx.ts';

const DATES = datesBetween('2026-04-29', '2026-05-02');
const CITY_DAY = '2026-05-01';
const NOW = new Date('2026-05-20T10:00:00Z');
const RANGE = { from: '2026-04-30', to: '2026-05-01' };

let portal: Portal;
let engine: TestEngine;

beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
  const hosts = {
    odre: host,
    paris: host,
    idfm: host,
    'visual-crossing': host,
    'open-meteo': host,
  };
  const { eco2mix, cityflow } = configuredDatasets(DATASETS, hosts);
  engine = await openTestEngine([eco2mix!, cityflow!], { now: () => NOW });
  await runDays(engine, 'eco2mix', DATES);
  await rollUpDays(engine, 'eco2mix', DATES);
  await runDay({ ...engine, now: () => new Date('2026-05-02T03:00:00Z') }, 'cityflow', CITY_DAY);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await portal.close();
});

const file = (name: string): string => path.join(engine.home, name);

async function run(command: ExportCommand) {
  const context = testContext(engine);
  const code = await exportTable(context, command);
  return { code, ...context.terminal, text: context.terminal.text() };
}

/** The rows as readers of the API get them. */
async function rowsOf(id: string, range = RANGE): Promise<AnswerRow[]> {
  const placed = tablesOf(engine.datasets).get(id)!;
  const cut = await cutTable(engine, new KnownVersions(engine), placed, range);
  const rows: AnswerRow[] = [];
  for await (const set of readRowSets(engine, cut)) rows.push(...set);
  return rows;
}

describe('export', () => {
  it('writes the same rows as CSV, JSON, NDJSON, Parquet and Arrow', async () => {
    const rows = await rowsOf('eco2mix_national');
    expect(rows).toHaveLength(2 * 96);
    for (const format of ['csv', 'json', 'ndjson', 'parquet', 'arrow']) {
      const output = file(`national.${format}`);
      const { code, text } = await run({ table: 'eco2mix_national', ...RANGE, format, output });
      expect([format, code]).toEqual([format, 0]);
      expect(text).toBe(`eco2mix_national 2026-04-30 … 2026-05-01: 192 rows in ${output}`);
    }
    expect(JSON.parse(await readFile(file('national.json'), 'utf8'))).toEqual(rows);
    const lines = (await readFile(file('national.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(rows);
    const arrow = tableFromIPC(await readFile(file('national.arrow')));
    expect([...arrow.getChild('load_mw')!].map(Number)).toEqual(rows.map((row) => row['load_mw']));
    await engine.sql!.session(async (sql) => {
      expect(
        await sql.rows(`SELECT * FROM read_parquet(${quoteText(file('national.parquet'))})`),
      ).toEqual(rows);
      const [csv] = await sql.rows(
        `SELECT count(*) AS rows, sum(load_mw) AS load FROM read_csv(${quoteText(file('national.csv'))})`,
      );
      const load = rows.reduce((sum, row) => sum + Number(row['load_mw']), 0);
      expect(csv).toEqual({ rows: 192, load });
    });
  });

  it('writes a workbook that another reader reads: names first, numbers as numbers, instants as dates', async () => {
    const output = file('load.xlsx');
    await run({ table: 'consommation_puissance', ...RANGE, output });
    const rows = await rowsOf('consommation_puissance');
    const [sheet] = [...(await readXlsx(output)).values()];
    const [head, ...body] = sheet!;
    expect(head!.map((cell) => cell?.value)).toEqual([
      'date_heure (UTC)',
      'consommation_mw',
      'source',
    ]);
    expect(body).toHaveLength(rows.length);
    const dayZero = Date.UTC(1899, 11, 30);
    const read = body.map(([at, load, source]) => ({
      date_heure: new Date(Math.round(dayZero + Number(at!.value) * 86_400_000))
        .toISOString()
        .replace('.000', ''),
      consommation_mw: Number(load!.value),
      source: source!.value,
    }));
    expect(read).toEqual(rows);
    expect(new Set(body.flat().map((cell) => cell!.kind))).toEqual(new Set(['number', 'text']));
  });

  it('takes no text for a formula', async () => {
    const output = file('works.xlsx');
    const { code } = await run({
      table: 'cityflow_works',
      from: CITY_DAY,
      to: CITY_DAY,
      format: 'xlsx',
      output,
    });
    expect(code).toBe(0);
    const cells = [...(await readXlsx(output)).values()].flat(2);
    expect(cells.length).toBeGreaterThan(10);
    expect(cells.filter((cell) => cell?.kind === 'formula')).toEqual([]);
  });

  it('writes every declared table, those of the city too', async () => {
    const tables = tablesOf(engine.datasets);
    for (const [id, { pipeline }] of tables) {
      const range = pipeline === 'cityflow' ? { from: CITY_DAY, to: CITY_DAY } : RANGE;
      const output = file(`all-${id}.parquet`);
      const { values, code } = await run({ table: id, ...range, output });
      expect([id, [0, 3].includes(code)]).toEqual([id, true]);
      expect(values).toMatchObject([
        { table: id, format: 'parquet', rows: (await rowsOf(id, range)).length },
      ]);
    }
    expect(tables.size).toBeGreaterThan(15);
  });

  it('names the file by table and days, and leaves nothing half behind', async () => {
    const before = process.cwd();
    process.chdir(engine.home);
    try {
      await run({ table: 'eco2mix_energies_day', ...RANGE });
      expect(await readFile('eco2mix_energies_day_2026-04-30_2026-05-01.csv', 'utf8')).toMatch(
        /^period,quantity,/,
      );
    } finally {
      process.chdir(before);
    }
    await expect(
      run({ table: 'eco2mix_national', ...RANGE, output: file('no/such/folder.csv') }),
    ).rejects.toThrow();
    expect((await readdir(engine.home)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('says which days are missing, and ends with 3', async () => {
    const output = file('more.csv');
    const { code, notes } = await run({
      table: 'eco2mix_national',
      from: '2026-04-25',
      to: '2026-05-02',
      output,
    });
    expect(code).toBe(3);
    expect(notes).toEqual([
      'without 4 days that could be there: 2026-04-25, 2026-04-26, 2026-04-27, 2026-04-28',
    ]);
  });

  it('writes only the named columns, in their order', async () => {
    const output = file('two.csv');
    await run({ table: 'eco2mix_national', ...RANGE, columns: 'load_mw,instant_at', output });
    expect((await readFile(output, 'utf8')).split('\r\n')[0]).toBe('load_mw,instant_at');
  });

  it('lists the tables when none is named', async () => {
    const { text } = await run({});
    expect(text).toContain('consommation_mensuelle');
    expect(text).toContain('(cityflow)');
  });

  it.each([
    [{ table: 'nothing' }, /no table nothing/],
    [{ table: 'eco2mix_national', format: 'doc' }, /--format takes csv|--format takes json/],
    [{ table: 'eco2mix_national', dialect: 'de' }, /--dialect takes standard, fr/],
    [{ table: 'eco2mix_national', columns: 'load' }, /has no column "load"/],
    [
      { table: 'eco2mix_national', from: '2026-05-02', to: '2026-05-01' },
      /ends .* before it begins/,
    ],
    [{ table: 'eco2mix_national', asOf: 'yesterday' }, /--as-of takes an instant/],
  ])('refuses %j', async (command, message) => {
    await expect(run(command)).rejects.toThrow(message);
  });
});

describe('the tables of the earlier pages', () => {
  it('have its French headers, a decimal comma and a byte order mark', async () => {
    const output = file('mensuelle.csv');
    await run({ table: 'consommation_mensuelle', ...RANGE, dialect: 'fr', output });
    const [head, april, may, end] = (await readFile(output, 'utf8')).split('\r\n');
    expect(head).toBe('\uFEFFannee;annee_mois;consommation_mwh;consommation_couverture');
    const [energy] = (await rowsOf('eco2mix_energies_month')).filter(
      (row) => row['quantity'] === 'consommation',
    );
    const comma = (value: unknown): string => String(value).replace('.', ',');
    expect(april).toBe(
      `2026;2026-04;${comma(energy!['energy_mwh'])};${comma(energy!['coverage'])}`,
    );
    expect(may).toMatch(/^2026;2026-05;\d+(,\d+)?;0,\d+$/);
    expect(end).toBe('');
  });

  it('tell instants as French spreadsheets take them for times, and that they are UTC', async () => {
    const output = file('puissance.csv');
    await run({ table: 'consommation_puissance', ...RANGE, dialect: 'fr', output });
    const [head, first] = (await readFile(output, 'utf8')).split('\r\n');
    expect(head).toBe('\uFEFFdate_heure (UTC);consommation_mw;source');
    const [at] = (await rowsOf('consommation_puissance')).map((row) => String(row['date_heure']));
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/);
    expect(first!.split(';')[0]).toBe(at!.replace('T', ' ').replace('Z', ''));
  });

  it('have sub-sources, and a balance of export minus import', async () => {
    const [production] = await rowsOf('production_annuelle');
    expect(Object.keys(production!).slice(0, 9)).toEqual([
      'annee',
      ...[
        'nucleaire',
        'hydraulique',
        'eolien',
        'solaire',
        'gaz',
        'charbon',
        'fioul',
        'bioenergies',
      ].map((name) => `${name}_mwh`),
    ]);
    expect(production).toHaveProperty('gaz_ccg_mwh');
    const [trade] = await rowsOf('echanges_annuels');
    for (const border of ['angleterre', 'total']) {
      const [bought, sold] = [trade![`${border}_import_mwh`], trade![`${border}_export_mwh`]].map(
        Number,
      );
      expect(trade![`${border}_solde_mwh`]).toBe(sold! - bought!);
    }
  });
});
