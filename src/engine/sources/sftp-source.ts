import { createHash, timingSafeEqual } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import type SftpClient from 'ssh2-sftp-client';
import { PipelineError } from '../../errors.ts';
import type { OfferedFile, Source, SourceOptions } from '../../ports/source.ts';
import { fetchWhole } from './fetch-whole.ts';
import { hostKeyMissing, sftpError } from './sftp-errors.ts';

/** How a server is reached. Secrets stay in here: no message, record or log has them. */
export interface SftpOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The folder that is listed, with everything below it. */
  readonly root: string;
  /** A password, or a private key in PEM form. */
  readonly secret: string;
  /** Fingerprints of the server's keys, such as `SHA256:…`; one of them must be the server's. */
  readonly hostKeys: readonly string[];
  /** The name of the setting that has them, for messages. */
  readonly hostKeySetting: string;
  /** Where fetched files and parts of them are put. */
  readonly folder: string;
  /** Longest silence of the server. */
  readonly idleTimeoutMs: number;
  /** The least time between the beginnings of two requests. */
  readonly requestsPerSecond: number;
}

/**
 * A listing has one entry for each file of some years; more than this is no folder of a publisher.
 */
const MAX_FILES = 500_000;
const MAX_DEPTH = 8;
const KEEPALIVE_MS = 10_000;

/** Names that would lead out of the folder, or mislead a person who reads them. */
const UNSAFE_NAME = /[/\\\u0000-\u001f\u007f]|^\.{1,2}$/;

/**
 * A folder on an SFTP server as a source: one connection, opened with the first request, and one
 * request at a time. Nothing is ever written there. The server's key must be one of those that are
 * pinned; without any the connection is refused, and the message says which key the server has.
 */
export function openSftpSource(options: SftpOptions): Source {
  const connection = new Connection(options);
  const place = `sftp://${options.host}:${options.port}${options.root}`;
  const source: Source = {
    place,
    list: (asked) => listBelow(connection, options.root, asked),
    open: (file, start, asked) => connection.read(`${options.root}/${file.path}`, start, asked),
    fetch: (file, asked) => fetchWhole(source, options.folder, file, asked),
    discard: (file) => rm(file.path, { force: true }),
    close: () => connection.close(),
  };
  return source;
}

async function* listBelow(
  connection: Connection,
  root: string,
  asked: SourceOptions,
): AsyncGenerator<OfferedFile> {
  const folders = [{ path: '', depth: 0 }];
  let files = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const { path, depth } = folder;
    asked.progress?.(`listing ${path === '' ? root : path}`);
    for (const entry of await connection.entries(
      path === '' ? root || '/' : `${root}/${path}`,
      asked,
    )) {
      if (UNSAFE_NAME.test(entry.name)) continue;
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.type === 'd' && depth < MAX_DEPTH) folders.push({ path: below, depth: depth + 1 });
      if (entry.type !== '-') continue;
      files += 1;
      if (files > MAX_FILES)
        throw new PipelineError('SRC_TOO_LARGE', `${root} has more than ${MAX_FILES} files`);
      yield {
        path: below,
        name: entry.name,
        bytes: entry.size,
        modifiedAt: new Date(entry.modifyTime).toISOString(),
      };
    }
  }
}

/** One connection, made when it is needed, and again after it broke. */
class Connection {
  readonly #options: SftpOptions;
  #client: Promise<SftpClient> | undefined;
  #nextAt = 0;

  constructor(options: SftpOptions) {
    this.#options = options;
  }

  entries(path: string, { signal }: SourceOptions): Promise<SftpClient.FileInfo[]> {
    return this.#request(signal, path, (client) => client.list(path));
  }

