import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readObjectNotices } from '../../src/pipelines/object-notice.ts';
import type { ObjectNotices } from '../../src/pipelines/object-notice.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';

/** What a real store posts when an object was created. */

const posts: { readonly body: unknown; readonly authorization: string | undefined }[] = [];
let listener: Server;

async function take(request: IncomingMessage): Promise<void> {
  posts.push({
    body: JSON.parse(await text(request)),
    authorization: request.headers.authorization,
  });
  listener.emit('posted');
}

async function posted(): Promise<ObjectNotices> {
  while (posts.length === 0) await once(listener, 'posted');
  return readObjectNotices(posts.shift()?.body);
}

function startListening(): Promise<string> {
  listener = createServer((request, response) => {
    void take(request).then(() => response.writeHead(202).end());
  }).listen(0, '127.0.0.1');
  return once(listener, 'listening').then(
    () => `127.0.0.1:${(listener.address() as AddressInfo).port}`,
  );
}

const address = await startListening();

await describeWithServer(
  VERSITY_GATEWAY,
  () => startVersityGateway({ webhook: `http://quotidien:the-key@${address}/api/v1/deposits` }),
  (shared) => {
    let s3: S3Client;
    beforeAll(async () => {
      const { endpoint, region, credentials } = await shared();
      s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    });
    afterAll(() => {
      s3.destroy();
      listener.close();
    });

    it('a gateway tells of itself, of new objects by bucket and key, and of removed ones, with the key of its address', async () => {
      expect(await posted()).toEqual({
        created: [],
        remarks: ['a test of the store, about no object'],
      });
      await s3.send(new CreateBucketCommand({ Bucket: 'days' }));
      const object = {
        Bucket: 'days',
        Key: 'raw/api/bikes/dt=2025-11-04/hour=09/50 % vélos+.json',
      };
      await s3.send(new PutObjectCommand({ ...object, Body: '{}' }));
      if (posts.length === 0) await once(listener, 'posted');
      const basic = posts[0]?.authorization?.slice('Basic '.length) ?? '';
      expect(Buffer.from(basic, 'base64').toString()).toBe('quotidien:the-key');
      expect(await posted()).toEqual({
        created: [{ bucket: 'days', key: object.Key }],
        remarks: [],
      });
      await s3.send(new DeleteObjectCommand(object));
      expect(await posted()).toMatchObject({
        created: [],
        remarks: [expect.stringMatching(/^ObjectRemoved/)],
      });
    });
  },
);
