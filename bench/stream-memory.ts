import { once } from 'node:events';
import { openS3ObjectStore } from '../src/storage/aws/s3-objects.ts';
import type { S3ObjectStoreOptions } from '../src/storage/aws/s3-objects.ts';
import { peakMemoryMb } from './figures.ts';

/**
 * A process of its own that streams one object, because the peak of a process never falls.
 * `bench/storage.ts` starts it.
 */

interface StreamTask extends S3ObjectStoreOptions {
  readonly direction: 'put' | 'get';
  readonly bytes: number;
}

async function* chunks(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1 << 20, 'chunk');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    await Promise.resolve();
    yield chunk;
  }
}

if (process.send !== undefined) {
  const [task] = (await once(process, 'message')) as [StreamTask];
  const store = openS3ObjectStore(task);
  if (task.direction === 'put') {
    await store.put('stream', chunks(task.bytes), {
      mode: 'create',
      mediaType: 'application/octet-stream',
    });
  } else {
    let bytes = 0;
    for await (const chunk of (await store.get('stream')) ?? []) bytes += chunk.byteLength;
    if (bytes !== task.bytes) throw new Error(`${bytes} of ${task.bytes} bytes came back`);
  }
  await store.close();
  process.send({ peakMb: peakMemoryMb() });
  process.disconnect();
}
