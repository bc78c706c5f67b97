import { createHash, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, FileEntry, SFTPWrapper } from 'ssh2';

/**
 * A real SSH server with an SFTP folder, to be read only, over files that are held in memory; it
 * misbehaves on request. It is what the distributor's server is to a client: host key, password or
 * public key, folders per flux.
 */

/** Who is let in: nobody without a password or a key. The user is `supplier` unless told. */
export interface SftpServerOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** A public key that is let in, as one line of `authorized_keys`. */
  readonly publicKey?: string;
}

/** A file of the server; its path begins with `/`. */
export interface ServedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Default: the beginning of 2026. */
  readonly modifiedAt?: Date;
}

/** What the server does wrong from now on. */
export type SftpFault =
  /** The connection is cut after so many bytes of a file; `times`, default 1. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly times?: number }
  /** Each answer to a read waits for so long. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Reads are never answered. */
  | { readonly kind: 'silent' }
  /** Files of this name end after so many bytes, whatever the listing says. */
  | { readonly kind: 'short'; readonly name: string; readonly bytes: number };

/** A running server and what tests ask of it. */
export interface SftpServer {
  readonly host: string;
  readonly port: number;
  /** `sftp://user@host:port` */
  readonly url: string;
  /** As `ssh-keygen -l` writes it. */
  readonly fingerprint: string;
  /**
   * Every request since the start, such as `READDIR /flux_enedis` and `OPEN
   * /flux_enedis/C15/x.zip`.
   */
  readonly requests: readonly string[];
  /** Most connections that were open at the same time. */
  readonly maxConnections: number;
  /** Puts files there, in place of those of the same path. */
  put(...files: readonly ServedFile[]): void;
  remove(path: string): void;
  /** Misbehaves from now on; returns what ends it. */
  behave(fault: SftpFault): () => void;
  /** Ends every connection and frees the port. */
  close(): Promise<void>;
}

const { Server, utils } = ssh2;
const { OPEN_MODE, STATUS_CODE } = utils.sftp;
const FOLDER_MODE = 0o040_755;
const FILE_MODE = 0o100_644;
const DAWN = new Date('2026-01-01T00:00:00Z');