  async *read(path: string, start: number, { signal }: SourceOptions): AsyncGenerator<Uint8Array> {
    const stream = await this.#request(signal, path, (client) => {
      const opened = client.createReadStream(path, { start }) as unknown as Readable;
      // From the first moment on, because nobody reads it where the request was given up meanwhile;
      // and after the last byte: the library closes the file then, and a connection that is gone
      // does not say so.
      opened.on('error', () => undefined);
      return Promise.resolve(opened);
    });
    // A stream of a connection that broke says nothing more, not even that it has ended.
    const idle = setInterval(() => {
      if (Date.now() - heardAt > this.#options.idleTimeoutMs) stream.destroy(silent(this.#options));
    }, 200);
    const stop = (): void => void stream.destroy(new Error('cancelled'));
    signal.addEventListener('abort', stop, { once: true });
    let heardAt = Date.now();
    const broken = this.#onBroken((error) => void stream.destroy(error));
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        heardAt = Date.now();
        yield chunk;
        heardAt = Date.now();
      }
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#failed(error, path);
    } finally {
      clearInterval(idle);
      signal.removeEventListener('abort', stop);
      broken();
      stream.destroy();
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((open) => open.end()).catch(() => undefined);
  }

  async #request<T>(
    signal: AbortSignal,
    path: string,
    work: (client: SftpClient) => Promise<T>,
  ): Promise<T> {
    await this.#pace(signal);
    const silence = AbortSignal.any([signal, AbortSignal.timeout(this.#options.idleTimeoutMs)]);
    try {
      return await Promise.race([this.#connected().then(work), aborted(silence)]);
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#failed(silence.aborted ? silent(this.#options) : error, path);
    }
  }

  /** Polite: requests begin no closer to each other than the source declares. */
  async #pace(signal: AbortSignal): Promise<void> {
    const now = Date.now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + 1_000 / this.#options.requestsPerSecond;
    if (at > now) await wait(at - now, undefined, { signal });
  }

  /** What a broken connection left is of no use: the next request makes a new one. */
  async #failed(error: unknown, path: string): Promise<PipelineError> {
    await this.close();
    return sftpError(error, this.#options, path);
  }

  #broken = new Set<(error: Error) => void>();

  #onBroken(tell: (error: Error) => void): () => void {
    this.#broken.add(tell);
    return () => this.#broken.delete(tell);
  }

  #connected(): Promise<SftpClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<SftpClient> {
    const { host, port, user, secret, hostKeys, hostKeySetting, idleTimeoutMs } = this.#options;
    // The library takes longer to load than most commands take, and most never need it.
    const { default: Client } = await import('ssh2-sftp-client');
    const tellBroken = (error: unknown): void => {
      for (const tell of this.#broken)
        tell(error instanceof Error ? error : new Error('the connection was closed'));
    };
    const client = new Client('quotidien', {
      error: tellBroken,
      end: () => undefined,
      close: () => {
        tellBroken(undefined);
      },
    });
    let shown: string | undefined;
    const credential = secret.startsWith('-----BEGIN')
      ? { privateKey: secret }
      : { password: secret };
    try {
      await client.connect({
        ...{ host, port, username: user, ...credential },
        ...{ readyTimeout: idleTimeoutMs, keepaliveInterval: KEEPALIVE_MS, keepaliveCountMax: 3 },
        hostVerifier: (key: Buffer) => {
          const fingerprint = fingerprintOf(key);
          shown = fingerprint;
          return hostKeys.some((pinned) => isSame(pinned, fingerprint));
        },
      });
      return client;
    } catch (error) {
      this.#client = undefined;
      await client.end().catch(() => undefined);
      const refused = shown;
      if (refused !== undefined && !hostKeys.some((pinned) => isSame(pinned, refused)))
        throw hostKeyMissing({
          host,
          port,
          shown: refused,
          pinned: hostKeys.length,
          setting: hostKeySetting,
        });
      throw error;
    }
  }
}

/** As `ssh-keygen -l` writes it. */
function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => {
      reject(new Error('given up'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function silent({ idleTimeoutMs }: SftpOptions): PipelineError {
  return new PipelineError('SRC_UNAVAILABLE', `it was silent for ${idleTimeoutMs / 1_000} s`);
}
