import type { Config } from '../../config/load-config.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import type { Terminal } from './terminal.ts';

/**
 * Exit codes of every command; wrong usage is told by `INPUT_INVALID`, `PLAN_INVALID`,
 * `PIPELINE_UNKNOWN`, `CONFIG_INVALID`.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, degraded: 3 } as const;

/** Any of them; the process ends with it after the last line was written. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * What a command works with; the engine is opened when a command asks for it and closed after the
 * command.
 */
export interface CommandContext {
  readonly config: Config;
  readonly terminal: Terminal;
  readonly datasets: Readonly<Record<string, Dataset>>;
  engine(): Promise<OpenEngine>;
  /** Aborted by the first Ctrl-C or signal to end, with an `Interrupted` as its reason. */
  readonly signal: AbortSignal;
}

/** Runs a command with everything that it needs. */
export type Perform = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** Options that stand before or behind any command. */
export interface GlobalOptions {
  /**
   * Print the result alone, as JSON, to standard output; everything else goes to standard error.
   */
  readonly json?: boolean;
  /** Folder of everything that is kept on this machine, relative to the working directory. */
  readonly home?: string;
}

/** Runs a command and sets the exit code; it never rejects. */
export type Execute = (
  options: GlobalOptions,
  command: (context: CommandContext) => Promise<ExitCode>,
) => Promise<void>;
