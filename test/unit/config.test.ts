import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { SETTINGS } from '../../src/config/settings.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-config-'));
});

afterEach(() => rm(home, { recursive: true, force: true }));

function load(env: Environment) {
  return loadConfig({ env, cwd: home, home, hosts: ['odre'] });
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    expect(load({}).settings).toMatchObject({ QUOTIDIEN_TASK_QUEUE: 'quotidien', QUOTIDIEN_SQL_MEMORY_MB: 384 });
  });

  it('takes the settings file, and the environment over it', async () => {
    await writeFile(path.join(home, 'settings.json'), '{"QUOTIDIEN_SQL_THREADS": 4, "QUOTIDIEN_LOG_LEVEL": "warn"}');
    const { settings } = load({ QUOTIDIEN_LOG_LEVEL: 'error' });
    expect(settings).toMatchObject({ QUOTIDIEN_SQL_THREADS: 4, QUOTIDIEN_LOG_LEVEL: 'error' });
  });

  it('refuses an unknown name with the nearest known one', () => {
    expect(() => load({ QUOTIDIEN_TASKQUEUE: 'x' })).toThrow(/QUOTIDIEN_TASKQUEUE .*nearest is QUOTIDIEN_TASK_QUEUE/);
    expect(() => load({ QUOTIDIEN_ODRE_UR: 'x' })).toThrow(/nearest is QUOTIDIEN_ODRE_URL/);
  });

  it('lists every problem at once, where it came from, and never a value', async () => {
    await writeFile(path.join(home, 'settings.json'), '{"QUOTIDIEN_SQL_THREADS": "s3cret"}');
    const env = { QUOTIDIEN_LOG_LEVEL: 'hidden-value', QUOTIDIEN_ODRE_URL: 'ftp://user:pass@x' };
    const message = (() => {
      try {
        load(env);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    })();
    expect(message).toContain('3 problems');
    expect(message).toContain(`QUOTIDIEN_SQL_THREADS (from ${path.join(home, 'settings.json')})`);
    expect(message).toContain('QUOTIDIEN_LOG_LEVEL (from the environment)');
    expect(message).not.toMatch(/s3cret|hidden-value|pass@/);
  });

  it('counts an empty variable as not set', () => {
    expect(load({ QUOTIDIEN_LOG_LEVEL: '' }).settings.QUOTIDIEN_LOG_LEVEL).toBe('info');
  });

  it('reads the publisher’s address and rate', () => {
    const env = { QUOTIDIEN_ODRE_URL: 'http://127.0.0.1:1', QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '0.5' };
    expect(load(env).hosts).toEqual({ odre: { url: 'http://127.0.0.1:1', requestsPerSecond: 0.5 } });
  });
});

describe('docs/operations.md', () => {
  it('lists every setting', async () => {
    const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    for (const name of Object.keys(SETTINGS.shape)) expect(page).toContain(`\`${name}\``);
  });
});
