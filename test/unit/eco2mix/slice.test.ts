import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { constantRows, portalCsv, portalHeader, portalLine } from './portal-csv.ts';
import type { Runner } from './day-runner.ts';
import { dates, hashOf, rejection } from '../../fixtures/step-runner.ts';
import { openRunner } from './day-runner.ts';

const DAY = '2024-01-15';
const MEASURES = ['consommation', 'nucleaire', 'taux_co2'];
const VALUES = { consommation: 60_000, nucleaire: 40_000, taux_co2: 30 };

let runner: Runner;
beforeAll(async () => {
  runner = await openRunner();
});
afterAll(() => runner.close());

async function sliceText(content: string | Uint8Array, part = 'tr', day = DAY) {
  const path = await runner.file('raw', content);
  const [done] = await runner.slice({ part, path }, [day]);
  return done!;
}

function wholeDay(): string {
  return portalCsv(DAY, constantRows(DAY, 15, VALUES), MEASURES);
}

describe('slice of a portal export', () => {
  it('keeps every row and column as published, as text, in order of time', async () => {
    const rows = constantRows(DAY, 15, VALUES).reverse();
    const done = await sliceText(portalCsv(DAY, rows, [...MEASURES, 'Nouveauté']));
    expect(done.facts).toEqual({
      rows: 96,
      published_columns: 9,
      unknown_columns: ['Nouveauté'],
      duplicates_removed: 0,
    });
    const slice = done.outputs['slice']!;
    const found = await runner.sql((sql) =>
      sql.rows(`SELECT * FROM read_parquet('${slice.path}') LIMIT 2`),
    );
    expect(found[1]).toEqual({
      perimetre: 'France',
      nature: 'Données temps réel',
      date: DAY,
      heure: '00:15',
      date_heure: `${DAY}T00:15:00+01:00`,
      consommation: '60000',
      nucleaire: '40000',
      taux_co2: '30',
      Nouveauté: null,
    });
    const types = await runner.sql((sql) =>
      sql.rows<{ column_type: string }>(`DESCRIBE SELECT * FROM read_parquet('${slice.path}')`),
    );
    expect(new Set(types.map(({ column_type }) => column_type))).toEqual(new Set(['VARCHAR']));
  });

  it('keeps placeholder rows', async () => {
    const rows = [{ quarter: 0, values: {} }, ...constantRows(DAY, 15, VALUES).slice(1)];
    expect((await sliceText(portalCsv(DAY, rows, MEASURES))).facts).toMatchObject({ rows: 96 });
  });

  it('removes exact duplicates and counts them', async () => {
    const rows = constantRows(DAY, 15, VALUES);
    const twice = await sliceText(portalCsv(DAY, [...rows, ...rows.slice(10, 13)], MEASURES));
    expect(twice.facts).toMatchObject({ rows: 96, duplicates_removed: 3 });
    expect(hashOf(twice, 'slice')).toBe(hashOf(await sliceText(wholeDay()), 'slice'));
  });

  it('gives the same bytes for CRLF, a BOM, quotes, another delimiter and a missing last line end', async () => {
    const text = wholeDay();
    const hash = hashOf(await sliceText(text), 'slice');
    const variants = {
      crlf: text.replaceAll('\n', '\r\n'),
      bom: `\u{FEFF}${text}`,
      quoted: text.replaceAll('France', '"France"'),
      comma: text.replaceAll(';', ','),
      open: text.trimEnd(),
      latin1: Buffer.from(text, 'latin1'),
    };
    for (const [name, variant] of Object.entries(variants)) {
      expect(hashOf(await sliceText(variant), 'slice'), name).toBe(hash);
    }
  });

  it('cuts by the day in Paris also when the export is in UTC', async () => {
    const lines = [
      '2024-01-14T22:45:00+00:00',
      '2024-01-14T23:00:00+00:00',
      '2024-01-15T22:45:00Z',
      '2024-01-15T23:00:00Z',
    ];
    const rows = lines.map(
      (time) => `France;Données temps réel;2024-01-15;00:00;${time};60000;40000;30`,
    );
    const done = await sliceText([portalHeader(MEASURES), ...rows, ''].join('\n'));
    expect(done.facts).toMatchObject({ rows: 2 });
  });

  it('has no slice of a day without rows, and none at all of an export with only a header', async () => {
    const [first, second] = await runner.slice(
      { part: 'tr', path: await runner.file('raw', wholeDay()) },
      ['2024-01-14', DAY],
    );
    expect([first!.outputs, first!.facts['rows']]).toEqual([{}, 0]);
    expect(second!.facts['rows']).toBe(96);
    for (const text of [`${portalHeader(MEASURES)}\n`, portalHeader(MEASURES)]) {
      const done = await sliceText(text);
      expect([done.outputs, done.facts['rows']]).toEqual([{}, 0]);
    }
  });

  it('cuts more days than one pass of the engine may write', async () => {
    const days = dates('2024-01-01', '2024-04-30');
    const lines = days.map((day) => portalLine(day, { quarter: 5, values: VALUES }, MEASURES));
    const path = await runner.file(
      'raw',
      [portalHeader(MEASURES), ...lines.reverse(), ''].join('\n'),
    );
    const done = await runner.slice({ part: 'tr', path }, days);
    expect(done).toHaveLength(121);
    expect(
      done.every(({ facts, outputs }) => facts['rows'] === 1 && outputs['slice']!.ref.rows === 1),
    ).toBe(true);
  });
});

