import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { forEachUnit, utf8 } from '../../kit/index.ts';
import type {
  CivilDate,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { billingTables } from '../billing/billing.ts';
import { copyRows } from '../days/tables.ts';
import { FLUX } from '../decode/archive-name.ts';
import { LINES_PART } from '../lines/part.ts';
import { freezeMonths } from '../model/frozen.ts';
import { INVOICE_CHECK } from '../model/invoice-check.ts';
import { horizonOf, runModel } from '../model/run-model.ts';
import type { ArchiveLine } from '../report/model.ts';
import { madeUpFlux } from '../report/model.ts';
import { monthlyFiles } from '../report/monthly-files.ts';
import { nameReviewed, reviewFiles, reviewOf } from '../report/review.ts';
import type { FormulaTotals, MonthlyReport, MonthTotals } from '../report/monthly-page.tsx';
import { estimateMonths } from './estimate-months.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { judgeMonths } from './judge-months.ts';
import { settleSmoothed } from './settle-smoothed.ts';
import { pathsOf } from './month.ts';
import { findTouched, readPoints, viewDeliveries } from './touched-points.ts';
import { joinUnchanged, otherMonths, withUnchanged } from './unchanged-points.ts';

/**
 * `rollup/history`: readings, spines, periods and months of every contract from all deliveries, in
 * one pass. The horizon is the newest first of a month that deliveries reach, or the one of the
 * step's parameters when that is earlier. Where the newest version can be gone on from, points of
 * which nothing changed keep their rows.
 *
 * @param secret that of the installation, by which months of contracts have pseudonyms
 */
export function rollupHistory(secret: () => Promise<string>): StepImplementation {
  return {
    kind: 'sql',
    run: async (task, sql) => {
      const key = await secret();
      return forEachUnit(task, (unit) => rollUp(unit, task, sql, key));
    },
  };
}

interface Reached {
  /** Undefined where there are no archives of the distributor. */
  readonly horizon: CivilDate | undefined;
  readonly sample: readonly string[];
}

/** How far deliveries reach, and which of them are made up. */
async function reachOf(unit: StepUnit, task: StepTask): Promise<Reached> {
  const { newest, sample } = await archivesOf(pathsOf(unit.inputs['archives']));
  if (newest === undefined) return { horizon: undefined, sample };
  const wanted = task.params['horizon'];
  const reached = horizonOf(newest);
  return { horizon: typeof wanted === 'string' && wanted < reached ? wanted : reached, sample };
}

async function rollUp(
  unit: StepUnit,
  task: StepTask,
  sql: SqlSession,
  secret: string,
): Promise<UnitResult> {
  const { horizon, sample } = await reachOf(unit, task);
  if (horizon === undefined)
    return { scope: unit.scope, outputs: {}, checks: [], facts: { rows: 0 } };
  await viewDeliveries(sql, unit);
  await sql.run(
    `CREATE OR REPLACE TEMP VIEW affaires AS SELECT * FROM x12 UNION ALL BY NAME SELECT * FROM x13`,
  );
  const touched = await findTouched(sql, unit, horizon);
  if (touched !== undefined)
    task.progress(`${touched.points} of ${touched.of} delivery points are made again`);
  await readPoints(sql, touched);
  await runModel(sql, { horizon, progress: task.progress });
  const others = touched === undefined ? undefined : otherMonths(touched);
  const judged = await judgeMonths(sql, unit, secret, others);
  const checks = [...judged, ...(await estimateMonths(sql, unit, secret, others))];
  await freezeMonths(sql);
  if (touched !== undefined) await joinUnchanged(sql, touched);
  const billing = await billingTables(sql, pathsOf(unit.inputs[LINES_PART]));
  checks.push(...(await settleSmoothed(sql, unit, secret)));
  for (const statement of INVOICE_CHECK) await sql.run(statement);
  await nameReviewed(sql, secret);
  const outputs: Record<string, { path: string; rows: number } | { bytes: Uint8Array }> = {};
  for (const [name, { rows, order, ofPoints }] of Object.entries(HISTORY_TABLES)) {
    task.signal.throwIfAborted();
    const made = rows(`'${horizon}'`);
    const whole = ofPoints === true ? await withUnchanged(sql, touched, name, made) : made;
    outputs[name] = await copyRows(sql, `SELECT * FROM (${whole}) ORDER BY ${order}`, name);
  }
  const review = await reviewOf(sql);
  const report = {
    ...(await monthlyReport(sql, horizon)),
    review,
    ...(sample.length === 0 ? {} : { sample_data: sample }),
  };
  const { renderMonthlyPage } = await import('../report/monthly-page.tsx');
  const files = {
    ...(await monthlyFiles(sql, report.months, sample)),
    ...(await reviewFiles(sql, review, sample)),
  };
  const months = outputs['mois'];
  return {
    scope: unit.scope,
    outputs: {
      ...outputs,
      ...billing,
      monthly: { bytes: utf8(`${JSON.stringify(report)}\n`) },
      ...files,
      page: { bytes: utf8(renderMonthlyPage(report)) },
    },
    checks,
    facts: { rows: months !== undefined && 'rows' in months ? months.rows : 0, horizon },
  };
}

interface Archives {
  /** The day of the newest archive of the distributor: what people give moves no horizon. */
  readonly newest: CivilDate | undefined;
  /** The flux of which a sample portal made archives up. */
  readonly sample: readonly string[];
}

async function archivesOf(paths: readonly string[]): Promise<Archives> {
  let newest = '';
  const sample = new Set<string>();
  for (const path of paths) {
    for await (const line of createInterface({
      input: createReadStream(path),
      crlfDelay: Infinity,
    })) {
      if (line === '') continue;
      const archive = JSON.parse(line) as ArchiveLine;
      const { flux, archive_timestamp: at } = archive;
      for (const madeUp of madeUpFlux([archive])) sample.add(madeUp);
      if (at > newest && (FLUX as readonly string[]).includes(flux)) newest = at;
    }
  }
  const day =
    newest === '' ? undefined : `${newest.slice(0, 4)}-${newest.slice(4, 6)}-${newest.slice(6, 8)}`;
  return { newest: day, sample: [...sample].sort() };
}

async function monthlyReport(
  sql: SqlSession,
  horizon: CivilDate,
): Promise<Omit<MonthlyReport, 'review'>> {
  const months = await sql.rows<MonthTotals>(`
    SELECT m.mois, count(*) AS contrats, count(*) FILTER (WHERE qualite = 'réelle') AS reelle,
      count(*) FILTER (WHERE qualite = 'estimée') AS estimee, count(*)
        FILTER (WHERE qualite = 'incalculable') AS incalculable,
      count(*) FILTER (WHERE est_communicante) AS communicante, count(*)
        FILTER (WHERE est_retenu) AS retenus, count(erreur) AS erreurs,
      (SELECT count(*) FROM anomalies_r151 r WHERE r.mois = m.mois) AS anomalies_r151,
      count(methode_estimation) AS estimations,
      (SELECT count(*) FROM estimations_nommees e JOIN estimations_decidees d USING (unite)
        WHERE e.mois = m.mois AND d.decision IN ('ask', 'wait')) AS estimations_a_decider,
      count(*) FILTER (WHERE depassement_manquant) AS depassements_manquants,
      (SELECT CAST(sum(facture_eur) AS DECIMAL(18, 2)) FROM controle_reseau r
        WHERE r.mois = m.mois) AS reseau_facture_eur,
      (SELECT CAST(sum(ecart_eur) FILTER (WHERE sans_comparaison IS NULL) AS DECIMAL(18, 2))
        FROM controle_reseau r WHERE r.mois = m.mois) AS reseau_ecart_eur,
      (SELECT CAST(sum(facture_eur) FILTER (WHERE sans_comparaison IS NOT NULL) AS DECIMAL(18, 2))
        FROM controle_reseau r WHERE r.mois = m.mois) AS reseau_non_compare_eur,
      (SELECT count(*) FROM factures_comparees f WHERE f.mois = m.mois
        AND f.ecart <> 0) AS ecarts_factures,
      (SELECT count(*) FROM factures_comparees f WHERE f.mois = m.mois
        AND f.mesure IS NULL) AS factures_sans_mesure,
      CAST(sum(energie_base_kwh) AS BIGINT) AS energie_kwh,
      CAST(sum(turpe_fixe_eur) AS DECIMAL(18, 2)) AS turpe_fixe_eur,
      CAST(sum(turpe_variable_eur) AS DECIMAL(18, 2)) AS turpe_variable_eur,
        CAST(sum(cta_eur) AS DECIMAL(18, 2)) AS cta_eur,
      bool_or(est_gele) AS est_gele, (SELECT count(*) FROM regularisations r
        WHERE r.mois = m.mois) AS regularisations,
      (SELECT CAST(sum(ecart) FILTER (WHERE unite = '€') AS DECIMAL(18, 2)) FROM regularisations r
        WHERE r.mois = m.mois) AS regularisation_eur,
      (SELECT CAST(sum(accise_eur) AS DECIMAL(18, 2)) FROM accise_mois a
        WHERE a.mois = m.mois) AS accise_eur
    FROM mois m GROUP BY m.mois ORDER BY m.mois DESC`);
  const newest = months[0]?.mois ?? '';
  const formulas = await sql.rows<FormulaTotals>(`
    SELECT formule_tarifaire_acheminement AS formule, count(*) AS contrats,
      CAST(sum(energie_base_kwh) AS BIGINT) AS energie_kwh,
      CAST(sum(coalesce(turpe_fixe_eur, 0) + coalesce(turpe_variable_eur, 0)) AS DECIMAL(18,
        2)) AS turpe_eur
    FROM mois WHERE mois = '${newest}' GROUP BY ALL ORDER BY formule`);
  const errors = await sql.rows<{ erreur: string; contrats: number }>(
    `SELECT erreur, count(*) AS contrats FROM mois WHERE erreur IS NOT NULL GROUP BY ALL
      ORDER BY contrats DESC, erreur LIMIT 50`,
  );
  return { schema: 'enedis.monthly/1', horizon, months, formulas, errors };
}
