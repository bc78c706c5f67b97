import { createReadStream } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CLI_WHEEL } from '../src/cli-wheel.ts';
import { serverArguments } from '../src/server-flags.ts';
import { SEARCH_ATTRIBUTES as searchAttributes } from './attributes.ts';
import { testCli } from '../../../test/fixtures/temporal-server.ts';

const FLAGS = {
  serverVersion: CLI_WHEEL.serverVersion,
  port: 7233,
  uiPort: 8233,
  dbFile: '/db',
  searchAttributes,
};

/** The values that are given to a flag. */
function valuesOf(args: readonly string[], flag: string): string[] {
  return args.flatMap((arg, index) => (arg === flag ? [args[index + 1] ?? ''] : []));
}

/** Those of the words that occur in a file of any size. */
async function wordsIn(file: string, words: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  let tail = '';
  for await (const chunk of createReadStream(file, {
    encoding: 'latin1',
    highWaterMark: 4 << 20,
  })) {
    const text = tail + (chunk as string);
    for (const word of words) if (!found.has(word) && text.includes(word)) found.add(word);
    tail = text.slice(-200);
  }
  return found;
}

describe('serverArguments', () => {
  it('asks for ports, database, write-ahead log and search attributes', () => {
    const args = serverArguments(FLAGS);
    expect(args.slice(0, 8).join(' ')).toBe(
      'server start-dev --ip 127.0.0.1 --port 7233 --ui-port 8233',
    );
    expect(valuesOf(args, '--db-filename')).toEqual(['/db']);
    expect(valuesOf(args, '--sqlite-pragma')).toEqual(['journal_mode=WAL', 'synchronous=NORMAL']);
    expect(valuesOf(args, '--search-attribute')).toContain('DataDate=Keyword');
    expect(args).toContain('--ui-disable-news-fetch');
  });

  it('has no UI without its port, and no file without a database', () => {
    const args = serverArguments({ serverVersion: '1.32.0', port: 7233, searchAttributes });
    expect(args).toContain('--headless');
    expect(args).not.toContain('--ui-port');
    expect(args).not.toContain('--db-filename');
    expect(args).not.toContain('--sqlite-pragma');
  });

  it('spares an older CLI the flag that it does not know', () => {
    expect(serverArguments({ ...FLAGS, serverVersion: '1.31.2' })).not.toContain(
      '--ui-disable-news-fetch',
    );
  });

  // The server accepts a misspelt or removed key without a word, and is then slow for no visible
  // reason.
  it('sets only keys that the server’s own binary knows', async () => {
    const keys = valuesOf(serverArguments(FLAGS), '--dynamic-config-value').map(
      (setting) => setting.split('=')[0] ?? '',
    );
    expect(keys.length).toBeGreaterThan(5);
    const cli = await testCli();
    expect([...(await wordsIn(cli.path, [...keys, 'history.noSuchKeyMaxPollRPS']))].sort()).toEqual(
      keys.sort(),
    );
  });
});
