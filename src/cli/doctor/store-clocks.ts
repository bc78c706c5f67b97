import type { StorageChoice } from '../../config/storage-choice.ts';
import { createMongoClient } from '../../storage/mongo/mongo-client.ts';
import type { Finding } from './finding.ts';

const ANSWER_WITHIN_MS = 5_000;

/** AWS refuses requests that are signed five minutes off. */
const WARN_MS = 30_000;

/**
 * The clock of each remote store beside this machine's. A store that does not answer is told of
 * elsewhere.
 */
export async function examineStoreClocks(
  { objects, documents }: StorageChoice,
  now: () => Date,
): Promise<Finding[]> {
  const compare = (store: string, ask: () => Promise<number | undefined>) =>
    clockFinding(`${store}, clock`, ask, now);
  const asked: Promise<Finding | undefined>[] = [];
  if (objects.kind === 's3') {
    const url = objects.endpoint ?? `https://s3.${objects.region}.amazonaws.com`;
    asked.push(compare('objects (s3)', () => httpClock(url)));
  }
  if (documents.kind === 'dynamodb') {
    const url = documents.endpoint ?? `https://dynamodb.${documents.region}.amazonaws.com`;
    asked.push(compare('documents (dynamodb)', () => httpClock(url)));
  }
  if (documents.kind === 'mongodb')
    asked.push(compare('documents (mongodb)', () => mongoClock(documents)));
  return (await Promise.all(asked)).filter((finding) => finding !== undefined);
}

async function clockFinding(
  subject: string,
  ask: () => Promise<number | undefined>,
  now: () => Date,
): Promise<Finding | undefined> {
  const sentAt = now().getTime();
  const there = await ask().catch(() => undefined);
  if (there === undefined) return undefined;
  const offMs = (sentAt + now().getTime()) / 2 - there;
  const common = { area: 'stores', subject } as const;
  if (Math.abs(offMs) < WARN_MS)
    return { ...common, status: 'ok', detail: 'agrees with this machine' };
  const seconds = Math.round(Math.abs(offMs) / 1_000);
  return {
    ...common,
    status: 'warn',
    detail: `this machine is ${seconds} s ${offMs > 0 ? 'ahead' : 'behind'}`,
    next: 'Set both clocks and keep them set (NTP): signed requests are refused when they differ by minutes.',
  };
}

/**
 * The time in the header `date` of an answer, in milliseconds since 1970; undefined where none can
 * be read.
 */
export function toldTime(date: string | null): number | undefined {
  const there = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(there) ? undefined : there;
}

/** Any answer has the time, also a refusal. */
async function httpClock(url: string): Promise<number | undefined> {
  const answer = await fetch(url, {
    method: 'HEAD',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return toldTime(answer.headers.get('date'));
}

async function mongoClock(options: {
  readonly url: string;
  readonly database: string;
}): Promise<number | undefined> {
  const client = createMongoClient({ ...options, selectTimeoutMs: ANSWER_WITHIN_MS });
  try {
    const admin = client.db('admin');
    // Servers that speak the protocol without being MongoDB may know the old name alone.
    const { localTime } = await admin
      .command({ hello: 1 })
      .catch(() => admin.command({ isMaster: 1 }));
    return localTime instanceof Date ? localTime.getTime() : undefined;
  } finally {
    await client.close();
  }
}
