import { randomBytes } from 'node:crypto';
import { KEY_16, KEY_32, keysText } from './archive-writer.ts';
import {
  OTHER_FILES,
  octoberArchives,
  SAMPLE_MARK,
  servedAt,
  wrongArchives,
} from './sample-archives.ts';
import type { SftpServer } from './sftp-server.ts';
import { startSftpServer } from './sftp-server.ts';

const ROOT = '/flux_enedis';
/** Of a server with made-up archives that this machine alone can reach. */
const PASSWORD = 'sample';

/** The distributor's server over the archives of October 2025, and what a client is told of it. */
export interface SampleDistributor {
  readonly server: SftpServer;
  /** `sftp://user@host:port/folder` */
  readonly url: string;
  /**
   * What a home needs to fetch from it, by the names of settings. The key of raw files is a new one
   * each time: a home keeps its first.
   */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Starts an SFTP server that has a month of an invented supplier, archives that cannot be read (of
 * 2 November 2025), and files that are no archives. It has another host key at each start.
 *
 * @param port - 0: any free port
 */
export async function startSampleDistributor(port: number): Promise<SampleDistributor> {
  const server = await startSftpServer({ port, password: PASSWORD });
  const archives = [
    ...octoberArchives(),
    ...Object.values(wrongArchives()),
    ...OTHER_FILES,
    SAMPLE_MARK,
  ];
  server.put(...archives.map((archive) => servedAt(ROOT, archive)));
  const url = `${server.url}${ROOT}`;
  return {
    server,
    url,
    settings: {
      QUOTIDIEN_ENEDIS_URL: url,
      QUOTIDIEN_ENEDIS_KEY: PASSWORD,
      QUOTIDIEN_ENEDIS_HOST_KEY: server.fingerprint,
      QUOTIDIEN_ENEDIS_FILE_KEYS: keysText([KEY_16, KEY_32]),
      QUOTIDIEN_RAW_KEYS: `sample:${randomBytes(32).toString('base64')}`,
    },
  };
}
