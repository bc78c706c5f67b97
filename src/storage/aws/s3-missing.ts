import { GetObjectCommand, HeadBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { PipelineError } from '../../errors.ts';
import { awsFault } from './aws-errors.ts';
import { isMissingObject, s3Error } from './s3-errors.ts';

/** Where to put: an object of a bucket, and its name for messages. */
export interface S3Target {
  readonly client: S3Client;
  readonly bucket: string;
  readonly objectKey: string;
  readonly place: string;
  /** Told of every piece that is taken from the body. */
  readonly onBytes: () => void;
}

/**
 * Whether a HEAD that failed means that there is no such object; throws what else it means. The
 * answer has no body that could name S3's own error: one that S3 has numbered is believed, any
 * other 404 may come from a proxy or a portal, so the object is asked for by GET, which has to say
 * `NoSuchKey`.
 */
export async function isMissingByHead(
  { client, bucket, objectKey, place }: S3Target,
  error: unknown,
): Promise<boolean> {
  const { status, requestId } = awsFault(error);
  if (status !== 404) throw s3Error(error, 'read', place);
  if (requestId !== undefined) return true;
  try {
    const found = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: objectKey, Range: 'bytes=0-0' }),
    );
    await found.Body?.transformToByteArray();
  } catch (asked) {
    if (isMissingObject(asked)) return true;
    // An empty object has no first byte.
    if (awsFault(asked).status !== 416) throw s3Error(asked, 'read', place);
  }
  throw new PipelineError(
    'STORE_UNAVAILABLE',
    `${place} came to be while it was looked at; try again`,
  );
}

/** Throws unless the bucket is there; as with objects, only what S3 itself says of it counts. */
export async function checkBucket(client: S3Client, bucket: string): Promise<void> {
  const place = `s3://${bucket}`;
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    const { status, requestId } = awsFault(error);
    if (status === 404 && requestId !== undefined)
      throw s3Error(noSuchBucket(error), 'find', place);
    if (status !== 404) throw s3Error(error, 'find', place);
    await client
      .send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }))
      .catch((asked: unknown) => {
        throw s3Error(asked, 'find', place);
      });
  }
}

function noSuchBucket(cause: unknown): Error {
  return Object.assign(new Error('the answer to HEAD is 404', { cause }), { name: 'NoSuchBucket' });
}
