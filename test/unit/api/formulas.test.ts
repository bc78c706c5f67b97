import { tableFromIPC } from 'apache-arrow';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { quoteText } from '../../../src/pipelines/sql-text.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { randomDataset, randomTables } from '../../fixtures/random-tables.ts';
import type { RandomRow } from '../../fixtures/random-tables.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { readXlsx } from '../../fixtures/xlsx.ts';

const DAY = '2024-03-30';
/** Texts of a publisher, with what CSV has for each. */
const TEXTS: Readonly<Record<string, string>> = {
  '=HYPERLINK("http://evil.example";"click")': `"'=HYPERLINK(""http://evil.example"";""click"")"`,
  '+33 1 23 45 67 89': `'+33 1 23 45 67 89`,
  '-2+3': `'-2+3`,
  '@SUM(A1:A9)': `'@SUM(A1:A9)`,
  '\t=1': `'\t=1`,
  '\r=1': `"'\r=1"`,
  '\n=1': `"'\n=1"`,
  '＝1+1': `'＝1+1`,
  "'=1": `''=1`,
  "'tis plain": `'tis plain`,
  'plain = text': 'plain = text',
};

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const midnight = BigInt(Date.parse(`${DAY}T00:00:00Z`)) * 1_000n;
  const rows = Object.keys(TEXTS).map((words, index): RandomRow => {
    const at = midnight + BigInt(index) * 60_000_000n;
    return {
      at,
      until: null,
      day: null,
      name: null,
      words,
      count: -1n - 2n ** 53n,
      level: -0.5,
      is_real: null,
    };
  });
  engine = await openTestEngine([
    randomDataset('formulas', new Map([['formulas', new Map([[DAY, rows]])]])),
  ]);
  await runDay(engine, 'formulas', DAY);
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function file(
  format: string,
  columns = 'words',
): Promise<{ body: string; rawPayload: Buffer }> {
  const url = `/api/v1/tables/${randomTables('formulas').timed}/file.${format}`;
  const separator = format.includes('?') ? '&' : '?';
  const answer = await api.inject({
    url: `${url}${separator}from=${DAY}&to=${DAY}&columns=${columns}`,
    headers: { host: '127.0.0.1' },
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer;
}

describe('texts that begin like a formula', () => {
  it('are inert in CSV, and told apart from those that begin with an apostrophe', async () => {
    const lines = Object.values(TEXTS);
    expect((await file('csv')).body).toBe(['words', ...lines, ''].join('\r\n'));
    // What has a semicolon is quoted already.
    expect((await file('csv?dialect=fr')).body).toBe(['\uFEFFwords', ...lines, ''].join('\r\n'));
  });

  it('are not repeated: a column is asked for once', async () => {
    const url = `/api/v1/tables/${randomTables('formulas').timed}/file.parquet?from=${DAY}&to=${DAY}&columns=words,words`;
    const { statusCode, body } = await api.inject({ url, headers: { host: '127.0.0.1' } });
    expect([statusCode, body.includes('twice')]).toEqual([400, true]);
  });

  it('are no matter of numbers, however long', async () => {
    expect((await file('csv', 'count,level')).body.split('\r\n')[1]).toBe('-9007199254740993,-0.5');
  });

  it('are as they are in JSON, Parquet, Arrow and workbooks', async () => {
    const texts = Object.keys(TEXTS);
    const json = JSON.parse((await file('json')).body) as { words: string }[];
    expect(json.map(({ words }) => words)).toEqual(texts);
    const arrow = tableFromIPC((await file('arrow')).rawPayload);
    expect([...arrow.getChild('words')!]).toEqual(texts);
    const parquet = path.join(engine.home, 'formulas.parquet');
    await writeFile(parquet, (await file('parquet')).rawPayload);
    const read = `SELECT words FROM read_parquet(${quoteText(parquet)})`;
    const rows = await engine.sql!.session((sql) => sql.rows<{ words: string }>(read));
    expect(rows.map(({ words }) => words)).toEqual(texts);
    const workbook = path.join(engine.home, 'formulas.xlsx');
    await writeFile(workbook, (await file('xlsx')).rawPayload);
    const [sheet] = (await readXlsx(workbook)).values();
    expect(sheet!.slice(1)).toEqual(texts.map((value) => [{ kind: 'text', value }]));
  });
});
