import { isCivilDate, PipelineError, quoteText } from '../../kit/index.ts';
import type { AnswerRow, CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { columnsOfTable } from '../answers/tables.ts';
import { openAffairsSql, provisionSql } from '../model/billing.ts';
import { checkedOption, DAY, writeAndTell } from './options.ts';
import { percent } from './periods.ts';

/** The day that is asked for, or that of the newest archive of these tables. */
async function dayAsked(
  call: CommandCall,
  newest: () => Promise<readonly { readonly at: string | null }[]>,
): Promise<string> {
  const asked = checkedOption(call, 'as-of', DAY, 'a day YYYY-MM-DD');
  if (asked !== undefined && !isCivilDate(asked))
    throw new PipelineError('INPUT_INVALID', `--as-of takes an existing day, not ${asked}`);
  if (asked !== undefined) return asked;
  const [row] = await newest();
  const at = row?.at ?? null;
  if (at === null) throw new PipelineError('NOT_FOUND', 'no archive of this flux has come yet');
  return `${at.slice(0, 4)}-${at.slice(4, 6)}-${at.slice(6, 8)}`;
}

/**
 * `quotidien enedis provision`: the average month of each point over the twelve months before a
 * day; by default that of the newest archive.
 */
export async function provision(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const { day, rows } = await host.withTables(['enedis_r67'], async (sql) => {
    const asked = await dayAsked(call, () =>
      sql.rows('SELECT max(archive_timestamp) AS at FROM enedis_r67'),
    );
    await sql.run('CREATE OR REPLACE TEMP VIEW r67 AS SELECT * FROM enedis_r67');
    return { day: asked, rows: await sql.rows<AnswerRow>(provisionSql(quoteText(asked))) };
  });
  if (rows.length === 0)
    throw new PipelineError(
      'NOT_FOUND',
      `R67 has no energy in the twelve months before ${day}: ask the portal for it, or for another day`,
    );
  const covered = rows.filter((row) => row['est_couverte'] === true).length;
  const alerts = rows.filter((row) => row['est_alerte'] === true).length;
  const written = await writeAndTell(call, host, {
    name: `enedis_provision_${day}`,
    sheets: [{ name: `provision ${day}`, columns: columnsOfTable('provision'), rows }],
    told: `as of ${day}: ${rows.length} points, ${covered} with the whole year (${percent(covered, rows.length)}), ${alerts} to be checked`,
  });
  host.data({ as_of: day, points: rows.length, couverts: covered, alertes: alerts, ...written });
  return alerts === 0 ? 'done' : 'degraded';
}

/**
 * `quotidien enedis affaires`: affairs under way with their last state and their age on a day; by
 * default that of the newest archive.
 */
export async function affairs(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const { day, rows } = await host.withTables(['enedis_x12', 'enedis_x13'], async (sql) => {
    await sql.run(
      'CREATE OR REPLACE TEMP VIEW affaires AS SELECT * FROM enedis_x12 UNION ALL BY NAME SELECT * FROM enedis_x13',
    );
    const asked = await dayAsked(call, () =>
      sql.rows('SELECT max(archive_timestamp) AS at FROM affaires'),
    );
    return { day: asked, rows: await sql.rows<AnswerRow>(openAffairsSql(quoteText(asked))) };
  });
  const written = await writeAndTell(call, host, {
    name: `enedis_affaires_${day}`,
    sheets: [{ name: `affaires ${day}`, columns: columnsOfTable('affaires'), rows }],
    told: `as of ${day}: ${rows.length} open affairs`,
  });
  host.data({ as_of: day, affaires: rows.length, ...written });
  return 'done';
}
