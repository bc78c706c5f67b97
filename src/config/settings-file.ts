import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { definedMembers } from '../given.ts';
import { PipelineError } from '../errors.ts';
import type { Environment } from './environment.ts';
import { hostVariable } from './settings.ts';

/** Settings that name programs, which are then run. */
const PROGRAMS = ['TEMPORAL_CLI', 'QUOTIDIEN_PAYLOAD_KEYS_COMMAND'];

/** Settings that decide whom the console believes to be whom. */
const WHO_IS_WHO = [
  'QUOTIDIEN_OIDC_ISSUER',
  'QUOTIDIEN_OIDC_ROLES',
  'QUOTIDIEN_OIDC_ROLE_CLAIM',
  'QUOTIDIEN_TRUSTED_PROXIES',
];

/** What `<home>/settings.json` says. */
export interface SettingsFile {
  readonly settings: Environment;
  /** The member `datasets`, which is no setting of the environment, as it is written. */
  readonly datasets?: unknown;
  /** Why somebody else may have written the file, in words. */
  readonly foreign?: string;
}

/**
 * Reads `settings.json`; without one there are no settings. Owner and mode are those of the very
 * file that is read.
 */
export function readSettingsFile(file: string): SettingsFile {
  let text: string;
  let foreign: string | undefined;
  try {
    const handle = openSync(file, 'r');
    try {
      foreign = whyForeign(fstatSync(handle));
      text = readFileSync(handle, 'utf8');
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { settings: {} };
    throw new PipelineError(
      'CONFIG_INVALID',
      `${file} cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
  try {
    const { datasets, ...parsed } = JSON.parse(text) as Record<string, unknown>;
    const settings = Object.fromEntries(
      Object.entries(parsed).map(([name, value]) => [name, String(value)]),
    );
    return { settings, ...definedMembers({ datasets, foreign }) };
  } catch (error) {
    throw new PipelineError('CONFIG_INVALID', `${file} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function whyForeign({
  uid,
  mode,
}: {
  readonly uid: number;
  readonly mode: number;
}): string | undefined {
  const us = process.getuid?.();
  if (us === undefined) return undefined;
  if (uid !== us && uid !== 0) return 'which belongs to another user';
  return (mode & 0o002) === 0 ? undefined : 'which everybody may write to';
}

/**
 * Settings of the file that are not taken, in words: programs, and who may act, unless the file is
 * ours and its folder was named by a person and not found where a command happened to be called;
 * and addresses to which a key of the environment would go, unless the file is ours.
 */
export function untrustedSettings(
  { settings, foreign }: SettingsFile,
  {
    file,
    named,
    env,
    hosts,
  }: { file: string; named: boolean; env: Environment; hosts: readonly string[] },
): string[] {
  const why =
    foreign ?? (named ? undefined : 'whose folder nobody named: use --home or QUOTIDIEN_HOME');
  if (why === undefined) return [];
  const refused = PROGRAMS.filter((name) => isFrom(name)).map(
    (name) =>
      `${name} names a program and is not taken from ${file}, ${why}; set it in the environment`,
  );
  refused.push(
    ...WHO_IS_WHO.filter((name) => isFrom(name)).map(
      (name) =>
        `${name} decides who may act and is not taken from ${file}, ${why}; set it in the environment`,
    ),
  );
  if (foreign === undefined) return refused;
  const addresses = hosts
    .filter((host) => env[hostVariable(host, 'KEY')] !== undefined)
    .map((host) => hostVariable(host, 'URL'))
    .filter((name) => isFrom(name))
    .map(
      (name) =>
        `${name} would be told a key of the environment and is not taken from ${file}, ${foreign}`,
    );
  return [...refused, ...addresses];

  function isFrom(name: string): boolean {
    return settings[name] !== undefined && env[name] === undefined;
  }
}
