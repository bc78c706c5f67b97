import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { STAGING_PART } from '../shared/object-key.ts';
import { isLostRace, s3Error } from './s3-errors.ts';

/** Whether create-only holds on a server, and what was seen. */
export interface CreateOnlyProbe {
  readonly honoured: boolean;
  /** In words for a person, such as "12 of 16 creators of one key were told that they won". */
  readonly seen: string;
}

/**
 * A server that checks and then writes lets several win in about a third of the rounds: eight miss
 * that in 1 of 25 probes.
 */
const ROUNDS = 8;
const CREATORS = 16;

interface ProbedBucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
}

/**
 * Tries whether `If-None-Match: *` is honoured one after the other, among creators at the same
 * time, and by the completion of a multipart upload. A server that ignores the header answers as if
 * all were well, so nothing but trying tells. About 150 small requests.
 */
export async function probeCreateOnly(place: ProbedBucket): Promise<CreateOnlyProbe> {
  // The staging folder is reserved in all adapters, so the probe is no object of the store.
  const folder = `${place.prefix}${STAGING_PART}/probe-${randomUUID()}`;
  const keys = Array.from({ length: ROUNDS }, (_, round) => `${folder}-${round}`);
  try {
    const [first] = keys as [string];
    const wrong =
      (await probeInTurn(place, first)) ??
      (await probeParts(place, first)) ??
      (await probeRaces(place, keys.slice(1)));
    const races = `${ROUNDS - 1} races of ${CREATORS} creators had one winner each`;
    return wrong === undefined
      ? {
          honoured: true,
          seen: `a second creator and a second multipart upload were refused, and ${races}`,
        }
      : { honoured: false, seen: wrong };
  } catch (error) {
    throw s3Error(error, 'probe', `s3://${place.bucket}/${folder}`);
  } finally {
    await Promise.allSettled(
      keys.map((Key) => place.client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key }))),
    );
  }
}

async function probeInTurn(place: ProbedBucket, key: string): Promise<string | undefined> {
  if (!(await creates(place, key, 'first'))) return 'the creation of a new key was refused';
  if (await creates(place, key, 'second')) return 'a key that existed was created again';
  const kept = await place.client.send(new GetObjectCommand({ Bucket: place.bucket, Key: key }));
  return (await kept.Body?.transformToString()) === 'first'
    ? undefined
    : 'a refused creation replaced the bytes';
}

async function probeRaces(
  place: ProbedBucket,
  keys: readonly string[],
): Promise<string | undefined> {
  for (const key of keys) {
    const answers = await Promise.all(
      Array.from({ length: CREATORS }, (_, n) => creates(place, key, `creator ${n}`)),
    );
    const winners = answers.filter(Boolean).length;
    if (winners !== 1)
      return `${winners} of ${CREATORS} creators of one key were told that they won`;
  }
  return undefined;
}

async function creates(place: ProbedBucket, key: string, text: string): Promise<boolean> {
  const create = new PutObjectCommand({
    Bucket: place.bucket,
    Key: key,
    Body: text,
    IfNoneMatch: '*',
  });
  return wins(place.client.send(create));
}

/** The key exists already. */
async function probeParts(place: ProbedBucket, key: string): Promise<string | undefined> {
  const { client, bucket } = place;
  const object = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const part = { ...object, UploadId, PartNumber: 1 };
  try {
    const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: 'second' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const complete = new CompleteMultipartUploadCommand({
      ...object,
      UploadId,
      MultipartUpload,
      IfNoneMatch: '*',
    });
    return (await wins(client.send(complete)))
      ? 'a multipart upload replaced a key that existed'
      : undefined;
  } finally {
    await client
      .send(new AbortMultipartUploadCommand({ ...object, UploadId }))
      .catch(() => undefined);
  }
}

async function wins(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isLostRace(error)) return false;
    throw error;
  }
}
