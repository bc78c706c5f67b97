import { fileBytes } from '../virtual-files.ts';

/** Stands in for `node:fs/promises`: the same on the real disk without another thread, and virtual files beside it. */

const fs = process.getBuiltinModule('node:fs');

type Work<A extends unknown[], R> = (...args: A) => R;

/** A promise that costs no macrotask. */
function at<A extends unknown[], R>(work: Work<A, R>): (...args: A) => Promise<R> {
  return (...args) =>
    new Promise((resolve) => {
      resolve(work(...args));
    });
}

export const readFile = at((path: string, ...rest: unknown[]): unknown => {
  const found = fileBytes(path);
  if (found !== undefined)
    return typeof rest[0] === 'string' ? Buffer.from(found).toString('utf8') : Buffer.from(found);
  return fs.readFileSync(path, ...(rest as []));
});
export const writeFile = at(fs.writeFileSync);
export const mkdir = at(fs.mkdirSync);
export const mkdtemp = at(fs.mkdtempSync);
export const rm = at(fs.rmSync);
export const rmdir = at(fs.rmdirSync);
export const rename = at(fs.renameSync);
export const unlink = at(fs.unlinkSync);
export const readdir = at(fs.readdirSync);
export const stat = at(fs.statSync);
export const link = at(fs.linkSync);
export const utimes = at(fs.utimesSync);
export const { open, copyFile, access, lstat, statfs, realpath } = fs.promises;
export const { constants } = fs;
