import type { z } from 'zod';
import { quoteList } from './sql-text.ts';
import type { CivilDate, ColumnClass, StepId } from './vocabulary.ts';

/**
 * What a dataset declares for its readers: tables, questions and pages of charts. Routes, the
 * OpenAPI document, the console, exports and MCP tools are made from it, so that a new dataset
 * touches none of their code. Whatever a reader sends is a value in a declared place; it is never
 * SQL.
 */

/** A text for people in both languages of the product. */
export interface Words {
  readonly fr: string;
  readonly en: string;
}

/** Of titles and descriptions; every text of a table has all of them. */
export type Language = keyof Words;

/** `instant`: ISO-8601 text in UTC; `date`: `YYYY-MM-DD`; `integer` and `number`: JSON numbers. */
export type ColumnType = 'text' | 'integer' | 'number' | 'instant' | 'date' | 'boolean';

/** A column as people and programs see it: in answers, exports and the pages of documentation. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly title: Words;
  /** Such as `MW`, `MWh` or `vehicles/h`; absent for names and times. */
  readonly unit?: string;
  /** Whose business the values are; default open. */
  readonly class?: ColumnClass;
}

/** The output of a step whose files hold the rows. */
export interface RowsOutput {
  readonly step: StepId;
  readonly output: string;
}

/** A table that is read over many files: by the API, by exports and by questions in SQL. */
export interface TableDefinition {
  /**
   * Unique in the installation, with `_` between words: the name in addresses, and of the view that
   * questions read.
   */
  readonly id: string;
  readonly title: Words;
  readonly description: Words;
  /**
   * One file per scope: a data day, or the period of a rollup. With `history` there is one file of
   * all days, whose rows are read as a whole whatever days are asked for.
   */
  readonly rows: RowsOutput & { readonly each: 'day' | 'month' | 'year' | 'history' };
  /**
   * Files that hold the rows of a month's days together, made by a rollup from exactly the files of
   * `rows`. A whole month is read from there when its rollup names the files that its days have;
   * without it, or with another, from the days.
   */
  readonly months?: RowsOutput & { readonly input: string };
  /** In the order of the files. */
  readonly columns: readonly TableColumn[];
  /** The columns that order the rows of one file, ascending, and name a row. */
  readonly order: readonly string[];
  /**
   * SQL of the rows of some files, for files that are no plain table of these columns. `files` is a
   * list literal.
   */
  readonly from?: (files: string) => string;
  /**
   * Tables without an instant or date of their own get the scope of their file as first column
   * `scope`.
   */
  readonly scoped?: boolean;
}

/** The SQL of a table over local files. */
export function rowsSql(table: TableDefinition, files: readonly string[]): string {
  const list = quoteList(files);
  return (
    table.from?.(list) ??
    `SELECT * FROM read_parquet(${list}, union_by_name = true, hive_partitioning = false)`
  );
}

/** The form in which a chart shows its rows. */
export type ChartKind =
  | 'line'
  | 'bar'
  /** Areas whose series add up. */
  | 'stack'
  /** Bars whose series add up. */
  | 'stacked-bar'
  /** A bar for each row in the order of the rows, with its name, for names too long for an axis. */
  | 'list'
  /** Shares of the sum of `y`. */
  | 'ring'
  /** A cell for each `x` and `series`, the darker the larger. */
  | 'heat'
  /** A dot for each row at `x` and `y`, both numbers. */
  | 'scatter'
  /**
   * The same at longitude `x` and the latitude that `y` names first; its second is the size of the
   * dot.
   */
  | 'map'
  /** A card for each row, named by `x`; `series` is the column of its unit, and `%` has a gauge. */
  | 'figures';

/** How rows are drawn: one series for each column of `y`, or for each value of `series`. */
export interface ChartDefinition {
  readonly kind: ChartKind;
  readonly x: string;
  readonly y: readonly string[];
  readonly series?: string;
  /** Columns of `y` that are drawn as lines over bars or stacks. */
  readonly lines?: readonly string[];
  /** What values of `x` and `series` that are names are called; columns have their titles. */
  readonly labels?: Readonly<Record<string, Words>>;
  readonly unit?: string;
}

/** A row of an answer, by column. */
export type AnswerRow = Readonly<Record<string, AnswerValue>>;

/** Instants and dates are ISO-8601 text. */
export type AnswerValue = string | number | boolean | null;

/** The days that a question reads, both included. */
export interface DaySpan {
  readonly from: CivilDate;
  readonly to: CivilDate;
}

/** What a question finds before it asks: parameters left out mean "what there is". */
export interface QuestionScene {
  /** First and last data day of the pipeline that has a version. */
  readonly known: DaySpan;
}

/**
 * A question with places to fill in. Its SQL reads declared tables as views of their ids, over
 * exactly the rows of `span`; parameters enter it as literals that `quoteText` or zod's own types
 * made harmless.
 */
export interface QuestionDefinition<P extends z.ZodObject = z.ZodObject> {
  readonly id: string;
  readonly title: Words;
  readonly description: Words;
  /** Every member is optional or has a default, and is read from text. */
  readonly parameters: P;
  readonly tables: readonly string[];
  readonly span: (parameters: z.output<P>, scene: QuestionScene) => DaySpan;
  readonly sql: (parameters: z.output<P>, scene: QuestionScene) => string;
  readonly columns: (parameters: z.output<P>) => readonly TableColumn[];
  /** The answer in one sentence. `rows` is the whole answer. */
  readonly sentence: (rows: readonly AnswerRow[], parameters: z.output<P>) => Words;
  readonly chart?: (parameters: z.output<P>) => ChartDefinition;
}

/** A question whose own types are kept where it is written, and forgotten in lists of questions. */
export function question<P extends z.ZodObject>(
  definition: QuestionDefinition<P>,
): QuestionDefinition {
  return definition;
}

/**
 * A page of charts: each shows a question with given parameters. The days that are chosen for the
 * page go to `start` and `end` of questions that have these parameters. A question of another
 * dataset is told to be missing where that one is not installed.
 */
export interface DashboardDefinition {
  readonly id: string;
  readonly title: Words;
  readonly charts: readonly {
    readonly title: Words;
    readonly question: string;
    readonly parameters: Readonly<Record<string, string>>;
    /** Drawn otherwise than the question draws it. */
    readonly kind?: ChartKind;
  }[];
}
