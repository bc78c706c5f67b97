import type { Config } from './load-config.ts';

/** Names of settings that are secrets as a whole; the AWS SDK reads the last one by itself. */
const SECRET_SETTINGS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'TEMPORAL_API_KEY'];

/** Every value of the configuration that no log line, message or failure may name. */
export function secretsOf({ env, hosts }: Pick<Config, 'env' | 'hosts'>): string[] {
  const keys = Object.values(hosts).map(({ key }) => key);
  const named = SECRET_SETTINGS.map((name) => env[name]);
  const inUrl = passwordsOf(env['MONGODB_URL']);
  const sealing = (env['QUOTIDIEN_PAYLOAD_KEYS'] ?? '').split(/[\s,]+/).map((entry) => entry.replace(/^[^:]*:/, ''));
  return [...keys, ...named, ...inUrl, ...sealing].filter(
    (value): value is string => value !== undefined && value !== '',
  );
}

/** As it stands in the URL, and as it is. The driver's URLs may list several hosts, which `URL` cannot read. */
function passwordsOf(url: string | undefined): string[] {
  const written = /^[^/]+:\/\/[^:/]*:(.*)@/.exec(url ?? '')?.[1];
  if (written === undefined) return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}
