/**
 * What object stores send when an object was created: the events of S3, bare, in the envelope of
 * SNS, or as MinIO and the Versity gateway post them, and the plain list `{"objects":
 * ["raw/api/…"]}` of a program that writes into the folder of the store. Pure.
 */

/** An object that was put somewhere. */
export interface ObjectNotice {
  /** Absent: the key is one of our own store. */
  readonly bucket?: string;
  readonly key: string;
}

/** What a message says. */
export interface ObjectNotices {
  readonly created: readonly ObjectNotice[];
  /** Why there is nothing in it, or not all of it is used; for people. */
  readonly remarks: readonly string[];
}

/** Envelopes within envelopes: SNS in SQS is one. */
const DEEPEST = 3;

type Member = Readonly<Record<string, unknown>>;

/**
 * Reads a message that was parsed from JSON; what is not understood is a remark, never an error.
 */
export function readObjectNotices(message: unknown, depth = 0): ObjectNotices {
  if (!isMember(message) || depth > DEEPEST)
    return nothing('the message is no notification of an object store');
  const { Type: type, Message: inner, SubscribeURL: confirm } = message;
  if (type === 'SubscriptionConfirmation')
    return nothing(`a topic asks to be confirmed: open ${text(confirm)} if it is yours`);
  if (type === 'Notification' && typeof inner === 'string')
    return readObjectNotices(parsed(inner), depth + 1);
  if (message['Event'] === 's3:TestEvent') return nothing('a test of the store, about no object');
  const { objects, Records: records } = message;
  if (Array.isArray(objects))
    return { created: objects.filter(isText).map((key) => ({ key })), remarks: [] };
  if (!Array.isArray(records)) return nothing('the message is no notification of an object store');
  const created: ObjectNotice[] = [];
  const remarks: string[] = [];
  for (const record of records as readonly unknown[]) {
    const notice = noticeOf(record);
    if (typeof notice === 'string') remarks.push(notice);
    else created.push(notice);
  }
  return { created, remarks };
}

function noticeOf(record: unknown): ObjectNotice | string {
  const { eventName, s3 } = isMember(record) ? record : {};
  const event = text(eventName).replace(/^s3:/, '');
  if (!event.startsWith('ObjectCreated'))
    return `${event === '' ? 'an event without a name' : event} is not listened to`;
  const { bucket, object } = isMember(s3) ? s3 : {};
  const { name } = isMember(bucket) ? bucket : {};
  const { key } = isMember(object) ? object : {};
  if (!isText(name) || !isText(key)) return `${event} without a bucket and a key`;
  return { bucket: name, key: decoded(key) };
}

/**
 * S3 and MinIO write keys as in the query of an address; a gateway that does not may have a bare
 * percent sign.
 */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

function nothing(remark: string): ObjectNotices {
  return { created: [], remarks: [remark] };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isMember(value: unknown): value is Member {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
