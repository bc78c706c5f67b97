import { fileBytes, onDisk } from '../virtual-files.ts';

/**
 * Stands in for `node:fs/promises`: the same on the real disk without another thread, and virtual
 * files beside it.
 */

const fs = process.getBuiltinModule('node:fs');

/** A promise that costs no macrotask. */
function at<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => Promise<R> {
  return (...args) =>
    new Promise((resolve) => {
      resolve(work(...args));
    });
}

export const readFile = at((path: string, encoding?: BufferEncoding): unknown => {
  const bytes = Buffer.from(fileBytes(path) ?? fs.readFileSync(path));
  return encoding === undefined ? bytes : bytes.toString(encoding);
});
export const writeFile = at(fs.writeFileSync);
export const mkdir = at(fs.mkdirSync);
export const mkdtemp = at(fs.mkdtempSync);
export const rm = at(fs.rmSync);
export const rmdir = at(fs.rmdirSync);
export const rename = at(fs.renameSync);
export const unlink = at(fs.unlinkSync);
export const readdir = at(fs.readdirSync);
export const stat = at((path: string) => fs.statSync(onDisk(path)));
export const appendFile = at(fs.appendFileSync);
export const access = at((path: string) => {
  if (fileBytes(path) === undefined) fs.accessSync(path);
});
export const link = at(fs.linkSync);
export const truncate = at(fs.truncateSync);
export const utimes = at(fs.utimesSync);
export const open = at(
  (path: string, flags?: string | number, mode?: number) =>
    new Handle(fs.openSync(onDisk(path), flags ?? 'r', mode)),
);
export const { copyFile, lstat, statfs, realpath } = fs.promises;
export const { constants } = fs;

/**
 * What the product uses of a file handle. Nothing survives the seed, so nothing is brought to the
 * disk.
 */
class Handle {
  readonly fd: number;
  readonly stat = at((options?: { readonly bigint?: boolean }) =>
    fs.fstatSync(this.fd, options as never),
  );
  readonly read = at(
    (buffer: Uint8Array, offset: number, length: number, position: number | null) => ({
      bytesRead: fs.readSync(this.fd, buffer, offset, length, position),
      buffer,
    }),
  );
  readonly write = at((bytes: Uint8Array) => ({
    bytesWritten: fs.writeSync(this.fd, bytes),
    buffer: bytes,
  }));
  readonly writeFile = at((bytes: Uint8Array | string) => {
    fs.writeFileSync(this.fd, bytes);
  });
  readonly utimes = at((used: number, changed: number) => {
    fs.futimesSync(this.fd, used, changed);
  });
  readonly close = at(() => {
    fs.closeSync(this.fd);
  });
  readonly sync = at(() => undefined);
  readonly datasync = at(() => undefined);

  constructor(fd: number) {
    this.fd = fd;
  }
}
