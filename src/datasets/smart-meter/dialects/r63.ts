import { PipelineError, quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { Dialect } from './dialect.ts';
import { minutesSql, publishedRows, revisionSql } from './dialect.ts';
import { columnSql, csvRows, hasColumn, headerOf } from './csv.ts';

/**
 * Load curves of the distributor, R63: the END of each interval, local or with offset; active power
 * `PA` in W or energy `EA` in Wh; consumption and production in one file, in any order.
 */

const ZONE = `'Europe/Paris'`;
const SHAPE = { delimiter: ';', skip: 0 } as const;

function channelSql(quantity: string): string {
  return `CASE upper(coalesce(${quantity}, 'CONS')) WHEN 'PROD' THEN 'export' ELSE 'import' END`;
}

/**
 * Nature of the value: B measured, E estimated, C corrected; anything else is taken as measured.
 */
function natureSql(nature: string): string {
  return `CASE upper(coalesce(${nature}, 'B')) WHEN 'E' THEN 'E' WHEN 'C' THEN 'C' WHEN 'H' THEN 'E'
    WHEN 'K' THEN 'C' ELSE 'A' END`;
}

function otherQuantitySql(quantity: string): string {
  return `CASE WHEN ${quantity} IS NOT NULL
    AND upper(${quantity}) NOT IN ('PA', 'EA') THEN 'other_quantity' END`;
}

/**
 * Ids that a spreadsheet rounded are refused with `SRC_SHAPE_CHANGED`: the meters cannot be told.
 */
export const r63Csv: Dialect = {
  id: 'r63-csv',
  title: 'load curves of the distributor (R63, CSV)',
  matches: ({ lines }) =>
    hasColumn(lines[0].split(';'), 'Identifiant PRM') && /;Horodate;Valeur;/i.test(lines[0]),
  async open(head, sql) {
    const names = headerOf(head, SHAPE);
    const of = (name: string): string => columnSql(names, name);
    const rows = csvRows(head.path, names, SHAPE);
    await refuseRoundedIds(sql, of('Identifiant PRM'), rows);
    const select = publishedRows(
      {
        line: 'line',
        meter_id: of('Identifiant PRM'),
        channel: channelSql(of('Grandeur métier')),
        stamp: of('Horodate'),
        is_end: 'true',
        zone: ZONE,
        value: `replace(${of('Valeur')}, ',', '.')`,
        unit: `coalesce(${of('Unité')}, CASE ${of('Grandeur physique')} WHEN 'EA' THEN 'Wh'
          ELSE 'W' END)`,
        step_min: minutesSql(of('Pas')),
        quality: natureSql(of('Nature')),
        revision: revisionSql(of('Etape métier')),
        refused: otherQuantitySql(of('Grandeur physique')),
      },
      rows,
    );
    return { select, extension: 'csv', mediaType: 'text/csv' };
  },
};

/** A spreadsheet makes `1,9E+13` of an id: which meter it was cannot be known any more. */
async function refuseRoundedIds(sql: SqlSession, id: string, rows: string): Promise<void> {
  const [found] = await sql.rows<{ rounded: number }>(
    `SELECT count(*) AS rounded FROM ${rows} WHERE regexp_matches(${id},
      '^[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+$')`,
  );
  if ((found?.rounded ?? 0) === 0) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `the ids of ${found?.rounded ?? 0} rows are in scientific notation, as a spreadsheet writes long numbers: the meters cannot be told; ` +
      'export the file again and open it in no spreadsheet',
  );
}

/** One row a point; a file is one JSON document of at most 64 MiB. */
export const r63Json: Dialect = {
  id: 'r63-json',
  title: 'load curves of the distributor (R63, JSON)',
  matches: ({ text }) =>
    /^\s*\{/.test(text) && /"grandeur"\s*:/.test(text) && /"points"\s*:/.test(text),
  open(head) {
    const from = `(
      WITH document AS (SELECT json FROM read_json_objects(${quoteText(head.path)},
        maximum_object_size = 67108864)),
        measures AS (SELECT coalesce(json->'header', '{}'::JSON) AS h,
          unnest(CAST(json->'mesures' AS JSON[])) AS m FROM document),
        quantities AS (SELECT h, m, unnest(CAST(m->'grandeur' AS JSON[])) AS g FROM measures),
        points AS (SELECT h, m, g, unnest(CAST(g->'points' AS JSON[])) AS p FROM quantities)
      SELECT *, row_number() OVER () AS line FROM points)`;
    const select = publishedRows(
      {
        line: 'line',
        meter_id: `coalesce(m->>'idPrm', m->>'prm')`,
        channel: channelSql(`(g->>'grandeurMetier')`),
        stamp: `(p->>'d')`,
        is_end: 'true',
        zone: ZONE,
        value: `(p->>'v')`,
        unit: `coalesce(g->>'unite', CASE g->>'grandeurPhysique' WHEN 'EA' THEN 'Wh' ELSE 'W' END)`,
        step_min: minutesSql(`(p->>'p')`),
        quality: natureSql(`(p->>'n')`),
        revision: revisionSql(`coalesce(g->>'etapeMetier', m->>'etapeMetier')`),
        file_time: `coalesce(h->>'dateHeureFichier', h->>'dateGeneration', h->>'horodateFichier')`,
        refused: otherQuantitySql(`(g->>'grandeurPhysique')`),
      },
      from,
    );
    return Promise.resolve({ select, extension: 'json', mediaType: 'application/json' });
  },
};
