import type { ErrorCode } from '../errors.ts';
import type { RecognisedFile } from './dataset.ts';

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

/** What a command of a dataset may do; it sees neither stores nor Temporal. */
export interface CommandHost {
  /** A line of the result, for people; silent with `--json`. */
  line(text: string): void;
  /** The result as data; silent without `--json`. */
  data(value: unknown): void;
  /** Aborted when the person ends the command. */
  readonly signal: AbortSignal;
  /** The text of a file; without one, or for `-`, of the standard input. `INPUT_INVALID` when it cannot be read. */
  readText(file: string | undefined): Promise<string>;
  /** A folder that is removed afterwards. */
  withScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
  /** Takes raw files in, as `quotidien import` does; one that cannot be taken in is an outcome of its own. */
  importFiles(files: readonly string[]): Promise<readonly ImportedFile[]>;
}

/** A command that a dataset brings: `quotidien <pipeline> <name>`. Load its code when it runs, not before. */
export interface DatasetCommand {
  readonly name: string;
  readonly description: string;
  /** As commander writes them, such as `<paths...>` or `[file]`. */
  readonly arguments?: string;
  readonly options?: readonly { readonly flags: string; readonly description: string }[];
  run(call: CommandCall, host: CommandHost): Promise<CommandEnd>;
}
