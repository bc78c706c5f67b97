import { forEachUnit, parquetSql, quoteTexts, utf8 } from '../../kit/index.ts';
import type { StepImplementation } from '../../kit/index.ts';
import { ENTRIES, EXITS } from '../model/spine-events.ts';

/** The events that C15 told of on a day, counted: no contract is named. */
export interface DayEvents {
  /** By kind, the most frequent first. */
  readonly evenements: readonly {
    readonly evenement: string;
    readonly nombre: number;
    readonly contrats: number;
  }[];
  /** Contracts that enter (PMES, MES, CFNE) and that leave (RES, CFNS). */
  readonly entrent: number;
  readonly sortent: number;
}

/** `metrics/evenements`: what C15 told of on the day. */
export const metricsEvents: StepImplementation = {
  kind: 'sql',
  run: (task, sql) =>
    forEachUnit(task, async ({ scope, inputs }) => {
      const [c15] = inputs['c15'] ?? [];
      if (c15 === undefined) return { scope, outputs: {}, checks: [], facts: { rows: 0 } };
      const rows = parquetSql(c15.path);
      const contracts = (events: readonly string[]): string =>
        `count(DISTINCT ref_situation_contractuelle)
          FILTER (WHERE evenement_declencheur IN (${quoteTexts(events)}))`;
      const evenements = await sql.rows<DayEvents['evenements'][number]>(
        `SELECT coalesce(evenement_declencheur, 'inconnu') AS evenement, count(*) AS nombre,
          count(DISTINCT ref_situation_contractuelle) AS contrats
         FROM ${rows} GROUP BY 1 ORDER BY nombre DESC, evenement`,
      );
      const [moves] = await sql.rows<Pick<DayEvents, 'entrent' | 'sortent'>>(
        `SELECT ${contracts(ENTRIES)} AS entrent, ${contracts(EXITS)} AS sortent FROM ${rows}`,
      );
      const events: DayEvents = {
        evenements,
        entrent: moves?.entrent ?? 0,
        sortent: moves?.sortent ?? 0,
      };
      const facts = { rows: evenements.length, entrent: events.entrent, sortent: events.sortent };
      return {
        scope,
        outputs: { evenements: { bytes: utf8(`${JSON.stringify(events)}\n`) } },
        checks: [],
        facts,
      };
    }),
};
