import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { c15Archive, OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { executeRollup } from '../../../src/engine/derive/execute-rollup.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let server: SftpServer;
let engine: TestEngine;

beforeEach(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
});

afterEach(async () => {
  await engine.close();
  await server.close();
});

const LATE_DAY = '2025-10-25';

/** Makes the history as it is now; returns what it says of delivery points. */
async function makeHistory(): Promise<string[]> {
  const told: string[] = [];
  const control = { ...testControl(), progress: (note: string) => void told.push(note) };
  await executeRollup(engine, { pipeline: 'enedis', step: 'rollup/month', periods: ['2025-10'] }, testControl());
  await executeRollup(engine, { pipeline: 'enedis', step: 'rollup/history', periods: ['all'] }, control);
  return told.filter((note) => note.includes('delivery points'));
}

async function deliverLate(): Promise<void> {
  const change = event({ pdl: '99000000000001', at: '2025-10-16', event: 'MDPRM', kva: '9' });
  putArchives(server, [c15Archive(2, '20251025050000', [change])]);
  await runDays(engine, 'enedis', [LATE_DAY]);
}

describe('an event that comes late', () => {
  it('has its contract made again and no other, to the bytes that are made from everything', async () => {
    await deliverLate();
    expect(await makeHistory()).toEqual(['1 of 15 delivery points are made again']);
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({ result: 'identical' });
  });

  it('has everything made again where a file of the newest version is gone', async () => {
    for await (const { key } of engine.objects.list('history/enedis/releves/')) await engine.objects.delete(key);
    await deliverLate();
    expect(await makeHistory()).toEqual([]);
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({ result: 'identical' });
  });
});
