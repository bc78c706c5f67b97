import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeOnRealFiles, realData } from '../../../test/fixtures/real-data.ts';
import { rawGet } from './http-client.ts';
import type { Row } from './portal-client.ts';
import {
  countRuns,
  dataProcessed,
  datasetUrl,
  exportRows,
  exportText,
  exportUrl,
  openPortal,
  TR,
} from './portal-client.ts';

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portal-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

const DECEMBER = "date >= date'2021-12-01' AND date <= date'2021-12-31'";

const REAL_TIME = 'eco2mix/eco2mix-national-tr.csv';

describeOnRealFiles('real files as datasets', [REAL_TIME], () => {
  it('serves the real December 2021 in place of the synthetic dataset, by day and by month', async () => {
    const portal = await openPortal({ folder: path.dirname(realData(REAL_TIME)) });
    const month = await exportRows(portal, TR, DECEMBER);
    const days: Row[] = [];
    for (let day = 1; day <= 31; day++) {
      const rows = await exportRows(
        portal,
        TR,
        `date=date'2021-12-${String(day).padStart(2, '0')}'`,
      );
      expect(rows).toHaveLength(96);
      days.push(...rows);
    }
    expect(month).toHaveLength(2_976);
    expect(days).toHaveLength(2_976);
    expect(countRuns(month)).toBe(6);
    const byInstant = (a: Row, b: Row): number => a['date_heure']!.localeCompare(b['date_heure']!);
    expect(days.sort(byInstant)).toEqual([...month].sort(byInstant));
    expect(await exportRows(portal, TR, "date=date'2022-01-01'")).toEqual([]);
  });

  it('sends the real file byte for byte when nothing is filtered', async () => {
    const file = realData(REAL_TIME);
    const portal = await openPortal({ folder: path.dirname(path.dirname(file)), datasets: [TR] });
    const { body } = await rawGet(exportUrl(portal, TR, undefined, { use_labels: 'true' }));
    expect(body.equals(await readFile(file))).toBe(true);
    const entry = (await (await fetch(datasetUrl(portal, TR))).json()) as {
      metas: { default: { records_count: number } };
      fields: { name: string; type: string }[];
    };
    expect(entry.metas.default.records_count).toBe(2_976);
    expect(entry.fields.slice(3, 6)).toMatchObject([
      { name: 'heure', type: 'text' },
      { name: 'date_heure', type: 'datetime' },
      { name: 'consommation', type: 'int' },
    ]);
  });

  it('selects by instants and prints them in UTC when asked', async () => {
    const portal = await openPortal({ folder: path.dirname(realData(REAL_TIME)) });
    const where =
      "date_heure >= '2021-12-15T00:00:00+01:00' AND date_heure < '2021-12-15T01:00:00+01:00'";
    const rows = (await exportText(portal, TR, where, { timezone: 'UTC' }))
      .trimEnd()
      .split('\n')
      .slice(1);
    expect(rows.map((row) => row.split(';')[4]).sort()).toEqual([
      '2021-12-14T23:00:00+00:00',
      '2021-12-14T23:15:00+00:00',
      '2021-12-14T23:30:00+00:00',
      '2021-12-14T23:45:00+00:00',
    ]);
  });
});

describe('files of any kind', () => {
  it('publishes a file anew when it is replaced', async () => {
    const folder = await folderOf({ 'counts.csv': 'date;n\n2024-01-15;1\n2024-01-16;2\n' });
    const portal = await openPortal({ folder });
    const before = await rawGet(exportUrl(portal, 'counts'));
    expect(
      (await rawGet(exportUrl(portal, 'counts'), { 'if-none-match': before.headers.etag! })).status,
    ).toBe(304);
    expect(await exportRows(portal, 'counts', "date=date'2024-01-16'")).toEqual([
      { date: '2024-01-16', n: '2' },
    ]);
    await writeFile(
      path.join(folder, 'counts.csv'),
      'date;n\n2024-01-15;1\n2024-01-16;3\n2024-01-17;4',
    );
    const after = await rawGet(exportUrl(portal, 'counts'), {
      'if-none-match': before.headers.etag!,
    });
    expect([after.status, after.body.toString()]).toEqual([
      200,
      'date;n\n2024-01-15;1\n2024-01-16;3\n2024-01-17;4\n',
    ]);
    expect(await dataProcessed(portal, 'counts')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/,
    );
  });

  it('reads byte order marks, CRLF, commas and line ends inside quotes, and keeps the bytes of other encodings', async () => {
    const folder = await folderOf({
      'deep/works.csv':
        '\u{FEFF}date,text\r\n2024-01-15,"two\nlines; ""quoted"", really"\r\n2024-01-16,b\r\n',
    });
    await writeFile(
      path.join(folder, 'latin.csv'),
      Buffer.from('date;nom\n2024-01-15;caf\u00e9\n', 'latin1'),
    );
    const portal = await openPortal({ folder });
    const works = await exportText(portal, 'works', "date <= date'2024-01-15'", { delimiter: ',' });
    expect(works).toBe('date,text\r\n2024-01-15,"two\nlines; ""quoted"", really"\r\n');
    expect(await exportText(portal, 'works', "date=date'2024-01-16'")).toBe(
      'date;text\r\n2024-01-16;b\r\n',
    );
    expect(await exportText(portal, 'works', "date=date'2024-01-15'")).toBe(
      'date;text\r\n2024-01-15;"two\nlines; ""quoted"", really"\r\n',
    );
    const latin = await rawGet(exportUrl(portal, 'latin'));
    expect(latin.body).toEqual(Buffer.from('date;nom\n2024-01-15;caf\u00e9\n', 'latin1'));
  });

  it('filters by any column that holds dates and refuses one that is not there', async () => {
    const folder = await folderOf({
      'arcs.csv': 't_1h;q\n2024-01-15 01:00:00;5\n2024-01-16 00:00:00;6\n;7\n',
    });
    const portal = await openPortal({ folder });
    const rows = await exportRows(
      portal,
      'arcs',
      "t_1h > '2024-01-15T00:00:00+01:00' AND t_1h <= date'2024-01-15T23:00Z'",
    );
    expect(rows.map((row) => row['q'])).toEqual(['5', '6']);
    expect((await fetch(exportUrl(portal, 'arcs', "date=date'2024-01-15'"))).status).toBe(400);
  });

  it('pages through records', async () => {
    const folder = await folderOf({
      'n.csv': `date;n\n${Array.from({ length: 250 }, (_, i) => `2024-01-15;${i}`).join('\n')}\n`,
    });
    const portal = await openPortal({ folder });
    const page: unknown = await (
      await fetch(`${datasetUrl(portal, 'n')}/records?limit=2&offset=248`)
    ).json();
    expect(page).toEqual({
      total_count: 250,
      results: [
        { date: '2024-01-15', n: '248' },
        { date: '2024-01-15', n: '249' },
      ],
    });
  });

  it('refuses a folder that is not there, two files of one name, and revisions of a file', async () => {
    await expect(openPortal({ folder: '/nowhere/at/all' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    const folder = await folderOf({ 'a/x.csv': 'date\n', 'b/x.csv': 'date\n' });
    await expect(openPortal({ folder })).rejects.toThrow(/both dataset x/);
    const portal = await openPortal({ folder: path.join(folder, 'a') });
    expect(() => {
      portal.revise({ dataset: 'x', from: '2024-01-15', to: '2024-01-15', salt: 1 });
    }).toThrow(/no revisions/);
  });
});
