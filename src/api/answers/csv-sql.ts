import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import type { ColumnType, TableColumn } from '../../pipelines/tables.ts';
import { csvSeparator } from './csv.ts';
import type { Dialect } from './csv.ts';
import { instantTextSql, numberTextSql } from './value-sql.ts';

/**
 * The lines of `csvRows` as SQL, byte for byte: for tables whose rows the engine has, and that are
 * longer than what one thread writes while others wait for it.
 */

/** A line of the table, with its CRLF, over columns in their declared types. */
export function csvLineSql(
  columns: readonly Pick<TableColumn, 'name' | 'type'>[],
  dialect: Dialect,
): string {
  const fields = columns.map(
    ({ name, type }) => `coalesce(${FIELDS[type](quoteIdentifier(name), dialect)}, '')`,
  );
  return `concat_ws(${quoteText(csvSeparator(dialect))}, ${fields.join(', ')}) || chr(13) || chr(10)`;
}

const FIELDS: Readonly<Record<ColumnType, (value: string, dialect: Dialect) => string>> = {
  text: textSql,
  integer: (value) => `CAST(${value} AS VARCHAR)`,
  number: (value, dialect) => {
    const text = numberTextSql(value);
    return dialect === 'standard' ? text : `replace(${text}, '.', ',')`;
  },
  instant: (value, dialect) => {
    const text = dialect === 'fr' ? instantTextSql(value, ' ', '') : instantTextSql(value);
    return `${apostropheWhen(`${value} = '-infinity'`)} || ${text}`;
  },
  date: (value) => `${apostropheWhen(`${value} = '-infinity'`)} || CAST(${value} AS VARCHAR)`,
  boolean: (value) => `CAST(${value} AS VARCHAR)`,
};

const SIGNS = ['=', '+', '-', '@', '＝', '＋', '－', '＠'].map(quoteText).join(', ');
/** A pattern for few texts: to look at one sign takes less time. */
const APOSTROPHES = quoteText("^'+[=+\\-@\\t\\r\\n＝＋－＠]");

function textSql(value: string, dialect: Dialect): string {
  const first = `left(${value}, 1)`;
  const inert = apostropheWhen(
    `${first} IN (${SIGNS}, chr(9), chr(10), chr(13)) OR (${first} = '''' AND regexp_matches(${value}, ${APOSTROPHES}))`,
  );
  const special = quoteText(`[${csvSeparator(dialect)}"\\n\\r]`);
  return `CASE WHEN regexp_matches(${value}, ${special}) THEN '"' || ${inert} ||
    replace(${value}, '"', '""') || '"'
    ELSE ${inert} || ${value} END`;
}

/** Before what a spreadsheet would run as a formula. */
function apostropheWhen(condition: string): string {
  return `CASE WHEN ${condition} THEN '''' ELSE '' END`;
}
