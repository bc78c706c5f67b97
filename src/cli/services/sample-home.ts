import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hostVariable } from '../../config/settings.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { httpHosts } from '../../workers/configured-datasets.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { writeSampleFolder } from '@quotidien/sample-portal/sftp/sample-folder';
import { isPortFree, unusedPort } from '@quotidien/temporal-program/ports';
import { portalRecord } from '../temporal/sample-portal.ts';
import type { PortalRecord } from '../temporal/sample-portal.ts';

/**
 * A home that works on sample data: its `settings.json` points every publisher at the sample portal
 * and the distributor at a folder of sample archives, and `portal.json` remembers port and seed, so
 * that it has the same days again tomorrow.
 */
export interface SampleHome {
  readonly home: string;
  /** `close` ends it when it was started here. */
  readonly portal: Pick<Portal, 'url' | 'close'>;
}

const SAMPLE_SEED = 1;
/** The portal of this machine is not spared: the real publishers are. */
const SAMPLE_REQUESTS_PER_SECOND = 50;

/**
 * Starts the portal of a sample home, which is made when it is new; joins the one that another
 * process has started, and then writes nothing.
 */
export async function openSampleHome(home: string): Promise<SampleHome> {
  await mkdir(home, { recursive: true });
  const known = await portalRecord(home);
  if (known !== undefined && (await isPortal(known))) {
    return { home, portal: { url: urlOf(known), close: () => Promise.resolve() } };
  }
  const record = known ?? { port: await unusedPort(), seed: SAMPLE_SEED };
  // A stranger may listen there meanwhile.
  const port = (await isPortFree(record.port)) ? record.port : await unusedPort();
  const portal = await startPortal({ port, seed: record.seed, now: () => new Date() });
  await writeFile(path.join(home, 'portal.json'), `${JSON.stringify({ ...record, port })}\n`);
  const settings = {
    ...Object.fromEntries(httpHosts(DATASETS).flatMap((host) => hostSettings(host, portal.url))),
    ...(await distributorSettings(home)),
    QUOTIDIEN_ROLLUP_QUIET_MS: 1_000,
  };
  await writeFile(path.join(home, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
  return { home, portal };
}

/** Where a sample home has the files of the distributor, below itself. */
export const SAMPLE_ARCHIVES = 'sample-archives';

/** The key of the raw files stays: with another one what is kept could not be read any more. */
async function distributorSettings(home: string): Promise<Readonly<Record<string, string>>> {
  const { url, fileKeys } = await writeSampleFolder(path.resolve(home, SAMPLE_ARCHIVES));
  const known = await readFile(path.join(home, 'settings.json'), 'utf8').catch(() => '{}');
  const { QUOTIDIEN_RAW_KEYS = `sample:${randomBytes(32).toString('base64')}` } = JSON.parse(
    known,
  ) as {
    readonly QUOTIDIEN_RAW_KEYS?: string;
  };
  return { QUOTIDIEN_ENEDIS_URL: url, QUOTIDIEN_ENEDIS_FILE_KEYS: fileKeys, QUOTIDIEN_RAW_KEYS };
}

function urlOf({ port }: PortalRecord): string {
  return `http://127.0.0.1:${port}`;
}

const ANSWERS_WITHIN_MS = 2_000;

/** Whether a portal answers where the record says, as one does for a dataset that it has. */
async function isPortal(record: PortalRecord): Promise<boolean> {
  const dataset = '/api/explore/v2.1/catalog/datasets/eco2mix-national-tr';
  try {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    return (await fetch(`${urlOf(record)}${dataset}`, { signal })).ok;
  } catch {
    return false;
  }
}

/** The portal asks for keys where the real publishers do, and takes any. */
function hostSettings(host: string, url: string): [name: string, value: string | number][] {
  return [
    [hostVariable(host, 'URL'), url],
    [hostVariable(host, 'REQUESTS_PER_SECOND'), SAMPLE_REQUESTS_PER_SECOND],
    [hostVariable(host, 'KEY'), 'sample'],
  ];
}
