import { forEachUnit, judgeUnits, required } from '../../kit/index.ts';
import type {
  CheckDefinition,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';
import { promotionOf, readModel } from './model.ts';

/**
 * `metrics/model`: on the day of a new model, whether it comes into force. Where the rule says
 * neither yes nor no a person is asked, and the model before stays in force meanwhile. A refused
 * model leaves no output, so that nothing reads it.
 */
export const MODEL_CHECK: CheckDefinition = {
  id: 'clear-promotion',
  title: 'the rule says whether a new model comes into force',
  severity: 'hold',
  perUnit: true,
  unitClass: 'open',
};

/** Days read the newest output of the days before. */
export const metricsModel: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => promotedOn(unit, sql)),
};

async function promotedOn(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const from = parquetOf(pathsOf(unit, 'model'));
  const [row] = await sql.rows<{ artefact: string }>(`SELECT artefact FROM ${from}`);
  const model = readModel(required(row, 'the row of the model').artefact);
  const { verdict, reason } = promotionOf(model);
  const { result, leftOut } = judgeUnits(MODEL_CHECK, {
    tested: 1,
    failing:
      verdict === 'unclear' ? [{ unit: model.name, row: { model: model.name, reason } }] : [],
    decided: unit.decided,
  });
  const isInForce = verdict !== 'refused' && leftOut.length === 0;
  const outputs = isInForce
    ? { model: await copyTable(sql, `SELECT * FROM ${from} ORDER BY name`, `model-${unit.scope}`) }
    : {};
  return {
    scope: unit.scope,
    outputs,
    checks: [result],
    facts: { model: model.name, verdict, reason },
  };
}
