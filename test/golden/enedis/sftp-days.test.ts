import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY_32 } from '@quotidien/sample-portal/sftp/archive-writer';
import {
  OCTOBER_DAYS,
  OTHER_FILES,
  c15Archive,
  octoberArchives,
  overrunsFile,
  wrongArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { october } from '@quotidien/sample-portal/sftp/october';
import type { Arrival } from '../../../src/engine/sources/arrivals.ts';
import { ARRIVAL_TABLE } from '../../../src/engine/sources/arrivals.ts';
import { readLedger, readReceipts } from '../../../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { objectsWith } from '../../../src/engine/objects-with.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { watchPublisher } from '../../../src/engine/watch/watch-publisher.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import {
  enedisAt,
  fetchedFrom,
  putArchives,
  startDistributor,
} from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let server: SftpServer;
let engine: TestEngine;

beforeEach(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
});

afterEach(async () => {
  await engine.close();
  await server.close();
});

async function journal(part: string): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  const query = { table: ARRIVAL_TABLE, partition: `enedis/${part}` };
  for await (const { body } of engine.documents.query<Arrival>(query)) arrivals.push(body);
  return arrivals;
}

async function report(date: string): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await engine.objects.get(
    `reports/enedis/daily_report_${date}.json`,
  )) ?? [])
    chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

async function totals() {
  const file = (name: string): string =>
    path.join(engine.home, 'store', 'enedis', `${name}.parquet`);
  const [row] = await engine.sql!.session((sql) =>
    sql.rows<Record<string, number>>(
      `SELECT count(*) AS months, sum(energie_base_kwh) AS kwh, sum(turpe_fixe_eur) AS fixe, sum(turpe_variable_eur) AS variable,
         sum(cta_eur) AS cta, (SELECT sum(accise_eur) FROM read_parquet('${file('accise')}') WHERE mois = '2025-10') AS accise
       FROM read_parquet('${file('mois')}') WHERE mois = '2025-10'`,
    ),
  );
  return row;
}

/** The engine, and the prefixes that it asks its objects for. */
function listedBy({ objects, ...others }: TestEngine) {
  const listed: string[] = [];
  const list: ObjectStore['list'] = (prefix) => {
    listed.push(prefix);
    return objects.list(prefix);
  };
  return { listed, listing: { ...others, objects: objectsWith(objects, { list }) } };
}

const OCTOBER = {
  months: 16,
  kwh: 6_210,
  fixe: 253.48,
  variable: 177.14,
  cta: 55.58,
  accise: 168.61,
};
/**
 * Without the hours over the power of one contract, which are in no flux: its variable part (106.96
 * €) is not known.
 */
const WITHOUT_HOURS = { ...OCTOBER, variable: 70.18 };

async function missingHours(): Promise<Record<string, number>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await engine.objects.get('reports/enedis/monthly_report.json')) ?? [])
    chunks.push(chunk);
  const { months } = JSON.parse(Buffer.concat(chunks).toString()) as {
    months: { mois: string; depassements_manquants: number }[];
  };
  return Object.fromEntries(months.map(({ mois, depassements_manquants: count }) => [mois, count]));
}

/** Imports a file as a person does, and makes its days. */
async function give({ name, bytes }: SampleArchive): Promise<string[]> {
  return withFolder(async (folder) => {
    const [outcome] = await importFiles(
      engine,
      'enedis',
      [await put(folder, name, bytes)],
      testControl(),
    );
    if (outcome === undefined || 'code' in outcome) throw new Error(outcome?.message);
    const days = [outcome.recognised.from];
    await runDays(engine, 'enedis', days);
    await rollUpDays(engine, 'enedis', days);
    return days;
  });
}

