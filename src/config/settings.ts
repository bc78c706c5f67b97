import * as z from 'zod';
import { parseAddressRanges } from './address-ranges.ts';
import { parsePayloadKeys } from './payload-keys.ts';
import { parseRoleRules } from './role-rules.ts';

/**
 * Every setting of Quotidien, by the name of its environment variable. The same names work in
 * `<home>/settings.json`; the environment wins. Nothing else in the project reads the environment.
 */

const positiveInteger = z.coerce.number().int().positive();

/** Environment files have values of one line: a private key has `\\n` in it there. */
function withLineEnds(text: string): string {
  return text.replaceAll('\\n', '\n');
}

/**
 * `<pipeline>.rain_mm=4,…` as numbers by pipeline and name; which names there are, the pipelines
 * know.
 */
function parseThresholds(
  text: string,
  context: z.RefinementCtx,
): Record<string, Record<string, number>> {
  const thresholds: Record<string, Record<string, number>> = {};
  for (const part of text.split(/[\s,]+/).filter((entry) => entry !== '')) {
    const [, pipeline, name, value] = /^([a-z0-9-]+)\.(\w+)=(-?\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (pipeline === undefined || name === undefined || value === undefined)
      context.addIssue({
        code: 'custom',
        message: 'takes entries such as <pipeline>.rain_mm=4, with commas between',
      });
    else thresholds[pipeline] = { ...thresholds[pipeline], [name]: Number(value) };
  }
  return thresholds;
}

/** `<pipeline>=16,…` as numbers by pipeline; which numbers are possible, the pipelines know. */
function parseShards(text: string, context: z.RefinementCtx): Record<string, number> {
  const shards: Record<string, number> = {};
  for (const part of text.split(/[\s,]+/).filter((entry) => entry !== '')) {
    const [, pipeline, of] = /^([a-z0-9-]+)=(\d{1,3})$/.exec(part) ?? [];
    if (pipeline === undefined)
      context.addIssue({
        code: 'custom',
        message: 'takes entries such as <pipeline>=16, with commas between',
      });
    else shards[pipeline] = Number(of);
  }
  return shards;
}

/** Reads a text by one of our parsers, whose problem becomes the message. */
function parsed<T>(
  parse: (text: string) => { readonly problem?: string } & T,
): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const read = parse(text);
    if (read.problem !== undefined) context.addIssue({ code: 'custom', message: read.problem });
    return read;
  });
}

/** Whether an issuer speaks https; on this machine it need not. */
function isSafeIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return (
    (protocol === 'https:' || (protocol === 'http:' && isHere)) && search === '' && hash === ''
  );
}

function setting<T extends z.ZodType>(type: T, description: string): T {
  return type.describe(description);
}

