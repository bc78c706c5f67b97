/**
 * Makes sure that a Temporal CLI is on this machine, before anything that needs one is started:
 * `node dist/cli/ensure-temporal.js`. Progress goes to stderr, the path of the CLI to stdout.
 */
import { cacheFolder } from '../config/cache-folder.ts';
import { asPipelineError } from '../errors.ts';
import { findTemporalCli } from '@quotidien/temporal-program/find-cli';

try {
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const cacheDir = cacheFolder(process.env, process.cwd());
  const cli = await findTemporalCli({ env: process.env, cacheDir, onProgress });
  process.stdout.write(`${cli.path}\n`);
} catch (error) {
  const { code, message } = asPipelineError(error);
  process.stderr.write(`${code}: ${message}\n`);
  process.exitCode = 1;
}
