import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hostVariable } from '../../config/settings.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { publisherHosts } from '../../workers/configured-datasets.ts';
import { startPortal } from '../../dev/portal/portal.ts';
import type { Portal } from '../../dev/portal/portal.ts';
import { isPortFree, unusedPort } from '../../dev/temporal/ports.ts';

/**
 * A home that works on sample data: its `settings.json` points every publisher at the sample portal, and `portal.json`
 * remembers port and seed, so that the same days are served again tomorrow.
 */
export interface SampleHome {
  readonly home: string;
  readonly portal: Portal;
}

interface PortalRecord {
  readonly port: number;
  readonly seed: number;
}

const SAMPLE_SEED = 1;
/** The portal of this machine is not spared: the real publishers are. */
const SAMPLE_REQUESTS_PER_SECOND = 50;

/** Starts the portal of a sample home, which is made when it is new. */
export async function openSampleHome(home: string): Promise<SampleHome> {
  await mkdir(home, { recursive: true });
  const record = (await portalRecord(home)) ?? { port: await unusedPort(), seed: SAMPLE_SEED };
  // Another portal of the same home may run: then this one serves the same data beside it.
  const port = (await isPortFree(record.port)) ? record.port : await unusedPort();
  const portal = await startPortal({ port, seed: record.seed, now: () => new Date() });
  await writeFile(path.join(home, 'portal.json'), `${JSON.stringify({ ...record, port })}\n`);
  const settings = {
    ...Object.fromEntries(publisherHosts(DATASETS).flatMap((host) => hostSettings(host, portal.url))),
    QUOTIDIEN_ROLLUP_QUIET_MS: 1_000,
  };
  await writeFile(path.join(home, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
  return { home, portal };
}

/** The portal asks for keys where the real publishers do, and takes any. */
function hostSettings(host: string, url: string): [name: string, value: string | number][] {
  return [
    [hostVariable(host, 'URL'), url],
    [hostVariable(host, 'REQUESTS_PER_SECOND'), SAMPLE_REQUESTS_PER_SECOND],
    [hostVariable(host, 'KEY'), 'sample'],
  ];
}

/** The record of a home that works on sample data; undefined for any other home. */
export async function portalRecord(home: string): Promise<PortalRecord | undefined> {
  try {
    return JSON.parse(await readFile(path.join(home, 'portal.json'), 'utf8')) as PortalRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
