import { spawn } from 'node:child_process';
import type { Environment } from '../../config/environment.ts';

/** A program with what it is given. */
type ProgramCall = readonly [program: string, ...given: string[]];

/**
 * What shows a file to the person at this machine; undefined where nobody sits in front of it, as
 * on a server.
 */
export function desktopCommand(
  platform: NodeJS.Platform,
  env: Environment,
): ProgramCall | undefined {
  if (platform === 'darwin') return ['open'];
  // The empty text is the title of the window, which `start` would take from a quoted path
  // otherwise.
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  const hasScreen = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some(
    (screen) => screen !== undefined && screen !== '',
  );
  return hasScreen ? ['xdg-open'] : undefined;
}

/** Shows the file; false when the program for it could not be started. */
export function showFile([program, ...given]: ProgramCall, file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [...given, file], { stdio: 'ignore', detached: true });
    child.once('error', () => {
      resolve(false);
    });
    child.once('spawn', () => {
      // The browser outlives the command.
      child.unref();
      resolve(true);
    });
  });
}
