import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import type { DestinationStream, Level, Logger } from 'pino';
import type { Config } from '../config/load-config.ts';
import { secretsOf } from '../config/secrets.ts';
import { redactText, redacted } from '../redaction.ts';
import { openLogSink } from './log-sink.ts';

function createLogger(config: Config, sink: DestinationStream): Logger {
  return pino(
    {
      level: config.settings.QUOTIDIEN_LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    sink,
  );
}

const LEVELS: Readonly<Record<LogEntry['level'], Level>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * Writes what the SDK and the activities log, without secrets: neither their values nor what has
 * the form or name of one.
 */
export function safeLog(logger: Logger, secrets: readonly string[]) {
  return ({ level, message, meta }: Pick<LogEntry, 'level' | 'message' | 'meta'>): void => {
    logger[LEVELS[level]](redacted(meta ?? {}, secrets), redactText(message, secrets));
  };
}

let installed = false;

function install(config: Config, sink: DestinationStream): void {
  installed = true;
  const metricsAddress = config.settings.QUOTIDIEN_METRICS_ADDRESS;
  Runtime.install({
    logger: new DefaultLogger('INFO', safeLog(createLogger(config, sink), secretsOf(config))),
    // Signals belong to the command: it decides when workers drain and when the server stops.
    shutdownSignals: [],
    ...(metricsAddress === undefined
      ? {}
      : {
          telemetryOptions: {
            metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true } },
          },
        }),
  });
}

/** JSON log lines of workers to stderr. Once per process, before anything of Temporal's is used. */
export function loudRuntime(config: Config): void {
  install(config, openLogSink({ fd: 2 }));
}

/**
 * The same lines into `<home>/logs/worker.log`, for commands whose own words are on the terminal.
 */
export function quietRuntime(config: Config): void {
  // A process has one runtime: the first command's log is that of all that it runs.
  if (installed) return;
  const folder = path.join(config.home, 'logs');
  mkdirSync(folder, { recursive: true });
  install(config, openLogSink({ file: path.join(folder, 'worker.log') }));
}