/** Listens on 127.0.0.1 alone, with a host key of its own. */
export async function startSftpServer(options: SftpServerOptions = {}): Promise<SftpServer> {
  const state = new ServerState(options);
  const { privateKey, publicKey } = makeKeys();
  const server = new Server({ hostKeys: [privateKey] }, (connection) => {
    state.connect(connection);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server as unknown as NodeJS.EventEmitter, 'listening');
  const { port } = server.address() as AddressInfo;
  const [, encoded] = publicKey.split(' ');
  if (encoded === undefined) throw new Error('a public key is its kind and its bytes');
  const blob = Buffer.from(encoded, 'base64');
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return {
    host: '127.0.0.1',
    port,
    url: `sftp://${state.user}@127.0.0.1:${port}`,
    fingerprint: `SHA256:${digest}`,
    requests: state.requests,
    get maxConnections() {
      return state.maxConnections;
    },
    put: (...files) => {
      for (const file of files) state.files.set(file.path, file);
    },
    remove: (path) => void state.files.delete(path),
    behave: (fault) => state.behave(fault),
    async close() {
      for (const connection of state.open) connection.end();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

/**
 * A private key in PEM form, and its public key as one line. The key maker of the library now and
 * then makes one that it cannot read.
 */
export function makeKeys(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return { privateKey, publicKey: `${parsed.type} ${parsed.getPublicSSH().toString('base64')}` };
}

interface Fault {
  readonly fault: SftpFault;
  left: number;
}

class ServerState {
  readonly user: string;
  readonly files = new Map<string, ServedFile>();
  readonly requests: string[] = [];
  readonly open = new Set<Connection>();
  maxConnections = 0;
  readonly #options: SftpServerOptions;
  readonly #faults = new Set<Fault>();

  constructor(options: SftpServerOptions) {
    this.#options = options;
    this.user = options.user ?? 'supplier';
  }

  behave(fault: SftpFault): () => void {
    const entry = { fault, left: fault.kind === 'cut' ? (fault.times ?? 1) : Infinity };
    this.#faults.add(entry);
    return () => this.#faults.delete(entry);
  }

  fault<K extends SftpFault['kind']>(kind: K): (SftpFault & { kind: K }) | undefined {
    const entry = [...this.#faults].find(({ fault, left }) => fault.kind === kind && left > 0);
    return entry?.fault as (SftpFault & { kind: K }) | undefined;
  }

  /** The fault is used up by one. */
  use(fault: SftpFault): void {
    for (const entry of this.#faults) if (entry.fault === fault) entry.left -= 1;
  }

  connect(connection: Connection): void {
    this.open.add(connection);
    this.maxConnections = Math.max(this.maxConnections, this.open.size);
    // A client that goes away in the middle of something is no error of the server.
    connection.on('error', () => undefined);
    connection.on('close', () => this.open.delete(connection));
    connection.on('authentication', (context) => {
      if (this.#letsIn(context)) context.accept();
      else context.reject(['password', 'publickey']);
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        serve(this, connection, acceptSftp());
      });
    });
  }

  #letsIn(context: AuthContext): boolean {
    const { password, publicKey } = this.#options;
    if (context.username !== this.user) return false;
    if (context.method === 'password')
      return password !== undefined && isSame(context.password, password);
    if (context.method !== 'publickey' || publicKey === undefined) return false;
    const known = utils.parseKey(publicKey);
    if (known instanceof Error || !known.getPublicSSH().equals(context.key.data)) return false;
    const { blob, signature, hashAlgo } = context;
    return signature === undefined || blob === undefined || known.verify(blob, signature, hashAlgo);
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** An open file or folder of a session. */
interface Handle {
  readonly path: string;
  readonly file?: ServedFile;
  told: boolean;
}

function serve(state: ServerState, connection: Connection, sftp: SFTPWrapper): void {
  const handles = new Map<number, Handle>();
  let next = 0;
  const give = (id: number, handle: Handle): void => {
    next += 1;
    handles.set(next, handle);
    const name = Buffer.alloc(4);
    name.writeUInt32BE(next);
    sftp.handle(id, name);
  };
  const handleOf = (name: Buffer): Handle | undefined => handles.get(name.readUInt32BE());
  sftp.on('OPEN', (id, path, flags) => {
    state.requests.push(`OPEN ${path}`);
    const file = state.files.get(path);
    if ((flags & OPEN_MODE.WRITE) !== 0) sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
    else if (file === undefined) sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    else give(id, { path, file, told: false });
  });
  sftp.on('READ', (id, name, offset, length) => {
    const file = handleOf(name)?.file;
    if (file === undefined) sftp.status(id, STATUS_CODE.FAILURE);
    else read({ state, connection, sftp, id }, file, offset, length);
  });
  sftp.on('OPENDIR', (id, path) => {
    state.requests.push(`READDIR ${path}`);
    if (childrenOf(state, path).length === 0) sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    else give(id, { path, told: false });
  });
  sftp.on('READDIR', (id, name) => {
    const handle = handleOf(name);
    if (handle === undefined || handle.told) {
      sftp.status(id, handle === undefined ? STATUS_CODE.FAILURE : STATUS_CODE.EOF);
      return;
    }
    handle.told = true;
    sftp.name(id, childrenOf(state, handle.path));
  });
  sftp.on('CLOSE', (id, name) => {
    handles.delete(name.readUInt32BE());
    sftp.status(id, STATUS_CODE.OK);
  });
  const stat = (id: number, path: string): void => {
    const file = state.files.get(path);
    if (file !== undefined) sftp.attrs(id, attributesOf(file));
    else if (childrenOf(state, path).length > 0) sftp.attrs(id, FOLDER);
    else sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
  };
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('FSTAT', (id, name) => {
    stat(id, handleOf(name)?.path ?? '');
  });
  sftp.on('REALPATH', (id, path) => {
    sftp.name(id, [{ filename: path === '.' ? '/' : path, longname: path, attrs: FOLDER }]);
  });
}

interface Reading {
  readonly state: ServerState;
  readonly connection: Connection;
  readonly sftp: SFTPWrapper;
  readonly id: number;
}

function read(
  { state, connection, sftp, id }: Reading,
  file: ServedFile,
  offset: number,
  length: number,
): void {
  if (state.fault('silent') !== undefined) return;
  const cut = state.fault('cut');
  if (cut !== undefined && offset + length > cut.afterBytes) {
    state.use(cut);
    sftp.data(id, Buffer.from(file.bytes.subarray(offset, Math.max(offset, cut.afterBytes))));
    setImmediate(() => connection.end());
    return;
  }
  const short = state.fault('short');
  const end =
    short !== undefined && file.path.endsWith(`/${short.name}`)
      ? short.bytes
      : file.bytes.byteLength;
  const answer = (): void => {
    if (offset >= end) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, Buffer.from(file.bytes.subarray(offset, Math.min(end, offset + length))));
  };
  const slow = state.fault('slow');
  if (slow === undefined) answer();
  else setTimeout(answer, slow.delayMs);
}

const FOLDER = {
  mode: FOLDER_MODE,
  uid: 0,
  gid: 0,
  size: 0,
  atime: seconds(DAWN),
  mtime: seconds(DAWN),
};

function attributesOf({ bytes, modifiedAt = DAWN }: ServedFile) {
  return {
    mode: FILE_MODE,
    uid: 0,
    gid: 0,
    size: bytes.byteLength,
    atime: seconds(modifiedAt),
    mtime: seconds(modifiedAt),
  };
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1_000);
}

/**
 * What lies right below a folder. A file may have a name with `/` in it where a test wants to
 * mislead.
 */
function childrenOf({ files }: ServerState, folder: string): FileEntry[] {
  const base = folder === '/' ? '/' : `${folder.replace(/\/$/, '')}/`;
  const found = new Map<string, FileEntry>();
  for (const file of files.values()) {
    if (!file.path.startsWith(base)) continue;
    const rest = file.path.slice(base.length);
    const [name = '', ...below] = rest.split('/');
    const isFolder = below.length > 0;
    const attrs = isFolder ? FOLDER : attributesOf(file);
    found.set(name, {
      filename: name,
      longname: `${isFolder ? 'd' : '-'}rw-r--r-- 1 0 0 ${attrs.size} Jan 1 00:00 ${name}`,
      attrs,
    });
  }
  return [...found.values()];
}
