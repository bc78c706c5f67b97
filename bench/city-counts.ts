import { access, open } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';

/**
 * Road counts as the portal exports them, made by DuckDB: shuffled, with gaps, nulls, duplicates
 * and both offsets, as many rows as wanted.
 */

/** So many that 396 days have about the 20 million rows of the publisher’s own file. */
export const BENCH_ARCS = 2_330;
/** Days are counted from here. */
export const FIRST_DAY = '2024-01-01';

const SHAPE = `'{"coordinates": [[' || lon || ', ' || lat || '], [' || (lon + 0.0014) || ', ' || (lat - 0.0011) || ']], "type": "LineString"}'`;

/** SQL of hash noise in [0, 1) of a row. */
function noise(salt: number): string {
  return `(hash(cell, ${salt}) % 1000003) / 1000003.0`;
}

/**
 * Writes days × 24 × 2,330 rows less 9 % gaps, 0.2 % of them twice: 396 days are 20.2 million rows,
 * 6 GB. The order is a permutation without any sorting: row i is cell i × p mod n.
 */
export async function writeCounts(file: string, days: number, arcs = BENCH_ARCS): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const cells = days * 24 * arcs;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '1024MiB',
    threads: '2',
  });
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = 'UTC'; SET preserve_insertion_order = false`);
  await connection.run(`CREATE TABLE arcs AS SELECT range AS arc,
    (range * 7919 % 10000) / 10000.0 * 0.16 + 2.25 AS lon,
      (range * 104729 % 10000) / 10000.0 * 0.08 + 48.82 AS lat FROM range(${arcs})`);
  await connection.run(`CREATE TABLE shapes AS SELECT arc,
    'Avenue_${'x'.repeat(6)}_' || arc AS label, lat || ', ' || lon AS point,
      ${SHAPE} AS shape FROM arcs`);
  // Time is made for every hour once: calendars are slow, and 20 million rows share some 9,500
  // hours.
  await connection.run(`CREATE TABLE hours AS SELECT range AS hour,
      strftime(timezone('Europe/Paris', ends), '%Y-%m-%dT%H:%M:%S') ||
        CASE WHEN epoch(timezone('Europe/Paris', ends)::TIMESTAMPTZ)
          - epoch(ends) > 3600 THEN '+02:00' ELSE '+01:00' END AS text
    FROM (SELECT range, TIMESTAMPTZ '${FIRST_DAY} 00:00:00+01' + to_hours(range + 1) AS ends
      FROM range(${days * 24}))`);
  const k = `round(${noise(2)} * ${noise(2)} * 85, 5)`;
  await connection.run(`COPY (
    WITH cells AS (SELECT (range * 1000003) % ${cells} AS cell FROM range(${cells})),
      kept AS (SELECT cell, cell % ${arcs} AS arc, cell // ${arcs} AS hour FROM cells
        WHERE ${noise(1)} > 0.09),
      doubled AS (SELECT * FROM kept UNION ALL SELECT * FROM kept WHERE ${noise(7)} < 0.002)
    SELECT arc + 1000 AS "Identifiant arc", label AS "Libelle", text AS "Date et heure de comptage",
      CASE WHEN ${noise(3)} > 0.05 THEN round(floor(${noise(4)} * 1800), 1) END AS "Débit horaire",
      CASE WHEN ${noise(5)} > 0.04 THEN ${k} END AS "Taux d'occupation",
      CASE WHEN ${noise(5)} <= 0.04 THEN 'Inconnu' WHEN ${k} < 15 THEN 'Fluide'
        WHEN ${k} < 30 THEN 'Pré-saturé'
        WHEN ${k} < 50 THEN 'Saturé' ELSE 'Bloqué' END AS "Etat trafic",
      arc * 2 AS "Identifiant noeud amont", label || '-Amont' AS "Libelle noeud amont",
      arc * 2 + 1 AS "Identifiant noeud aval",
      label || '-Aval' AS "Libelle noeud aval", 'Invalide' AS "Etat arc",
      '1996-10-10' AS "Date debut dispo data",
      '2023-01-01' AS "Date fin dispo data", point AS geo_point_2d, shape AS geo_shape
    FROM doubled JOIN shapes USING (arc) JOIN hours USING (hour)) TO '${file}'
      (FORMAT CSV, DELIMITER ';', HEADER)`);
  connection.closeSync();
  instance.closeSync();
  // Gigabytes that still go to the disk would take their time from what is measured next.
  const written = await open(file, 'r+');
  await written.sync();
  await written.close();
}
