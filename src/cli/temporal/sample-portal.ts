import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { isPortFree } from '@quotidien/temporal-program/ports';

/**
 * The portal of a home that works on sample data, whose `portal.json` remembers where it listens
 * and what it has.
 */
export interface PortalRecord {
  readonly port: number;
  readonly seed: number;
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

/**
 * Starts the portal where the settings of a sample home look for it; undefined for other homes, and
 * where one listens already.
 */
export async function startSamplePortal(home: string): Promise<Portal | undefined> {
  const record = await portalRecord(home);
  if (record === undefined || !(await isPortFree(record.port))) return undefined;
  return startPortal({ ...record, now: () => new Date() });
}
