import { fileURLToPath } from 'node:url';
import { PipelineError } from '../../errors.ts';
import type { FolderSource, SourceDeclaration } from '../../pipelines/source-declaration.ts';
import type { Source } from '../../ports/source.ts';
import type { Engine } from '../engine.ts';
import { openFolderSource } from './folder-source.ts';
import type { HttpClient } from './http-client.ts';
import { openHttpSource } from './http-source.ts';
import { openSftpSource } from './sftp-source.ts';

/** How publishers are reached: what every source of them shares. */
export interface SourceAccess {
  readonly http: HttpClient;
  /** Where files of folders and parts of them are put. */
  readonly folder: string;
  readonly idleTimeoutMs: number;
  /** The setting that pins the host keys of a host, for messages. */
  readonly hostKeySetting: (host: string) => string;
}

const SFTP_PORT = 22;

/**
 * Opens what a dataset declares, with the access that the configuration gave; whoever opens one
 * closes it. The only place that asks of which kind a source is.
 */
export function openSources(access: SourceAccess): (declaration: SourceDeclaration) => Source {
  return (declaration) =>
    declaration.kind === 'folder'
      ? openFolder(access, declaration)
      : openHttpSource(access.http, declaration);
}

function openFolder(
  { folder, idleTimeoutMs, hostKeySetting }: SourceAccess,
  { host, access, requestsPerSecond }: FolderSource,
): Source {
  if (access === undefined)
    throw new PipelineError('SRC_AUTH', `nobody said where the files of ${host} are`);
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
}

/** Opens a source for one piece of work. */
export async function withSource<T>(
  { openSource }: Pick<Engine, 'openSource'>,
  declaration: SourceDeclaration,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  if (openSource === undefined) {
    const next = 'the step belongs on a fetch task queue';
    throw new PipelineError('INTERNAL', `this worker does not talk to publishers; ${next}`);
  }
  const source = openSource(declaration);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}
