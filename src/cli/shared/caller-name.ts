import os from 'node:os';

/** Who calls a command, as it is kept with what they ask for: `user@host`. */
export function callerName(): string {
  return `${userName()}@${os.hostname()}`;
}

/**
 * A user without an entry in the machine's list of users, as in some containers, has a number only.
 */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
