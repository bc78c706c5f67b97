import path from 'node:path';
import type * as z from 'zod';
import { definedMembers } from '../given.ts';
import { PipelineError } from '../errors.ts';
import { cacheFolder } from './cache-folder.ts';
import { depositPlaces, earlierProblems, withEarlierNames } from './earlier-settings.ts';
import type { DepositPlaces } from './earlier-settings.ts';
import type { Environment } from './environment.ts';
import { nearestName } from './nearest-name.ts';
import { HOST_SETTING, SETTINGS, hostVariable } from './settings.ts';
import type { HostSettings, Settings } from './settings.ts';
import { readSettingsFile, untrustedSettings } from './settings-file.ts';
import { chooseStorage } from './storage-choice.ts';
import type { StorageChoice } from './storage-choice.ts';
import { signInProblems } from './sign-in.ts';

/** Where settings come from; given, so that tests need no process of their own. */
export interface ConfigSources {
  readonly env: Environment;
  readonly cwd: string;
  /** From the command line; wins over `QUOTIDIEN_HOME`. */
  readonly home?: string | undefined;
  /** The publisher hosts that datasets declare. */
  readonly hosts: readonly string[];
}

/** Settings that were checked, with what follows from them. */
export interface Config {
  /** Folder of everything that Quotidien keeps on this machine. */
  readonly home: string;
  readonly settings: Settings;
  readonly hosts: Readonly<Record<string, HostSettings>>;
  readonly storage: StorageChoice;
  /**
   * The environment with the settings file below it, for libraries that read their own names from
   * it.
   */
  readonly env: Environment;
  readonly cacheDir: string;
  /** Whether a person named the home; otherwise it is the one of the working folder. */
  readonly homeIsNamed: boolean;
  /** Where other programs put raw files on this machine. */
  readonly deposits?: DepositPlaces;
}

const PREFIX = 'QUOTIDIEN_';
const HOME = 'QUOTIDIEN_HOME';
const HOST_SETTING_NAMES = Object.keys(HOST_SETTING) as (keyof typeof HOST_SETTING)[];

/** The folder of everything on this machine, and whether a person named it. */
export function homeOf({ env, cwd, home }: Omit<ConfigSources, 'hosts'>): {
  home: string;
  named: boolean;
} {
  const given = home ?? definedOnly(env)[HOME];
  return { home: path.resolve(cwd, given ?? '.quotidien'), named: given !== undefined };
}

/**
 * Reads the whole configuration once. `CONFIG_INVALID` lists every problem and where the value came
 * from.
 */
export function loadConfig(sources: ConfigSources): Config {
  const { home, named } = homeOf(sources);
  const file = path.join(home, 'settings.json');
  const fromFile = readSettingsFile(file);
  const given = definedOnly(sources.env);
  const env: Environment = withEarlierNames({ ...fromFile.settings, ...given });
  const place = (name: string): string =>
    sources.env[name] === undefined ? file : 'the environment';
  const problems = [
    ...unknownNames(env, sources.hosts, place),
    ...earlierProblems(env, place),
    ...untrustedSettings(fromFile, { file, named, env: given, hosts: sources.hosts }),
  ];
  const parsed = SETTINGS.safeParse(env);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => describe(issue, place)));
  const hosts = Object.fromEntries(
    sources.hosts.map((host) => [host, hostSettings(env, host, problems, place)]),
  );
  const { storage, problems: storageProblems } = chooseStorage(env);
  problems.push(...storageProblems);
  if (
    env['QUOTIDIEN_PAYLOAD_KEYS'] !== undefined &&
    env['QUOTIDIEN_PAYLOAD_KEYS_COMMAND'] !== undefined
  )
    problems.push(
      'QUOTIDIEN_PAYLOAD_KEYS and QUOTIDIEN_PAYLOAD_KEYS_COMMAND both give keys: remove one of them',
    );
  if (parsed.success) problems.push(...signInProblems(parsed.data));
  if (problems.length > 0 || !parsed.success) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `the configuration has ${problems.length} problems:\n- ${problems.join('\n- ')}`,
    );
  }
  const cacheDir = cacheFolder(env, sources.cwd);
  const deposits = depositPlaces(env, sources.cwd);
  const places = definedMembers({ deposits });
  return {
    home,
    settings: parsed.data,
    hosts,
    storage,
    env,
    cacheDir,
    homeIsNamed: named,
    ...places,
  };
}

/** An empty variable counts as not set, as compose files write them. */
function definedOnly(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function unknownNames(
  env: Environment,
  hosts: readonly string[],
  place: (name: string) => string,
): string[] {
  const perHost = hosts.flatMap((host) =>
    HOST_SETTING_NAMES.map((name) => hostVariable(host, name)),
  );
  const known = [HOME, ...Object.keys(SETTINGS.shape), ...perHost];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .map(
      (name) =>
        `${name} (from ${place(name)}) is no setting; the nearest is ${nearestName(name, known) ?? HOME}`,
    );
}

/** Names the setting and the rule, never the value: it may be a secret. */
function describe(issue: z.core.$ZodIssue, place: (name: string) => string): string {
  const name = issue.path.map(String).join('.');
  return `${name} (from ${place(name)}): ${issue.message}`;
}

function hostSettings(
  env: Environment,
  host: string,
  problems: string[],
  place: (name: string) => string,
): HostSettings {
  const read = <T>(name: keyof typeof HOST_SETTING, schema: z.ZodType<T>): T | undefined => {
    const variable = hostVariable(host, name);
    const value = env[variable];
    if (value === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    problems.push(
      `${variable} (from ${place(variable)}): ${parsed.error.issues[0]?.message ?? 'not usable'}`,
    );
    return undefined;
  };
  const url = read('URL', HOST_SETTING.URL.schema);
  const requestsPerSecond = read('REQUESTS_PER_SECOND', HOST_SETTING.REQUESTS_PER_SECOND.schema);
  const key = read('KEY', HOST_SETTING.KEY.schema);
  const maxMb = read('MAX_MB', HOST_SETTING.MAX_MB.schema);
  const hostKeys = read('HOST_KEY', HOST_SETTING.HOST_KEY.schema);
  const fileKeys = read('FILE_KEYS', HOST_SETTING.FILE_KEYS.schema);
  return {
    ...definedMembers({ hostKeys, fileKeys, maxMb, key, url, requestsPerSecond }),
  };
}