describe('slice of what is not a portal export', () => {
  const refused: readonly (readonly [string, string | Uint8Array, string, RegExp])[] = [
    ['an empty file', '', 'SRC_TRUNCATED', /the eCO2mix tr file is empty \(0 bytes\)/],
    ['blank lines', '\n \n', 'SRC_TRUNCATED', /is empty/],
    [
      'a git-LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
      'SRC_SHAPE_CHANGED',
      /git-LFS pointer/,
    ],
    [
      'an HTML page',
      '\n<!DOCTYPE html><html><body>503</body></html>',
      'SRC_SHAPE_CHANGED',
      /HTML or XML page/,
    ],
    [
      'a JSON error',
      '{"error_code":"ODSQLError","message":"no"}',
      'SRC_SHAPE_CHANGED',
      /JSON answer.*ODSQLError/,
    ],
    ['a ZIP archive', Buffer.from('504b03040a', 'hex'), 'SRC_SHAPE_CHANGED', /ZIP archive/],
    [
      'a real Excel workbook',
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      'SRC_SHAPE_CHANGED',
      /real Excel workbook/,
    ],
    ['UTF-16', Buffer.from('perimetre;nature', 'utf16le'), 'SRC_SHAPE_CHANGED', /UTF-16/],
    [
      'a header without load',
      `${portalHeader(['nucleaire'])}\n`,
      'SRC_SHAPE_CHANGED',
      /no column consommation.*"nucleaire"/,
    ],
    [
      'a header without instants',
      'date;heure;consommation\n',
      'SRC_SHAPE_CHANGED',
      /no column date_heure/,
    ],
    [
      'a header that was cut',
      'perimetre;nature;date;heure;date_heure;consom',
      'SRC_TRUNCATED',
      /ends inside its header/,
    ],
    ['another table', 'id;name\n1;x\n', 'SRC_SHAPE_CHANGED', /no column date_heure.*"id", "name"/],
  ];
  it.each(refused)('refuses %s', async (_, content, code, message) => {
    const error = await rejection(sliceText(content));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('refuses a body that was cut inside its last row', async () => {
    const text = wholeDay();
    const error = await rejection(sliceText(text.slice(0, -15)));
    expect(error.code).toBe('SRC_TRUNCATED');
    expect(error.message).toMatch(/its last row has 6 of 8 fields/);
  });

  it('refuses a short row at the end even with its line end, and one in the middle', async () => {
    const lines = wholeDay().trimEnd().split('\n');
    const cut = [...lines.slice(0, -1), lines.at(-1)!.split(';').slice(0, 6).join(';'), ''].join(
      '\n',
    );
    expect((await rejection(sliceText(cut))).code).toBe('SRC_TRUNCATED');
    lines[40] = lines[40]!.split(';').slice(0, 6).join(';');
    expect((await rejection(sliceText([...lines, ''].join('\n')))).code).toBe('SRC_SHAPE_CHANGED');
  });

  it('refuses times that it cannot read, and times without an offset', async () => {
    for (const time of ['yesterday', '', '2024-01-15T00:15:00']) {
      const text = wholeDay().replace(`${DAY}T00:15:00+01:00`, time);
      const error = await rejection(sliceText(text));
      expect(error.code).toBe('SRC_SHAPE_CHANGED');
      expect(error.message).toMatch(
        /1 row whose time cannot be read, such as .* in line \d+, column "/,
      );
    }
  });
});

describe('slice of RTE’s tables', () => {
  const table = [
    'Périmètre\tNature\tDate\tHeures\tConsommation\t Stockage batterie',
    'France\tDonnées consolidées\t2024-01-15\t00:00\t60000\t-1\t',
    'France\tDonnées consolidées\t2024-01-15\t00:15\t\t\t',
    'France\tDonnées consolidées\t2024-01-16\t00:00\t61000\tND\t',
    'RTE ne pourra être tenu responsable de l’usage qui pourrait être fait des données.',
    '',
    '',
  ].join('\n');

  it('reads Latin-1 with a trailing tab and a notice, and keeps the published texts', async () => {
    const bytes = Buffer.from(table.replace('’', "'"), 'latin1');
    const done = await sliceText(bytes, 'rte');
    expect(done.facts).toMatchObject({ rows: 2, published_columns: 6 });
    const rows = await runner.sql((sql) =>
      sql.rows(`SELECT * FROM read_parquet('${done.outputs['slice']!.path}')`),
    );
    expect(rows[0]).toEqual({
      Périmètre: 'France',
      Nature: 'Données consolidées',
      Date: '2024-01-15',
      Heures: '00:00',
      Consommation: '60000',
      ' Stockage batterie': '-1',
    });
  });

  it('refuses a row that was cut, at the end or before it', async () => {
    for (const end of [
      'France\tDonn',
      'Fra',
      'France\tDonnées consolidées\t2024-01-16\t00:15\t6',
    ]) {
      const lines = table.split('\n').slice(0, 4);
      expect((await rejection(sliceText([...lines, end].join('\n'), 'rte'))).code, end).toBe(
        'SRC_TRUNCATED',
      );
    }
    const middle = table.replace('00:15\t\t\t', '00:15\t');
    const error = await rejection(sliceText(middle, 'rte'));
    expect([error.code, error.message]).toEqual([
      'SRC_SHAPE_CHANGED',
      expect.stringMatching(/row of 5 fields under a header of 6/),
    ]);
  });

  it('reads dates in both orders, and refuses what is no date or time', async () => {
    const yearly = 'Date;Heures;Consommation\n15/01/2024;00:00;60000\n15/01/2024;00:15;\n';
    expect((await sliceText(yearly, 'rte-annual')).facts).toMatchObject({
      rows: 2,
      published_columns: 3,
    });
    for (const spoilt of [yearly.replace('15/01', '45/01'), yearly.replace('00:15', '24:15')]) {
      expect((await rejection(sliceText(spoilt, 'rte-annual'))).message).toMatch(
        /1 row whose time cannot be read, such as .* in line \d+, column "/,
      );
    }
  });
});
