import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Dataset } from '../../src/pipelines/dataset.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { runDay } from '../fixtures/run-day.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * The calendar as a reader finds it whose bucket everybody may read: page by page, over HTTP,
 * without a program of ours.
 */

const DATES = ['2023-12-31', '2024-01-30', '2024-01-31'];
const BUCKET = 'calendar';

/** The tiny dataset, with its page under a name that readers know. */
function withPublishedPage(dataset: Dataset): Dataset {
  const steps = dataset.definition.steps.map((step) => {
    const { page } = step.outputs;
    if (page === undefined) return step;
    return {
      ...step,
      outputs: { page: { ...page, publishAs: 'reports/tiny/daily_report_{scope}.html' } },
    };
  });
  return { ...dataset, definition: { ...dataset.definition, steps } };
}

/** Every page that can be reached from the first, by its address, with what was answered. */
async function follow(
  first: string,
): Promise<Map<string, { status: number; type: string | null }>> {
  const found = new Map<string, { status: number; type: string | null }>();
  const left = [first];
  for (let url = left.pop(); url !== undefined; url = left.pop()) {
    if (found.has(url)) continue;
    const answer = await fetch(url);
    const text = await answer.text();
    found.set(url, { status: answer.status, type: answer.headers.get('content-type') });
    const links = [...text.matchAll(/<a[^>]* href="([^"#]+)"/g)].map(
      ([, href = '']) => new URL(href, url).href,
    );
    left.push(...links.filter((link) => new URL(link).origin === new URL(first).origin));
  }
  return found;
}

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (shared) => {
  it('every link of the calendar in a bucket leads to a page that a browser shows', async () => {
    const { endpoint, region, credentials } = await shared();
    await initStorage({
      s3: { bucket: BUCKET, endpoint, region, credentials, forcePathStyle: true },
    });
    const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const open = {
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${BUCKET}/*`,
    };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [open] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policy }));
    s3.destroy();
    const home = await mkdtemp(path.join(tmpdir(), 'quotidien-calendar-'));
    const publisher = await startTinyPublisher(DATES);
    const { accessKeyId, secretAccessKey } = credentials;
    const env = {
      ...{
        USE_S3: 'true',
        QUOTIDIEN_S3_BUCKET: BUCKET,
        QUOTIDIEN_S3_ENDPOINT: endpoint,
        AWS_REGION: region,
      },
      ...{
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        USE_DYNAMODB: 'false',
      },
    };
    const tiny = withPublishedPage(tinyDataset({ baseUrl: publisher.url }));
    const engine = await openEngine(loadConfig({ env, cwd: home, home, hosts: [] }), { tiny });
    try {
      for (const date of DATES) await runDay(engine, 'tiny', date);
      const root = `${endpoint}/${BUCKET}/`;
      const pages = await follow(`${root}index.html`);
      const wanted = [
        ...['index.html', 'calendar/tiny/2023.html', 'calendar/tiny/2024.html'],
        ...DATES.map((date) => `reports/tiny/daily_report_${date}.html`),
      ];
      expect([...pages.keys()].map((url) => url.slice(root.length)).sort()).toEqual(wanted.sort());
      for (const [url, { status, type }] of pages)
        expect([url, status, type]).toEqual([url, 200, expect.stringMatching(/^text\/html/)]);
    } finally {
      await engine.close();
      await publisher.close();
      await rm(home, { recursive: true, force: true });
    }
  });
});
