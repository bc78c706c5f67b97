import { describe, expect, it } from 'vitest';
import { objectNameIn } from '../../../src/config/object-names.ts';
import { chooseStorage } from '../../../src/config/storage-choice.ts';
import { readObjectNotices } from '../../../src/pipelines/object-notice.ts';

const record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName,
  s3: { s3SchemaVersion: '1.0', bucket: { name: 'days' }, object: { key, size: 2, eTag: 'x' } },
});
const KEY = 'raw/api/bikes/dt=2025-11-04/hour=09/my file.json';
const CREATED = { created: [{ bucket: 'days', key: KEY }], remarks: [] };
const encoded = 'raw/api/bikes/dt%3D2025-11-04/hour%3D09/my+file.json';

describe('a notification', () => {
  it.each([
    ['S3', { Records: [record(encoded)] }],
    [
      'MinIO',
      {
        EventName: 's3:ObjectCreated:Put',
        Key: `days/${KEY}`,
        Records: [record(encoded, 's3:ObjectCreated:Put')],
      },
    ],
    [
      'SNS',
      {
        Type: 'Notification',
        TopicArn: 't',
        Message: JSON.stringify({ Records: [record(encoded)] }),
      },
    ],
  ])('of %s names bucket and key', (_, message) => {
    expect(readObjectNotices(message)).toEqual(CREATED);
  });

  it('of a program names objects of our own store', () => {
    expect(readObjectNotices({ objects: [KEY, 3] })).toEqual({
      created: [{ key: KEY }],
      remarks: [],
    });
  });

  it('keeps what it names beside what it says of other events', () => {
    const { created, remarks } = readObjectNotices({
      Records: [
        record(encoded),
        record('a', 'ObjectRemoved:Delete'),
        { eventName: 'ObjectCreated:Put' },
        7,
      ],
    });
    expect([created, remarks]).toEqual([
      CREATED.created,
      [
        'ObjectRemoved:Delete is not listened to',
        'ObjectCreated:Put without a bucket and a key',
        'an event without a name is not listened to',
      ],
    ]);
  });

  it.each([
    [{ Service: 'Amazon S3', Event: 's3:TestEvent' }, /a test of the store/],
    [
      { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://sns.x/?a' },
      /open https:\/\/sns\.x\/\?a if it is yours/,
    ],
    [{ Type: 'Notification', Message: 'no JSON' }, /no notification/],
    [{ Records: 'x' }, /no notification/],
    [[], /no notification/],
    [null, /no notification/],
  ])('%# about no object is said, and never an error', (message, remark) => {
    expect(readObjectNotices(message)).toEqual({
      created: [],
      remarks: [expect.stringMatching(remark)],
    });
  });

  it('within envelopes without end is given up', () => {
    let message: unknown = { Records: [record(encoded)] };
    for (let depth = 0; depth < 5; depth += 1)
      message = { Type: 'Notification', Message: JSON.stringify(message) };
    expect(readObjectNotices(message).created).toEqual([]);
  });
});

describe('an object of a bucket', () => {
  const s3 = { USE_S3: 'true', QUOTIDIEN_S3_BUCKET: 'days' };
  const named = (env: Record<string, string>, bucket: string | undefined, key: string) =>
    objectNameIn(chooseStorage(env).storage.objects, bucket, key);

  it.each([
    ['the bucket itself', s3, 'days', 'raw/batch/x.csv', 'raw/batch/x.csv'],
    [
      'a raw bucket',
      { ...s3, S3_RAW_BUCKET: 'others', S3_RAW_PREFIX: 'in' },
      'others',
      'in/batch/x',
      'raw/batch/x',
    ],
    [
      'a raw bucket that is only read',
      { ...s3, S3_RAW_BUCKET: 'others', QUOTIDIEN_S3_RAW_READ_ONLY: 'true' },
      'others',
      'raw/batch/x',
      'deposited/bucket/batch/x',
    ],
  ])('has the name of the store in %s', (_, env, bucket, key, name) => {
    expect(named(env, bucket, key)).toBe(name);
  });

  it('has none in a foreign bucket, where other keys hide it, and in a store of files', () => {
    expect(named(s3, 'others', 'raw/batch/x')).toBeUndefined();
    expect(named({ ...s3, S3_RAW_BUCKET: 'others' }, 'days', 'raw/batch/x')).toBeUndefined();
    expect(named({}, 'days', 'raw/batch/x')).toBeUndefined();
    expect(named({}, undefined, 'raw/batch/x')).toBe('raw/batch/x');
  });
});
