import { fileURLToPath } from 'node:url';
import { PipelineError } from '../../errors.ts';
import type { FolderSource } from '../../pipelines/dataset.ts';
import type { Source } from '../../ports/source.ts';
import { openFolderSource } from './folder-source.ts';
import { openSftpSource } from './sftp-source.ts';

/** What all folders of a worker share. */
export interface FolderOptions {
  /** Where fetched files and parts of them are put. */
  readonly folder: string;
  readonly idleTimeoutMs: number;
  /** The setting that pins the host keys of a host, for messages. */
  readonly hostKeySetting: (host: string) => string;
}

const SFTP_PORT = 22;

/** Opens folders of publishers with the access that the configuration gave them. Whoever opens one closes it. */
export function openFolders({
  folder,
  idleTimeoutMs,
  hostKeySetting,
}: FolderOptions): (source: FolderSource) => Source {
  return ({ host, access, requestsPerSecond }) => {
    if (access === undefined) throw new PipelineError('SRC_AUTH', `nobody said where the files of ${host} are`);
    const url = new URL(access.url);
    if (url.protocol === 'file:') return openFolderSource({ root: fileURLToPath(url), folder });
    return openSftpSource({
      host: url.hostname,
      port: url.port === '' ? SFTP_PORT : Number(url.port),
      user: decodeURIComponent(url.username),
      root: decodeURIComponent(url.pathname).replace(/\/+$/, ''),
      secret: access.secret ?? '',
      hostKeys: access.hostKeys,
      hostKeySetting: hostKeySetting(host),
      folder,
      idleTimeoutMs,
      requestsPerSecond,
    });
  };
}
