import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from './environment.ts';

/**
 * Folder for tools that are fetched once: one for each user, because programs are run from it. By
 * the XDG rules `$XDG_CACHE_HOME/quotidien` or `~/.cache/quotidien`, never a folder that depends on
 * where a command is called: anybody may have made that.
 */
export function cacheFolder(env: Environment, cwd: string): string {
  const { QUOTIDIEN_CACHE: own, XDG_CACHE_HOME: xdg, HOME: home } = env;
  if (own !== undefined && own !== '') return path.resolve(cwd, own);
  const root = isFolder(xdg) ? xdg : path.join(isFolder(home) ? home : homedir(), '.cache');
  return path.join(root, 'quotidien');
}

/** Relative ones are to be ignored, say the rules. */
function isFolder(name: string | undefined): name is string {
  return name !== undefined && path.isAbsolute(name);
}
