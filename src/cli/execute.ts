import { PipelineError, asPipelineError } from '../errors.ts';
import { redactText, redacted } from '../redaction.ts';
import { readDatasetModules } from '../config/dataset-modules.ts';
import { loadConfig } from '../config/load-config.ts';
import { killHeldServers } from '@quotidien/temporal-program/held-servers';
import { DATASETS } from '../datasets/registry.ts';
import { publisherHosts } from '../workers/configured-datasets.ts';
import { loadDatasets } from '../workers/load-datasets.ts';
import { openEngine } from '../workers/open-engine.ts';
import type { OpenEngine } from '../workers/open-engine.ts';
import { EXIT } from './shared/context.ts';
import type { CommandContext, ExitCode, GlobalOptions } from './shared/context.ts';
import { Interrupted } from './shared/interrupted.ts';
import { homeOption } from './shared/proposed-commands.ts';
import { createTerminal } from './shared/terminal.ts';
import type { Terminal } from './shared/terminal.ts';

/** After its last line, for what is still to be written to a slow pipe. */
const LINGER_MS = 2_000;

/** The terminal sends Ctrl-C to this process and to those that started it, and they pass it on. */
const SAME_KEY_MS = 500;

const USAGE_CODES = ['INPUT_INVALID', 'PLAN_INVALID', 'PIPELINE_UNKNOWN', 'CONFIG_INVALID'];

/**
 * Runs one command with everything that it needs, and turns what it throws into a message and an
 * exit code. `main.ts` loads this module when a command is called: its imports are nine tenths of
 * what a start costs.
 */
export async function execute(
  env: NodeJS.ProcessEnv,
  options: GlobalOptions,
  command: (context: CommandContext) => Promise<ExitCode>,
): Promise<void> {
  const home = homeOption({ env, cwd: process.cwd(), home: options.home });
  const terminal = createTerminal(process, options.json === true, home);
  const abort = new AbortController();
  let engine: Promise<OpenEngine> | undefined;
  let asked: { by: NodeJS.Signals | ''; at: number } = { by: '', at: 0 };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const isSameKey = signal === asked.by && performance.now() - asked.at < SAME_KEY_MS;
      if (abort.signal.aborted && !isSameKey) endAtOnce();
      asked = { by: signal, at: performance.now() };
      abort.abort(new Interrupted(signal === 'SIGINT' ? 'Ctrl-C' : signal));
    });
  }
  try {
    await loadDatasets(readDatasetModules({ env, cwd: process.cwd(), home: options.home }));
    const hosts = publisherHosts(DATASETS);
    const config = loadConfig({ env, cwd: process.cwd(), home: options.home, hosts });
    process.exitCode = await command({
      config,
      terminal,
      datasets: DATASETS,
      engine: () => (engine ??= openEngine(config, DATASETS)),
      signal: abort.signal,
    });
  } catch (error) {
    process.exitCode = tellEnd(
      terminal,
      abort.signal.aborted ? interruption(error, abort.signal) : error,
    );
  } finally {
    // An engine that could not be opened has been reported above.
    await (await engine?.catch(() => undefined))?.close();
    // Calls that a silent store was never to answer, and their repetitions, would keep the process
    // for minutes. Only a loop that is still busy then sees this timer.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

/**
 * Whoever asks a second time waits no longer; a server that outlived this process would be left to
 * nobody.
 */
function endAtOnce(): never {
  killHeldServers();
  process.exit(EXIT.failed);
}

/** Tells a person, and a program, why a command ended; returns its exit code. */
function tellEnd(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof Interrupted) {
    terminal.data({ stopped: { by: error.by, message: error.message } });
    terminal.note(error.message);
    return EXIT.failed;
  }
  const known = asPipelineError(error);
  const { code, remedy } = known;
  const message = redactText(known.message);
  terminal.data({ error: { code, message, remedy, context: redacted(known.context) } });
  terminal.note(`${code}: ${message}\n${remedy}`);
  if (code === 'INTERNAL' && known.cause instanceof Error)
    terminal.note(redactText(known.cause.stack ?? known.cause.message));
  return USAGE_CODES.includes(known.code) ? EXIT.usage : EXIT.failed;
}

/** After an interruption whatever breaks is the interruption, told in its own words. */
function interruption(error: unknown, signal: AbortSignal): unknown {
  const isOwn =
    error instanceof Interrupted || (error instanceof PipelineError && error.code !== 'INTERNAL');
  return isOwn ? error : signal.reason;
}