/** `loadConfig` refuses other names that begin like ours, so that no misspelling is lost. */
export const SETTINGS = z.object({
  QUOTIDIEN_TASK_QUEUE: setting(
    z.string().min(1).default('quotidien'),
    'Prefix of the Temporal task queues',
  ),
  QUOTIDIEN_CACHE: setting(
    z.string().min(1).optional(),
    'Folder for tools that are fetched once, such as the Temporal CLI; default: the user’s own',
  ),
  QUOTIDIEN_LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'Least level of the log lines',
  ),
  QUOTIDIEN_SQL_MEMORY_MB: setting(
    positiveInteger.default(384),
    'Memory limit of the SQL engine in MiB',
  ),
  QUOTIDIEN_SQL_THREADS: setting(positiveInteger.default(2), 'Threads of the SQL engine'),
  QUOTIDIEN_SQL_SESSIONS: setting(
    positiveInteger.default(2),
    'SQL steps that run at the same time in one worker',
  ),
  QUOTIDIEN_RETRY_INITIAL_MS: setting(
    positiveInteger.default(2_000),
    'First wait before a failed step is tried again',
  ),
  QUOTIDIEN_RETRY_MAXIMUM_MS: setting(
    positiveInteger.default(120_000),
    'Longest wait between two tries of a step',
  ),
  QUOTIDIEN_RETRY_ATTEMPTS: setting(
    positiveInteger.default(8),
    'Tries of a step before it counts as failed',
  ),
  QUOTIDIEN_HEARTBEAT_MS: setting(
    z.coerce.number().int().min(1_000).default(10_000),
    'A worker that is silent for this long counts as lost',
  ),
  QUOTIDIEN_STALL_MS: setting(
    z.coerce.number().int().min(1_000).default(900_000),
    'A step that gets nowhere for this long is given up and tried again; longer than any single SQL statement takes',
  ),
  QUOTIDIEN_ROLLUP_QUIET_MS: setting(
    positiveInteger.default(15_000),
    'Time without a changed day before months, years and histories are rebuilt',
  ),
  QUOTIDIEN_HTTP_IDLE_MS: setting(
    positiveInteger.default(60_000),
    'Longest silence of a publisher during a download',
  ),
  QUOTIDIEN_DEPOSITS: setting(
    z.enum(['before', 'after', 'instead', 'off']).default('before'),
    'When days and watches take in files that other programs put under the raw names: before the publisher is asked, after, instead, or off',
  ),
  QUOTIDIEN_RETAIN: setting(
    z.enum(['dry-run', 'apply']).default('dry-run'),
    'What the schedule of retention does with content that is past its time: dry-run tells what that is, apply destroys it for good',
  ),
  QUOTIDIEN_DEPOSIT_QUEUE: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'Address of the SQS queue in which the store tells of new files; workers listen to it',
  ),
  ENABLE_SOURCES: setting(
    z
      .string()
      .transform((text) => text.split(/[\s,]+/).filter((name) => name !== ''))
      .optional(),
    'Earlier name: the sources of CityFlow that are asked, such as weather,traffic,bikes; the other ones of these are left out',
  ),
  QUOTIDIEN_THRESHOLDS: setting(
    z.string().transform(parseThresholds).default({}),
    'Limits of judgements in place of the pipelines’ own, such as <pipeline>.rain_mm=4,<pipeline>.cold_c=8',
  ),
  QUOTIDIEN_SHARDS: setting(
    z.string().transform(parseShards).default({}),
    'Shards in which days of a pipeline come, such as <pipeline>=16, the same on every host; default: none',
  ),
  QUOTIDIEN_METER_SECRET: setting(
    z.string().min(16).optional(),
    'Secret by which ids of meters become keys and contracts of Enedis pseudonyms, the same on every host; default: one of this home, made once',
  ),
  QUOTIDIEN_CLICKHOUSE_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'Where "quotidien export --clickhouse" copies tables: http(s)://<user>:<password>@<host>:8123/<database>',
  ),
  QUOTIDIEN_COMPUTE_ACTIVITIES: setting(
    positiveInteger.default(16),
    'Steps of one compute worker at the same time',
  ),
  QUOTIDIEN_FETCH_ACTIVITIES: setting(
    positiveInteger.default(2),
    'Downloads of one worker and host at the same time',
  ),
  QUOTIDIEN_REPORT_ACTIVITIES: setting(
    positiveInteger.default(4),
    'Reports of one worker at the same time',
  ),
  QUOTIDIEN_CACHED_WORKFLOWS: setting(
    positiveInteger.optional(),
    'Workflows that one worker keeps in memory',
  ),
  QUOTIDIEN_GRACE_SECONDS: setting(
    positiveInteger.default(20),
    'Time that running steps get when a worker stops',
  ),
  QUOTIDIEN_BUILD_ID: setting(
    z.string().min(1).optional(),
    'Version of the workers; with it a run stays with the build that it started on',
  ),
  QUOTIDIEN_METRICS_ADDRESS: setting(
    z.string().regex(/:\d+$/).optional(),
    'Host and port of the metrics for Prometheus, such as 0.0.0.0:9464',
  ),
  QUOTIDIEN_HEALTH_PORT: setting(
    positiveInteger.optional(),
    'Port of /live and /ready of a worker',
  ),
  QUOTIDIEN_TLS_CERT: setting(
    z.string().min(1).optional(),
    'File of the certificate (PEM, with those between) by which `quotidien api` speaks https itself, for --public-url',
  ),
  QUOTIDIEN_TLS_KEY: setting(
    z.string().min(1).optional(),
    'File of the private key (PEM) of that certificate',
  ),
  QUOTIDIEN_TRUSTED_PROXIES: setting(
    parsed(parseAddressRanges).optional(),
    'Addresses of the proxies that speak https for `quotidien api`, such as 127.0.0.1,10.0.0.0/24; behind --public-url no other one is answered',
  ),
  QUOTIDIEN_OIDC_ISSUER: setting(
    z
      .string()
      .refine(isSafeIssuer, 'takes the https address of the issuer (http on this machine alone)')
      .optional(),
    'Address of the OpenID Connect issuer by which people sign in to the console, as it names itself',
  ),
  QUOTIDIEN_OIDC_CLIENT_ID: setting(
    z.string().min(1).optional(),
    'Id by which the issuer knows the console',
  ),
  QUOTIDIEN_OIDC_CLIENT_SECRET: setting(
    z.string().min(1).optional(),
    'Secret of that client; none for a public client, which PKCE alone protects',
  ),
  QUOTIDIEN_OIDC_CLIENT_AUTH: setting(
    z.enum(['basic', 'post']).default('basic'),
    'How the secret is sent to the issuer: in a header, or in the body',
  ),
  QUOTIDIEN_OIDC_SCOPES: setting(
    z
      .string()
      .regex(/(^| )openid( |$)/, 'needs openid among its scopes')
      .default('openid profile email'),
    'Scopes that are asked of the issuer, with spaces between',
  ),
  QUOTIDIEN_OIDC_ROLE_CLAIM: setting(
    z.string().min(1).default('groups'),
    'Claim that says what a person is; a path with dots reaches into it, such as realm_access.roles',
  ),
  QUOTIDIEN_OIDC_NAME_CLAIM: setting(
    z.string().min(1).default('preferred_username'),
    'Claim that names a person in the audit; choose one that people cannot change themselves',
  ),
  QUOTIDIEN_OIDC_ROLES: setting(
    parsed(parseRoleRules).optional(),
    'What values of the role claim are worth: value=role, or value=role:pipeline, with ; between; roles are reader, operator and admin, * is everybody',
  ),
  QUOTIDIEN_SESSION_HOURS: setting(
    z.coerce.number().int().min(1).max(24).default(12),
    'Hours after which a session of the console ends at any rate; a role that was taken away at the issuer lasts no longer',
  ),
  QUOTIDIEN_S3_BUCKET: setting(
    z.string().min(3).optional(),
    'Bucket of the objects, where S3 is chosen',
  ),
  QUOTIDIEN_S3_RAW_READ_ONLY: setting(
    z.enum(['true', 'false']).default('false'),
    'The bucket of the raw files belongs to other programs: it is read, and our own raw files stay in ours',
  ),
  QUOTIDIEN_S3_ENDPOINT: setting(z.url().optional(), 'Base URL of another server that speaks S3'),
  QUOTIDIEN_DYNAMODB_ENDPOINT: setting(
    z.url().optional(),
    'Base URL of another server that speaks DynamoDB',
  ),
  QUOTIDIEN_DYNAMODB_PREFIX: setting(
    z.string().min(1).optional(),
    'Beginning of the names of our DynamoDB tables',
  ),
  QUOTIDIEN_OBJECT_CACHE_MB: setting(
    positiveInteger.default(10_240),
    'Size of the local cache in front of S3, in MiB; the least recently used objects go first',
  ),
  QUOTIDIEN_STORE_ANSWER_MS: setting(
    positiveInteger.default(15_000),
    'Longest silence of a remote store before a call to it counts as unanswered',
  ),
  QUOTIDIEN_PAYLOAD_KEYS: setting(
    z
      .string()
      .superRefine((text, context) => {
        const { problem } = parsePayloadKeys(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    'Keys (id:base64, the first one encrypts) of what Temporal keeps of runs',
  ),
  QUOTIDIEN_RAW_KEYS: setting(
    z
      .string()
      .superRefine((text, context) => {
        const { problem } = parsePayloadKeys(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional(),
    'Keys (id:base64, the first one encrypts) that protect the keys of raw files with personal data',
  ),
  QUOTIDIEN_PAYLOAD_KEYS_COMMAND: setting(
    z.string().min(1).optional(),
    'Command that prints these keys, such as one that asks a secret store',
  ),
  REPORT_DATE: setting(
    z
      .string()
      .regex(/^\d{4}-\d\d-\d\d$/)
      .optional(),
    'Date of the report that `quotidien report` makes when none is given',
  ),
  TEMPORAL_CLI: setting(
    z.string().min(1).optional(),
    'Path of the Temporal CLI to use for the development server',
  ),
  TEMPORAL_PORT: setting(positiveInteger.optional(), 'Port of the development server'),
  TEMPORAL_UI_PORT: setting(positiveInteger.optional(), 'Port of the development server’s UI'),
});

/** After defaults and coercions. */
export type Settings = z.infer<typeof SETTINGS>;

/** Settings per publisher host, such as `QUOTIDIEN_ODRE_URL`. */
export interface HostSettings {
  readonly url?: string;
  readonly requestsPerSecond?: number;
  /** A secret. */
  readonly key?: string;
  /** Fingerprints of the server's keys, as `SHA256:…`. */
  readonly hostKeys?: readonly string[];
  /** Secrets, in the form that the dataset reads. */
  readonly fileKeys?: string;
  readonly maxMb?: number;
}

/** Settings of each publisher's host: the variable is `QUOTIDIEN_<HOST>_<NAME>`. */
export const HOST_SETTING = {
  URL: {
    schema: z.url({ protocol: /^(https?|sftp|file)$/ }),
    description: 'Base URL of the publisher',
  },
  KEY: {
    schema: z.string().min(1).transform(withLineEnds),
    description:
      'Key that the publisher gave us; of an SFTP server our password or private key (PEM)',
  },
  HOST_KEY: {
    schema: z
      .string()
      .transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ''))
      .pipe(
        z
          .array(
            z
              .string()
              .regex(
                /^SHA256:[A-Za-z0-9+/]{43}$/,
                'takes fingerprints such as SHA256:…, with commas between',
              ),
          )
          .min(1),
      ),
    description: 'Fingerprints of the keys of the publisher’s SFTP server, with commas between',
  },
  FILE_KEYS: {
    schema: z.string().min(1).transform(withLineEnds),
    description:
      'Keys that the publisher seals its files with: "label: key" or "label: key iv" in hex, with commas between',
  },
  REQUESTS_PER_SECOND: {
    schema: z.coerce.number().positive(),
    description: 'Most requests a second to the publisher',
  },
  MAX_MB: {
    schema: positiveInteger,
    description: 'Largest answer of the publisher, decoded, in MiB',
  },
} as const;

/** `idfm`, `KEY` → `QUOTIDIEN_IDFM_KEY`. */
export function hostVariable(host: string, name: keyof typeof HOST_SETTING): string {
  return `QUOTIDIEN_${host.toUpperCase().replaceAll('-', '_')}_${name}`;
}
