import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastAudit } from '../../../src/api/shared/audit.ts';
import { importRaw } from '../../../src/cli/make/import.ts';
import { keysCreate, keysRevoke, keysRotate } from '../../../src/cli/services/keys.ts';
import { callerName } from '../../../src/cli/shared/caller-name.ts';
import { noteCommand } from '../../../src/cli/shared/note-command.ts';
import { gc } from '../../../src/cli/stores/gc.ts';
import { repair } from '../../../src/cli/stores/repair.ts';
import { retain } from '../../../src/cli/stores/retain.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

let engine: TestEngine;
let clock = Date.parse('2026-05-01T00:00:00Z');

beforeAll(async () => {
  // A second later with each look: records are in the order of their instants.
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:1' })], {
    now: () => new Date((clock += 1_000)),
  });
});

afterAll(() => engine.close());

/** What a command has written down, the oldest first. */
async function noted(command: () => Promise<unknown>) {
  const before = (await lastAudit(engine.documents, engine.now(), 100)).length;
  await command();
  return (await lastAudit(engine.documents, engine.now(), 100)).reverse().slice(before);
}

describe('the audit of commands', () => {
  it('has who made, rotated and ended a key, and nothing of the key', async () => {
    const context = testContext(engine);
    let key = '';
    const records = await noted(async () => {
      await keysCreate(context, { owner: 'grid', scope: ['data:read', 'ops:read:tiny'] });
      const made = context.terminal.values[0] as { readonly id: string; readonly key: string };
      key = made.key;
      await keysRotate(context, made.id, '7d');
      await keysRevoke(context, made.id);
    });
    const id = key.split('_')[1];
    expect(records).toMatchObject([
      { by: callerName(), action: 'keys/create', target: 'grid: data:read ops:read:tiny' },
      { by: callerName(), action: 'keys/rotate', target: `key:${id}`, reason: 'overlap 7d' },
      { by: callerName(), action: 'keys/revoke', target: `key:${id}` },
    ]);
    expect(JSON.stringify(records)).not.toContain(key);
  });

  it('has what removes, brings or mends, and not what only says what it would do', async () => {
    const context = testContext(engine);
    const day = { pipeline: 'tiny', from: '2024-01-01' };
    const tried = await noted(async () => {
      await gc(context, { dryRun: true });
      await retain(context, { pipeline: 'tiny', dryRun: true });
      await repair(context, { ...day, dryRun: true });
    });
    expect(tried).toEqual([]);
    const done = await noted(async () => {
      await gc(context, {});
      await retain(context, { pipeline: 'tiny' });
      await repair(context, { ...day, to: '2024-01-03' });
      await importRaw(context, { pipeline: 'tiny', files: ['no such file'], force: true });
    });
    expect(done).toMatchObject([
      { action: 'gc', target: 'older than 7 days' },
      { action: 'retain', target: 'tiny' },
      { action: 'repair', target: 'tiny/2024-01-01_2024-01-03' },
      { action: 'import', target: 'tiny', reason: 'quotidien import --force, 1 file' },
    ]);
  });

  it('names the user of the process beside whom the command says that it is for', async () => {
    const context = testContext(engine);
    const records = await noted(() =>
      noteCommand(context, { action: 'decide', target: 'day/tiny/x', by: 'ada' }),
    );
    expect(records).toMatchObject([{ by: `ada (${callerName()})`, reason: 'quotidien decide' }]);
  });
});