describe('archives on an SFTP server', () => {
  it('become the months of the contracts, through a journal that fetches each once', async () => {
    await runDays(engine, 'enedis', OCTOBER_DAYS);
    await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
    expect(await totals()).toEqual(WITHOUT_HOURS);
    expect(fetchedFrom(server).sort()).toEqual(
      octoberArchives()
        .map(({ name }) => name)
        .sort(),
    );
    expect((await journal('c15')).map(({ state }) => state)).toEqual(['landed', 'landed']);
    await runDays(engine, 'enedis', OCTOBER_DAYS, { recheck: true });
    expect(fetchedFrom(server)).toHaveLength(5);
    const { days } = await verifyDays(engine, testControl(), {
      pipeline: 'enedis',
      dates: OCTOBER_DAYS,
    });
    expect(days.flatMap(({ steps }) => steps.flatMap(({ findings }) => findings))).toEqual([]);
    expect(days.map(({ result }) => result)).toEqual(['identical', 'identical', 'identical']);
  });

  it('leave days without a file with one receipt for all that follow each other, and each of them with its own slice', async () => {
    const dates = datesBetween('2025-10-01', '2025-10-06');
    const part = (id: string) =>
      enedisAt(server)[0]!.definition.parts.find((candidate) => candidate.id === id)!;
    const receipts = async (id: string) => {
      const range = { first: dates[0]!, last: dates.at(-1)! };
      const found = await readReceipts(engine.documents, 'enedis', part(id), range);
      return found.map(({ days }) => Object.keys(days)).sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
    };
    const emptyDays = ['2025-10-03', '2025-10-04', '2025-10-05', '2025-10-06'];
    const { listed, listing } = listedBy(engine);
    await runDays(listing, 'enedis', dates);
    expect(listed.filter((prefix) => prefix.startsWith('raw/enedis/f15/'))).toEqual([
      'raw/enedis/f15/dt=2025-10-0',
    ]);
    expect(await receipts('f15')).toEqual([dates]);
    expect(await receipts('r151')).toEqual([['2025-10-01'], ['2025-10-02'], emptyDays]);
    const { days } = await verifyDays(engine, testControl(), { pipeline: 'enedis', dates });
    expect(days.flatMap(({ steps }) => steps.flatMap(({ findings }) => findings))).toEqual([]);
    const keys = async () =>
      [...(await readLedger(engine.documents, 'enedis', dates))].map(([date, entries]) => {
        return [
          date,
          entries.filter(({ step }) => step === 'download/r151').map(({ key }) => key),
        ] as const;
      });
    const before = new Map(await keys());
    const late = octoberArchives().find(({ name }) => name.includes('20251002030000'))!;
    putArchives(server, [
      { ...late, name: late.name.replace('00001_Q', '00009_Q').replace('20251002', '20251004') },
    ]);
    await runDays(engine, 'enedis', dates, { recheck: true });
    const after = new Map(await keys());
    expect(dates.filter((date) => after.get(date)!.length > before.get(date)!.length)).toEqual([
      '2025-10-04',
    ]);
  });

  it('have the amounts of October once the billing team gives the hours over the power', async () => {
    await runDays(engine, 'enedis', OCTOBER_DAYS);
    await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
    expect(await missingHours()).toEqual({ '2025-09': 1, '2025-10': 1 });
    const days = await give(overrunsFile());
    expect(days).toEqual(['2025-11-03']);
    expect(await totals()).toEqual(OCTOBER);
    expect(await missingHours()).toEqual({ '2025-09': 1, '2025-10': 0 });
    expect(await report('2025-11-03')).toMatchObject({
      flux: [{ flux: 'DEPASSEMENTS', archives: 1, failed: 0 }],
    });
    // A later file replaces what it names, and says none of everybody else.
    const later =
      'pdl;mois;heures;origine\n99000000000014;2025-10;1,5;facture F12\n*;2025-09;0;portail\n';
    await give({ name: 'depassements_20251104.csv', bytes: Buffer.from(later) });
    expect(await totals()).toEqual({ ...OCTOBER, variable: 170.94 });
    expect(await missingHours()).toEqual({ '2025-09': 0, '2025-10': 0 });
  });

  it('take no hours that nobody could have meant', async () => {
    const wrong = 'pdl;mois;heures;origine\n99000000000014;2025-10;-2;portail\n';
    await give({ name: 'depassements_20251103.csv', bytes: Buffer.from(wrong) });
    const { failures } = (await report('2025-11-03')) as { failures: readonly object[] };
    expect(failures).toMatchObject([{ flux: 'DEPASSEMENTS', cause: 'wrong_row' }]);
  });

  it('are found by a watch when they come late, and change their own day', async () => {
    await runDays(engine, 'enedis', OCTOBER_DAYS);
    expect((await watchPublisher(engine, testControl(), 'enedis')).windows.flat()).toEqual([]);
    const late = c15Archive(2, '20251025050000', october().c15.slice(0, 1));
    putArchives(server, [late]);
    expect((await watchPublisher(engine, testControl(), 'enedis')).windows.flat()).toEqual([
      '2025-10-25',
    ]);
    await runDay(engine, 'enedis', '2025-10-25');
    await runDay(engine, 'enedis', '2025-11-01', { recheck: true });
    expect(await report('2025-10-25')).toMatchObject({
      flux: [{ flux: 'C15', archives: 1, failed: 0 }],
    });
    expect(await report('2025-11-01')).toMatchObject({
      sequences: [{ key: 'C15/GRD-F/0327', gaps: [] }, {}],
    });
    expect((await watchPublisher(engine, testControl(), 'enedis')).windows.flat()).toEqual([]);
  });

  it('that cannot be read are kept, told of, and fetched again until they can', async () => {
    const wrong = wrongArchives();
    putArchives(server, [...Object.values(wrong), ...OTHER_FILES]);
    await runDay(engine, 'enedis', '2025-11-02');
    const failures = (await report('2025-11-02'))['failures'] as {
      cause: string;
      archive: string;
      message: string;
    }[];
    const told = Object.fromEntries(failures.map(({ archive, cause }) => [archive, cause]));
    expect(told).toEqual(
      Object.fromEntries(Object.entries(wrong).map(([cause, { name }]) => [name, cause])),
    );
    for (const { archive, message } of failures) expect(message).toContain(archive);
    const arrivals = (await journal('c15')).filter(({ name }) => name in told);
    expect(arrivals.map(({ state, failure }) => [state, failure?.cause])).toEqual(
      arrivals.map(({ name }) => ['failed', told[name]]),
    );
    let kept = 0;
    for await (const { key } of engine.objects.list('raw/enedis/c15/dt=2025-11-02/'))
      kept += key.length > 0 ? 1 : 0;
    expect(kept).toBe(arrivals.length);
    // Mended by the distributor, under the same name.
    const name = wrong['counter']!.name;
    const mended = { ...c15Archive(8, '20251102050008', october().c15.slice(0, 1)), name };
    putArchives(server, [mended]);
    await runDay(engine, 'enedis', '2025-11-02', { recheck: true });
    const now = (await report('2025-11-02'))['failures'] as { archive: string }[];
    expect(now.map(({ archive }) => archive)).not.toContain(name);
    expect(now).toHaveLength(failures.length - 1);
    expect((await journal('c15')).find((arrival) => arrival.name === name)).toMatchObject({
      state: 'landed',
      earlier: [{ bytes: wrong['counter']!.bytes.byteLength }],
    });
  });

  it('are opened when their key comes, from what is kept and without asking for another day', async () => {
    const [sealed] = octoberArchives();
    const poor = engine.withDatasets(enedisAt(server, [KEY_32]));
    await runDay(poor, 'enedis', '2025-10-21');
    expect(await report('2025-10-21')).toMatchObject({
      failures: [{ cause: 'no_key', archive: sealed!.name }],
    });
    await runDay(engine, 'enedis', '2025-10-21', { recheck: true });
    expect(await report('2025-10-21')).toMatchObject({ failures: [] });
  });

  it('are fetched again after a run that broke off between data and journal', async () => {
    await runDay(engine, 'enedis', '2025-10-21');
    const [arrival] = await journal('c15');
    const before = await report('2025-10-21');
    const key = {
      table: ARRIVAL_TABLE,
      partition: 'enedis/c15',
      sort: `2025-10-21/${arrival!.name}`,
    };
    await engine.documents.delete(key);
    await runDay(engine, 'enedis', '2025-10-21', { recheck: true });
    expect(await report('2025-10-21')).toEqual(before);
    expect(fetchedFrom(server).filter((name) => name === arrival!.name)).toHaveLength(2);
    expect((await journal('c15'))[0]).toMatchObject({ state: 'landed', sha256: arrival!.sha256 });
  });

  it('are all fetched anew when the download is asked for again, and give the same', async () => {
    const first = await runDay(engine, 'enedis', '2025-10-21');
    const again = await runDay(engine, 'enedis', '2025-10-21', { fromStep: 'download' });
    expect(fetchedFrom(server).filter((name) => name.includes('20251021'))).toHaveLength(2);
    expect(again.state['transform/c15']).toMatchObject({
      key: (first.state['transform/c15'] as { key: string }).key,
    });
  });

  it('do not pass the journal when the connection is cut: the next try goes on', async () => {
    server.behave({ kind: 'cut', afterBytes: 1 });
    const broken = await runDay(engine, 'enedis', '2025-10-02');
    expect(broken.outcome.failure ?? broken.state['download/r151']).toMatchObject({
      code: 'SRC_UNAVAILABLE',
    });
    expect(await journal('r151')).toMatchObject([{ state: 'seen' }]);
    await runDay(engine, 'enedis', '2025-10-02');
    expect(await journal('r151')).toMatchObject([{ state: 'landed' }]);
  });
});
