import type { Config } from './load-config.ts';
import { matchOf } from '../given.ts';

/** Names of settings that are secrets as a whole; the AWS SDK reads the last one by itself. */
const SECRET_SETTINGS = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'TEMPORAL_API_KEY',
  'QUOTIDIEN_METER_SECRET',
  'QUOTIDIEN_OIDC_CLIENT_SECRET',
];

/** Every value of the configuration that no log line, message or failure may name. */
export function secretsOf({ env, hosts }: Pick<Config, 'env' | 'hosts'>): string[] {
  const keys = Object.values(hosts).flatMap(({ key, fileKeys }) => [
    key,
    ...linesOf(key),
    ...keysIn(fileKeys),
  ]);
  const named = SECRET_SETTINGS.map((name) => env[name]);
  const inUrl = ['MONGODB_URL', 'QUOTIDIEN_CLICKHOUSE_URL'].flatMap((name) =>
    passwordsOf(env[name]),
  );
  const sealing = ['QUOTIDIEN_PAYLOAD_KEYS', 'QUOTIDIEN_RAW_KEYS'].flatMap((name) =>
    env[name]?.split(/[\s,]+/).map((entry) => entry.replace(/^[^:]*:/, '')),
  );
  return [...keys, ...named, ...inUrl, ...sealing].filter(
    (value): value is string => value !== undefined && value !== '',
  );
}

/** A private key has many lines; a message may quote one of them. */
function linesOf(key: string | undefined): string[] {
  return key?.includes('-----BEGIN') === true
    ? key.split('\n').filter((line) => !line.startsWith('-----'))
    : [];
}

/** Keys of files are hex; their labels are no secrets. */
function keysIn(fileKeys: string | undefined): string[] {
  return fileKeys?.match(/\b[0-9a-f]{32,}\b/gi) ?? [];
}

/**
 * As it stands in the URL, and as it is. The driver's URLs may list several hosts, which `URL`
 * cannot read.
 */
function passwordsOf(url: string | undefined): string[] {
  const written = matchOf(/^[^/]+:\/\/[^:/]*:(.*)@/, url)?.[1];
  if (written === undefined) return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}
