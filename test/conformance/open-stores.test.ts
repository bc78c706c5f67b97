import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { openStores } from '../../src/workers/open-stores.ts';
import type { OpenStores } from '../../src/workers/open-stores.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import { MIB, collectText, patternStream } from './byte-streams.ts';

const TEXT = { mode: 'replace', mediaType: 'text/plain' } as const;
const BYTES = { mode: 'create', mediaType: 'application/octet-stream' } as const;

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (shared) => {
  describe('the stores of a configuration with S3 (Versity gateway)', () => {
    let bucket: string;
    let folder: string;
    let buckets = 0;
    const opened: OpenStores[] = [];

    beforeEach(async () => {
      buckets += 1;
      bucket = `open-stores-${buckets}`;
      folder = await mkdtemp(path.join(tmpdir(), 'quotidien-open-stores-'));
      const { endpoint, region, credentials } = await shared();
      await initStorage({ s3: { bucket, endpoint, region, credentials, forcePathStyle: true } });
    });
    afterEach(async () => {
      for (const stores of opened.splice(0)) await stores.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function open(home: string, settings: Record<string, string> = {}): Promise<OpenStores> {
      const { endpoint, region, credentials } = await shared();
      const env = {
        USE_S3: 'true',
        QUOTIDIEN_S3_BUCKET: bucket,
        QUOTIDIEN_S3_ENDPOINT: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        USE_DYNAMODB: 'false',
        ...settings,
      };
      const stores = await openStores(
        loadConfig({ env, cwd: folder, home: path.join(folder, home), hosts: [] }),
      );
      opened.push(stores);
      return stores;
    }

    it('have the cache ask for a replaceable name again when PARQUET_CACHE_CHECK_TTL is over, and not before', async () => {
      const writer = await open('writer');
      const patient = await open('patient', { PARQUET_CACHE_CHECK_TTL: '3600' });
      const eager = await open('eager');
      await writer.objects.put('reports/day.txt', Buffer.from('first'), TEXT);
      for (const reader of [patient, eager])
        expect(await collectText(await reader.objects.get('reports/day.txt'))).toBe('first');
      await writer.objects.put('reports/day.txt', Buffer.from('second'), TEXT);
      expect(await collectText(await patient.objects.get('reports/day.txt'))).toBe('first');
      expect(await collectText(await eager.objects.get('reports/day.txt'))).toBe('second');
    });

    it('keep the copies of objects that are too large for the cache within its size', async () => {
      const stores = await open('small', { QUOTIDIEN_OBJECT_CACHE_MB: '4' });
      const refs = [];
      for (let n = 0; n < 4; n += 1) {
        refs.push(await stores.primary.objects.put(`raw/${n}.bin`, patternStream(3, MIB), BYTES));
      }
      // One after the other: the newest copy is the one that is used.
      for (const ref of refs) expect(await stores.objects.openLocal(ref)).toBeDefined();
      const copies = await readdir(path.join(folder, 'small', 'cache', 'objects-large'), {
        recursive: true,
      });
      expect(copies.filter((name) => name.endsWith('.bin'))).toHaveLength(1);
      expect(await stores.objects.openLocal(refs[3]!)).toContain('objects-large');
    });
  });
});
