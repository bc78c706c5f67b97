import { MONTH_FORM, PipelineError, quoteText } from '../../kit/index.ts';
import type {
  AnswerRow,
  AnswerValue,
  CommandCall,
  CommandEnd,
  CommandHost,
  TableColumn,
} from '../../kit/index.ts';
import { columnsOf } from '../answers/columns.ts';
import { askedOrNewest, checkedOption, writeAndTell } from './options.ts';

/** Beside the line as it was given; the names that Odoo reads. */
const ADDED = ['quantite_enedis', 'a_facturer', 'a_supprimer', 'memo'] as const;

/**
 * `quotidien enedis lignes`: invoice lines as they were given, under their own names and in their
 * order, with `quantite_enedis`, `a_facturer`, `a_supprimer` and `memo`; of a month, by default the
 * newest. Lines without a month are always among them.
 */
export async function lines(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const asked = checkedOption(call, 'mois', MONTH_FORM, 'a month YYYY-MM');
  const { month, rows } = await host.withTables(['enedis_lignes'], async (sql) => {
    const known = await sql.rows<{ mois: string }>(
      'SELECT DISTINCT mois FROM enedis_lignes WHERE mois IS NOT NULL ORDER BY mois',
    );
    if (asked === undefined && known.length === 0)
      throw new PipelineError(
        'NOT_FOUND',
        'there are no invoice lines yet: quotidien import enedis <file>, then run its day',
      );
    const newest = askedOrNewest(
      'month of invoice lines',
      asked,
      known.map(({ mois }) => mois),
    );
    const found = await sql.rows<AnswerRow>(
      `SELECT * FROM enedis_lignes WHERE mois = ${quoteText(newest)} OR mois IS NULL
        ORDER BY campagne, fichier, ligne`,
    );
    return { month: newest, rows: found };
  });
  const given = rows.map(
    (row) => JSON.parse(String(row['reste'])) as Readonly<Record<string, unknown>>,
  );
  const columns = [...givenColumns(given), ...columnsOf(...ADDED)];
  const count = (test: (row: AnswerRow) => boolean): number => rows.filter(test).length;
  const unmatched = count((row) => row['quantite_enedis'] === null);
  const [bill, remove] = [
    count((row) => row['a_facturer'] === true),
    count((row) => row['a_supprimer'] === true),
  ];
  const written = await writeAndTell(call, host, {
    name: `enedis_lignes_${month}`,
    sheets: [
      { name: month, columns, rows: rows.map((row, at) => withAdded(given[at] ?? {}, row)) },
    ],
    told: `${month}: ${rows.length} lines, ${bill} to be billed, ${remove} to be removed, ${unmatched} without a measured quantity`,
  });
  host.data({
    mois: month,
    lignes: rows.length,
    a_facturer: bill,
    a_supprimer: remove,
    sans_quantite: unmatched,
    ...written,
  });
  return unmatched === 0 ? 'done' : 'degraded';
}

/**
 * The columns of the files, in the order in which lines name them; a number stays one where every
 * line has one.
 */
function givenColumns(given: readonly Readonly<Record<string, unknown>>[]): TableColumn[] {
  const names = [...new Set(given.flatMap((cells) => Object.keys(cells)))];
  const own = names.filter((name) => !(ADDED as readonly string[]).includes(name));
  return own.map((name) => {
    const values = given
      .map((cells) => cells[name])
      .filter((value) => value !== undefined && value !== null && value !== '');
    const isNumber = values.length > 0 && values.every((value) => typeof value === 'number');
    return { name, type: isNumber ? 'number' : 'text', title: { fr: name, en: name } };
  });
}

function withAdded(given: Readonly<Record<string, unknown>>, row: AnswerRow): AnswerRow {
  const cells = Object.entries(given).map(([name, value]) => [name, cellOf(value)] as const);
  return {
    ...Object.fromEntries(cells),
    ...Object.fromEntries(ADDED.map((name) => [name, row[name] ?? null])),
  };
}

function cellOf(value: unknown): AnswerValue {
  if (value === null || value === undefined || value === '') return null;
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
}
