import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { startDistributor } from '../fixtures/enedis-server.ts';
import { madeBy, undisturbed } from './enedis-deaths.ts';
import type { EnedisContents } from './enedis-home.ts';

let server: SftpServer;
let expected: EnedisContents;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  expected = await undisturbed(server);
});

afterAll(async () => {
  await server.close();
});

// Each waits most of its time for the server to miss the dead worker.
describe.concurrent('an intake of archives whose worker is killed', () => {
  it.each([
    ['decrypting', 'download/c15'],
    ['unzipping', 'download/r151'],
    ['noting', 'download/c15'],
  ])(
    '%s %s ends with the same bytes, each archive kept once, and nothing open left',
    async (...death) => {
      expect(await madeBy(server, [death])).toEqual(expected);
    },
  );
});
