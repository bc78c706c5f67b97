import type { ErrorCode } from '../errors.ts';
import type { JsonObject } from '../ports/json.ts';
import type { SqlSession } from '../ports/sql.ts';
import type { RecognisedFile } from './given-file.ts';
import type { AnswerRow, DaySpan, TableColumn } from './tables.ts';
import type { Scope, StepId } from './vocabulary.ts';

/** How a command ended: exit code 0, 1 (the work failed) or 3 (done, but not whole). */
export type CommandEnd = 'done' | 'failed' | 'degraded';

/** What a person gave a command. */
export interface CommandCall {
  readonly arguments: readonly string[];
  /** By long name: a text, or true for one without a value. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** What came of a file that was given to the engine. */
export type ImportedFile =
  | { readonly file: string; readonly recognised: RecognisedFile }
  | { readonly file: string; readonly code: ErrorCode; readonly message: string };

/** A declared table as a command reads it. */
export interface TableState {
  /**
   * The last commit among the versions whose rows these are, ISO instant; null where there is none.
   */
  readonly committedAt: string | null;
  /** Scopes that are due and have no rows. */
  readonly missing: readonly Scope[];
  /** Of the table, the span and the content of every file: equal rows, whatever files hold them. */
  readonly hash: string;
}

/** Which rows of tables a command works with; by default all that there are. */
export interface TablesCut {
  /** Both days included, or what is found of the known ones. */
  readonly span?: (known: DaySpan) => DaySpan;
  /**
   * By table: SQL over the columns as its files have them. Files say of most of their rows unread
   * that they are others.
   */
  readonly where?: Readonly<Record<string, string>>;
}

/**
 * The newest version of a day or period, and its files by output; those that it does not have are
 * absent.
 */
export interface VersionFiles {
  readonly version: number;
  readonly files: Readonly<Record<string, string>>;
}

/** Rows for a file of their own, or for a sheet of a workbook. */
export interface RowsSheet {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly AnswerRow[];
}

/** What a command makes of rows. */
export interface RowsFileRequest {
  /**
   * A workbook and JSON have all of them; the other formats have the last one, which is the finest.
   */
  readonly sheets: readonly RowsSheet[];
  /** csv, parquet, json, ndjson, arrow or xlsx; default: by the ending of `output`, else csv. */
  readonly format?: string | undefined;
  /** Of CSV: `standard` (default) or `fr`. */
  readonly dialect?: string | undefined;
  /**
   * `-` is the standard output; default: `name` with the ending of the format, in the working
   * directory.
   */
  readonly output?: string | undefined;
  readonly name: string;
}

/** A file that a command wrote, in the format that was chosen. */
export interface WrittenFile {
  readonly format: string;
  /** `-` for the standard output. */
  readonly file: string;
  readonly rows: number;
}

/** What a command of a dataset may do; it sees neither stores nor Temporal. */
export interface CommandHost {
  /** A line of the result, for people; silent with `--json`. */
  line(text: string): void;
  /** A remark beside the result, for people. */
  note(text: string): void;
  /** The result as data; silent without `--json`. */
  data(value: unknown): void;
  /** Aborted when the person ends the command. */
  readonly signal: AbortSignal;
  /**
   * The text of a file; without one, or for `-`, of the standard input. `INPUT_INVALID` when it
   * cannot be read.
   */
  readText(file: string | undefined): Promise<string>;
  /** A folder that is removed afterwards. */
  withScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
  /**
   * Takes raw files in, as `quotidien import` does; one that cannot be taken in is an outcome of
   * its own.
   */
  importFiles(files: readonly string[]): Promise<readonly ImportedFile[]>;
  /**
   * Works with declared tables of the dataset: views by the tables' ids, with the declared types.
   * `NOT_FOUND` when no day of the dataset is finished.
   */
  withTables<T>(
    ids: readonly string[],
    work: (sql: SqlSession, states: Readonly<Record<string, TableState>>) => Promise<T>,
    cut?: TablesCut,
  ): Promise<T>;
  /**
   * What the dataset calls rows of an output of a step, as `rowNames` declares; nothing where it
   * has no names for them.
   */
  nameRows(step: StepId, output: string, rows: readonly JsonObject[]): Promise<readonly string[]>;
  /**
   * The key by which tables know a person, such as the holder of a meter. `INPUT_INVALID` for what
   * can be nobody's id.
   */
  personKey(id: string): Promise<string>;
  /**
   * Works with outputs of the newest version of a day or period, as they were made. `NOT_FOUND`
   * when there is none.
   */
  withVersion<T>(
    scope: Scope,
    outputs: readonly string[],
    work: (sql: SqlSession, version: VersionFiles) => Promise<T>,
  ): Promise<T>;
  /** The time by the engine's clock. */
  now(): Promise<Date>;
  /**
   * Writes rows into a file, which is whole or what it was before. `INPUT_INVALID` for an unknown
   * format or dialect.
   */
  writeRows(request: RowsFileRequest): Promise<WrittenFile>;
  /** Writes a text into a file that only its owner reads; it is whole or what it was before. */
  writeText(file: string, text: string): Promise<void>;
}

/**
 * A command that a dataset brings: `quotidien <pipeline> <name>`. Load its code when it runs, not
 * before.
 */
export interface DatasetCommand {
  readonly name: string;
  readonly description: string;
  /** It is there as `quotidien <name>` too. */
  readonly isTopLevel?: true;
  /** As commander writes them, such as `<paths...>` or `[file]`. */
  readonly arguments?: string;
  readonly options?: readonly { readonly flags: string; readonly description: string }[];
  run(call: CommandCall, host: CommandHost): Promise<CommandEnd>;
}
