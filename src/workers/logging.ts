import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { destination, pino } from 'pino';
import type { Level, Logger } from 'pino';
import type { Config } from '../config/load-config.ts';

/** Names whose values never reach a log line, wherever they stand in it. */
const SECRETS = ['password', 'secret', 'token', 'apiKey', 'authorization', 'accessKeyId', 'secretAccessKey'];

function createLogger(config: Config, sink: ReturnType<typeof destination>): Logger {
  return pino(
    {
      level: config.settings.QUOTIDIEN_LOG_LEVEL,
      base: null,
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
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

function install(logger: Logger, metricsAddress: string | undefined): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      logger[LEVELS[level]](meta ?? {}, message);
    }),
    // Signals belong to the command: it decides when workers drain and when the server stops.
    shutdownSignals: [],
    ...(metricsAddress === undefined
      ? {}
      : { telemetryOptions: { metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true } } } }),
  });
}

/** JSON log lines of workers to stderr. Once per process, before anything of Temporal's is used. */
export function loudRuntime(config: Config): void {
  install(createLogger(config, destination({ fd: 2, sync: true })), config.settings.QUOTIDIEN_METRICS_ADDRESS);
}

/** The same lines into `<home>/logs/worker.log`, for commands whose own words are on the terminal. */
export function quietRuntime(config: Config): void {
  const folder = path.join(config.home, 'logs');
  mkdirSync(folder, { recursive: true });
  const sink = destination({ dest: path.join(folder, 'worker.log'), append: true, sync: true });
  install(createLogger(config, sink), config.settings.QUOTIDIEN_METRICS_ADDRESS);
}
