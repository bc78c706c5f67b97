import pc from 'picocolors';
import { nameHome } from './proposed-commands.ts';

/**
 * Where a command prints: results to stdout, progress and remarks to stderr; with `--json` stdout
 * carries JSON only.
 */
export interface Terminal {
  readonly json: boolean;
  /** Whether stdout is a terminal: then colours and redrawn lines are welcome. */
  readonly interactive: boolean;
  readonly colours: ReturnType<typeof pc.createColors>;
  readonly columns: number;
  /** A line of the result, for people; silent with `--json`. */
  line(text?: string): void;
  /** A remark beside the result. */
  note(text: string): void;
  /** The result as data; silent without `--json`. */
  data(value: unknown): void;
}

/** Results go to `stdout`, everything about the work to `stderr`. */
export interface TerminalStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** `home` is the option that proposed commands carry. */
export function createTerminal(streams: TerminalStreams, json: boolean, home?: string): Terminal {
  const interactive = streams.stdout.isTTY && !json;
  return {
    json,
    interactive,
    colours: pc.createColors(interactive && pc.isColorSupported),
    columns: streams.stdout.isTTY ? streams.stdout.columns : 100,
    line(text = '') {
      if (!json) streams.stdout.write(`${nameHome(text, home)}\n`);
    },
    note(text) {
      streams.stderr.write(`${nameHome(text, home)}\n`);
    },
    data(value) {
      if (!json) return;
      const named = (_: string, one: unknown): unknown =>
        typeof one === 'string' ? nameHome(one, home) : one;
      streams.stdout.write(`${JSON.stringify(value, named, 2)}\n`);
    },
  };
}
