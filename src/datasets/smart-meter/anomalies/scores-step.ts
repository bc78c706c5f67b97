import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { forEachUnit, quoteIdentifier, quoteText, required } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';
import { Forest } from './forest-scores.ts';
import { readModel } from './model.ts';
import type { Model } from './model.ts';

/**
 * `metrics/scores`: how odd the day of each meter is by the model in force, as the mart that the
 * earlier system called `mart_anomaly_scores`. An odd day is a hint of nothing: birthdays are odd
 * too. Suspicions are another table.
 */
export const metricsScores: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => scoresOf(unit, sql)),
};

async function scoresOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const [inForce] = pathsOf(unit, 'model', 'model_before');
  if (inForce === undefined)
    return { scope: unit.scope, outputs: {}, checks: [], facts: { model: null } };
  const [row] = await sql.rows<{ artefact: string }>(
    `SELECT artefact FROM ${parquetOf([inForce])}`,
  );
  const model = readModel(required(row, 'the row of the model').artefact);
  const features = parquetOf(pathsOf(unit, 'features'));
  const scored = await scoreRows(sql, features, model);
  const scores = await copyTable(sql, scoresSql(features, scored, model), `scores-${unit.scope}`);
  const [counted] = await sql.rows<{ odd: number }>(
    `SELECT count(*) FILTER (WHERE is_anomaly_ml) AS odd FROM ${parquetOf([scores.path])}`,
  );
  return {
    scope: unit.scope,
    outputs: { scores },
    checks: [],
    facts: { rows: scores.rows, anomalies: counted?.odd ?? 0, model: model.name },
  };
}

/** Writes one line for each row of the features, in their order. */
async function scoreRows(sql: SqlSession, features: string, model: Model): Promise<string> {
  const [size] = await sql.rows<{ rows: number }>(`SELECT count(*) AS rows FROM ${features}`);
  const rows = size?.rows ?? 0;
  const columns = model.features.map((name) => ({ name, column: new Float32Array(rows) }));
  let at = 0;
  for await (const batch of sql.batches<Record<string, number>>(
    `SELECT ${model.features.map(quoteIdentifier).join(', ')} FROM ${features} ORDER BY meter_key`,
  )) {
    for (const row of batch) {
      for (const { name, column } of columns) column[at] = row[name] ?? 0;
      at += 1;
    }
  }
  const file = path.join(sql.scratch, `scored-${rows}.csv`);
  const stream = createWriteStream(file);
  let text = 'place,score\n';
  for (const [place, score] of new Forest(model.trees)
    .score({ columns: columns.map(({ column }) => column), rows })
    .entries()) {
    text += `${place},${score}\n`;
    if (text.length < 65_536) continue;
    if (!stream.write(text)) await once(stream, 'drain');
    text = '';
  }
  stream.end(text);
  await finished(stream);
  return file;
}

/** A drift is a level that moved by a tenth, beyond the segment. */
const TYPE = `CASE WHEN day_z > 3.5 THEN 'high_consumption' WHEN day_z < -3.5 THEN 'low_consumption'
  WHEN abs(level - 1) > 0.1 THEN 'drift' ELSE 'unusual_pattern' END`;

function scoresSql(features: string, scored: string, { name, threshold, severity }: Model): string {
  const level = Object.entries(severity)
    .reverse()
    .map(([word, least]) => `WHEN score >= ${least} THEN '${word}'`);
  const isOdd = `score > ${threshold}`;
  return `SELECT meter_key, segment, is_labelled AS is_anomaly_labeled, ${isOdd} AS is_anomaly_ml,
    score AS anomaly_score,
      CASE WHEN ${isOdd} THEN ${TYPE} END AS anomaly_type, CASE
        WHEN ${isOdd} THEN CASE ${level.join(' ')} ELSE 'low' END END AS severity,
      ${quoteText(name)} AS model
    FROM (SELECT *, row_number() OVER (ORDER BY meter_key) - 1 AS place FROM ${features})
      JOIN read_csv(${quoteText(scored)}, header = true, columns = {place: 'BIGINT',
      score: 'DOUBLE'}) USING (place)
    ORDER BY meter_key`;
}
