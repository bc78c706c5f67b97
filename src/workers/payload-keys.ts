import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Environment } from '../config/environment.ts';
import { parsePayloadKeys } from '../config/payload-keys.ts';
import { PipelineError } from '../errors.ts';
import { lastOf } from '../given.ts';
import { redactText } from '../redaction.ts';

/**
 * The keys of Temporal's payloads by id; the first one encrypts, every one decrypts. Empty:
 * payloads stay readable.
 */
export type PayloadKeys = ReadonlyMap<string, Buffer>;

const COMMAND_TIMEOUT_MS = 30_000;

/** Whether the configuration says that payloads are encrypted. */
export function isSealed(env: Environment): boolean {
  return (
    env['QUOTIDIEN_PAYLOAD_KEYS'] !== undefined ||
    env['QUOTIDIEN_PAYLOAD_KEYS_COMMAND'] !== undefined
  );
}

/**
 * Reads the keys from their setting, or from what the command of the other setting prints.
 * `CONFIG_INVALID` never quotes them.
 */
export async function readPayloadKeys(env: Environment): Promise<PayloadKeys> {
  const { QUOTIDIEN_PAYLOAD_KEYS: keys, QUOTIDIEN_PAYLOAD_KEYS_COMMAND: command } = env;
  if (keys !== undefined) return keysIn(keys, 'QUOTIDIEN_PAYLOAD_KEYS');
  if (command === undefined) return new Map();
  return keysIn(await outputOf(command, env), 'the output of QUOTIDIEN_PAYLOAD_KEYS_COMMAND');
}

function keysIn(text: string, place: string): PayloadKeys {
  const { keys, problem } = parsePayloadKeys(text);
  if (problem !== undefined) throw new PipelineError('CONFIG_INVALID', `${place} ${problem}`);
  return keys;
}

/**
 * Runs in the root folder, so that no program of the working directory is taken for one of the
 * system's.
 */
async function outputOf(command: string, env: Environment): Promise<string> {
  try {
    const options = { env: { ...env }, cwd: '/', timeout: COMMAND_TIMEOUT_MS };
    return (await promisify(execFile)('/bin/sh', ['-c', command], options)).stdout;
  } catch (error) {
    // What it printed on stdout may be the keys; what it printed on stderr says what is wrong.
    const { code, stderr = '' } = error as { code?: number | string; stderr?: string };
    const why = redactText(lastOf(stderr.trim().split('\n'))).slice(0, 300);
    throw new PipelineError(
      'CONFIG_INVALID',
      `QUOTIDIEN_PAYLOAD_KEYS_COMMAND failed (${String(code ?? 'ended')}): ${why}`,
    );
  }
}
