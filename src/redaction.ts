/**
 * Takes secrets out of whatever is about to be shown, logged or sent to Temporal: by the names of
 * members, by the forms in which secrets stand in text (addresses with a password, query
 * parameters, authorization headers), and by their values where the caller knows them. A leaf like
 * the error table, so that every folder may use it.
 */

const REDACTED = '[redacted]';

/**
 * Words that make a name that of a secret, alone or as a pair, as in `X-Api-Key`, `api_key` and
 * `apiKey`.
 */
const SECRET_WORDS = new Set(
  [
    'password',
    'passwd',
    'pwd',
    'secret',
    'token',
    'authorization',
    'credential',
    'credentials',
    'cookie',
  ].concat([
    'apikey',
    'accesskey',
    'privatekey',
    'sessionkey',
    'secretkey',
    'authtoken',
    'secretaccesskey',
  ]),
);

/**
 * Deeper than anything that a person reads; what is below is left out as a whole, so that nothing
 * below it can leak.
 */
const DEEPEST = 64;

/** Shorter values would tear words apart, and are no secrets. */
const SHORTEST_SECRET = 4;

/** Whether the member or parameter of this name holds a secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some(
    (word, index) => SECRET_WORDS.has(word) || SECRET_WORDS.has(`${words[index - 1] ?? ''}${word}`),
  );
}

/** The text without the known secrets and without what looks like one. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let safe = text;
  for (const secret of secrets.flatMap(formsOf)) safe = safe.replaceAll(secret, REDACTED);
  return (
    safe
      // scheme://user:password@host
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@'"]*:[^\s/?#'"]*@/gi, `$1${REDACTED}@`)
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`)
      // ?name=value, name: value, "name":"value"
      .replace(/([\w-]+)(=|["']?\s*:\s*["']?)([^\s&#"',;)}\]]+)/g, withoutSecret)
  );
}

function withoutSecret(whole: string, name: string, sign: string, value: string): string {
  return isSecretName(name) && !/^(bearer|basic)$/i.test(value)
    ? `${name}${sign}${REDACTED}`
    : whole;
}

/** A secret stands in addresses in its encoded form. */
function formsOf(secret: string): string[] {
  if (secret.length < SHORTEST_SECRET) return [];
  const encoded = encodeURIComponent(secret);
  return encoded === secret ? [secret] : [secret, encoded];
}

/**
 * A copy of any value that is safe to log: members with the names of secrets are replaced, texts
 * redacted, errors become plain objects with their causes; a cycle and what lies too deep are named
 * and not followed.
 */
export function redacted(value: unknown, secrets: readonly string[] = []): unknown {
  return copy(value, secrets, []);
}

function copy(value: unknown, secrets: readonly string[], above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' ? '[function]' : value;
  if (value instanceof Date) return value;
  if (above.includes(value)) return '[circular]';
  if (above.length >= DEEPEST) return '[too deep]';
  const path = [...above, value];
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item, secrets, path));
  if (value instanceof Map)
    return copy(Object.fromEntries(value as Map<string, unknown>), secrets, path);
  if (value instanceof Set) return copy([...(value as Set<unknown>)], secrets, path);
  if (value instanceof URL) return redactText(value.href, secrets);
  return Object.fromEntries(
    membersOf(value).map(([name, member]) => [
      redactText(name, secrets),
      isSecretName(name) && member !== undefined && member !== null
        ? REDACTED
        : copy(member, secrets, path),
    ]),
  );
}

/** An error's own words are not enumerable, and are what matters. */
function membersOf(value: object): [string, unknown][] {
  const members = Object.entries(value);
  if (!(value instanceof Error)) return members;
  const { name, message, stack, cause } = value;
  const more =
    value instanceof AggregateError ? [['errors', value.errors] as [string, unknown]] : [];
  const own = members.filter(
    ([member]) => !['name', 'message', 'stack', 'cause', 'errors'].includes(member),
  );
  const chain: [string, unknown][] = cause === undefined ? [] : [['cause', cause]];
  return [['type', name], ['message', message], ['stack', stack], ...own, ...chain, ...more];
}

/**
 * An error with the same name, words and causes, and without secrets, for whoever needs an `Error`:
 * Temporal turns one with all of its causes into the failure that it keeps, and follows a cycle for
 * ever.
 */
export function redactedError(error: unknown, secrets: readonly string[] = []): Error {
  return copyError(error, secrets, []);
}

function copyError(error: unknown, secrets: readonly string[], above: readonly unknown[]): Error {
  if (above.includes(error)) return new Error('[circular]');
  if (above.length >= DEEPEST) return new Error('[too deep]');
  if (!(error instanceof Error)) return bare('Error', textOf(error, secrets), undefined);
  const cause = causeOf(error);
  const safe = bare(
    error.name,
    redactText(error.message, secrets),
    error.stack && redactText(error.stack, secrets),
  );
  if (cause !== undefined) safe.cause = copyError(cause, secrets, [...above, error]);
  return safe;
}

/** Of an error that stands for several, the first one. */
function causeOf(error: Error): unknown {
  return (
    error.cause ?? (error instanceof AggregateError ? (error.errors[0] as unknown) : undefined)
  );
}

function textOf(value: unknown, secrets: readonly string[]): string {
  if (typeof value === 'string') return redactText(value, secrets);
  return JSON.stringify(redacted(value, secrets) ?? null);
}

function bare(name: string, message: string, stack: string | undefined): Error {
  const error = new Error(message);
  error.name = name;
  error.stack = stack ?? `${name}: ${message}`;
  return error;
}
