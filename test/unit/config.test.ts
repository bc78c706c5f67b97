import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
    expect(load({}).settings).toMatchObject({
      QUOTIDIEN_TASK_QUEUE: 'quotidien',
      QUOTIDIEN_SQL_MEMORY_MB: 384,
    });
  });

  it('takes the settings file, and the environment over it', async () => {
    await writeFile(
      path.join(home, 'settings.json'),
      '{"QUOTIDIEN_SQL_THREADS": 4, "QUOTIDIEN_LOG_LEVEL": "warn"}',
    );
    const { settings } = load({ QUOTIDIEN_LOG_LEVEL: 'error' });
    expect(settings).toMatchObject({ QUOTIDIEN_SQL_THREADS: 4, QUOTIDIEN_LOG_LEVEL: 'error' });
  });

  it('refuses an unknown name with the nearest known one', () => {
    expect(() => load({ QUOTIDIEN_TASKQUEUE: 'x' })).toThrow(
      /QUOTIDIEN_TASKQUEUE .*nearest is QUOTIDIEN_TASK_QUEUE/,
    );
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
    const env = {
      QUOTIDIEN_ODRE_URL: 'http://127.0.0.1:1',
      QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '0.5',
    };
    expect(load(env).hosts).toEqual({
      odre: { url: 'http://127.0.0.1:1', requestsPerSecond: 0.5 },
    });
  });
});

describe('docs/reference/settings-explained.md', () => {
  it('lists every setting', async () => {
    const page = await readFile(
      new URL('../../docs/reference/settings-explained.md', import.meta.url),
      'utf8',
    );
    for (const name of Object.keys(SETTINGS.shape)) expect(page).toContain(`\`${name}\``);
  });
});

describe('what a settings file may name', () => {
  const PROGRAM = '{"TEMPORAL_CLI": "/tmp/evil"}';
  const file = () => path.join(home, 'settings.json');

  it('is a program when the file is ours and its folder was named', async () => {
    await writeFile(file(), PROGRAM);
    expect(load({}).settings.TEMPORAL_CLI).toBe('/tmp/evil');
    expect(
      loadConfig({ env: { QUOTIDIEN_HOME: home }, cwd: '/', hosts: [] }).settings.TEMPORAL_CLI,
    ).toBe('/tmp/evil');
  });

  it('is no program when the file lies where a command happened to be called', async () => {
    const checkout = path.join(home, '.quotidien');
    await mkdir(checkout);
    const read = (env: Environment) => loadConfig({ env, cwd: home, hosts: [] });
    for (const name of ['TEMPORAL_CLI', 'QUOTIDIEN_PAYLOAD_KEYS_COMMAND']) {
      await writeFile(path.join(checkout, 'settings.json'), JSON.stringify({ [name]: 'evil' }));
      expect(() => read({})).toThrow(
        new RegExp(`${name} names a program and is not taken from .*nobody named`),
      );
      expect(read({ [name]: 'mine' }).env[name]).toBe('mine');
    }
    await writeFile(path.join(checkout, 'settings.json'), '{"QUOTIDIEN_SQL_THREADS": 4}');
    expect(read({}).settings.QUOTIDIEN_SQL_THREADS).toBe(4);
  });

  it('is nobody who says who people are, nor which proxy is believed, when nobody named its folder', async () => {
    const checkout = path.join(home, '.quotidien');
    await mkdir(checkout);
    const read = (env: Environment) => loadConfig({ env, cwd: home, hosts: [] });
    const who = {
      QUOTIDIEN_OIDC_ISSUER: 'https://evil.example',
      QUOTIDIEN_OIDC_ROLES: '*=admin',
      QUOTIDIEN_OIDC_ROLE_CLAIM: 'sub',
      QUOTIDIEN_TRUSTED_PROXIES: '10.0.0.1',
    };
    const others = { QUOTIDIEN_OIDC_CLIENT_ID: 'a' };
    await writeFile(path.join(checkout, 'settings.json'), JSON.stringify({ ...who, ...others }));
    for (const name of Object.keys(who))
      expect(() => read({})).toThrow(
        new RegExp(`${name} decides who may act and is not taken from .*nobody named`),
      );
    expect(read({ ...who }).settings.QUOTIDIEN_OIDC_ROLES?.rules).toEqual([
      { value: '*', role: 'admin' },
    ]);
  });

  it('is no program when everybody may write the file', async () => {
    await writeFile(file(), PROGRAM);
    await chmod(file(), 0o666);
    expect(() => load({})).toThrow(/TEMPORAL_CLI .*which everybody may write to/);
  });

  it('is no address that a key of the environment would go to, when everybody may write the file', async () => {
    await writeFile(file(), '{"QUOTIDIEN_ODRE_URL": "https://evil.org"}');
    const env = { QUOTIDIEN_ODRE_KEY: 'the-key' };
    expect(load(env).hosts['odre']).toEqual({ url: 'https://evil.org', key: 'the-key' });
    await chmod(file(), 0o666);
    expect(() => load(env)).toThrow(/QUOTIDIEN_ODRE_URL would be told a key/);
    expect(load({}).hosts['odre']).toEqual({ url: 'https://evil.org' });
  });

  it.skipIf(process.getuid?.() !== 0)(
    'is no program when the file belongs to another user',
    async () => {
      await writeFile(file(), PROGRAM);
      await chown(file(), 65_534, 65_534);
      expect(() => load({})).toThrow(/TEMPORAL_CLI .*which belongs to another user/);
    },
  );
});

describe('the cache of tools', () => {
  it('is the user’s own, and does not depend on where a command is called', () => {
    const dir = (env: Environment) => loadConfig({ env, cwd: home, home, hosts: [] }).cacheDir;
    expect(dir({ HOME: '/home/me' })).toBe('/home/me/.cache/quotidien');
    expect(dir({ HOME: '/home/me', XDG_CACHE_HOME: '/var/me' })).toBe('/var/me/quotidien');
    expect(dir({ HOME: '/home/me', XDG_CACHE_HOME: 'relative' })).toBe('/home/me/.cache/quotidien');
    expect(dir({ HOME: '/home/me', QUOTIDIEN_CACHE: '/srv/tools' })).toBe('/srv/tools');
  });
});
