import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeSyntheticCsv } from '../src/portal.ts';
import { CONS, exportText, openPortal } from './portal-client.ts';

describe('writeSyntheticCsv', () => {
  it('writes the bytes that a portal of the same seed and clock answers', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'synthetic-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const now = new Date('2026-03-20T11:20:00Z');
    const file = path.join(folder, 'march.csv');
    const rows = await writeSyntheticCsv({
      dataset: CONS,
      from: '2024-03-01',
      to: '2024-03-31',
      path: file,
      seed: 3,
      now,
    });
    const portal = await openPortal({ seed: 3, now: () => now });
    const where = "date >= date'2024-03-01' AND date <= date'2024-03-31'";
    expect(rows).toBe(31 * 96 - 4);
    expect(await readFile(file, 'utf8')).toBe(
      await exportText(portal, CONS, where, { use_labels: 'true' }),
    );
  });

  it('refuses a date that is none', async () => {
    const request = {
      dataset: CONS,
      from: '2024-03-01',
      to: '2024-03-32',
      path: '/nowhere',
      now: new Date(),
    } as const;
    await expect(writeSyntheticCsv(request)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
