import path from 'node:path';

/**
 * Commands that are proposed to a person are for the home that the person works on, and so they
 * name it.
 */

/** Every command of the program itself; a test compares them. */
export const COMMAND_NAMES = [
  ...[
    'run',
    'report',
    'plan',
    'import',
    'backfill',
    'watch',
    'fetch',
    'decide',
    'skip',
    'retry',
    'pause',
    'resume',
  ],
  ...['status', 'open', 'gaps', 'stale', 'show', 'diff', 'verify', 'export', 'doctor', 'settings'],
  ...['storage', 'reconcile', 'migrate', 'repair', 'gc', 'forget', 'retain'],
  ...['worker', 'dev', 'api', 'console', 'mcp', 'demo', 'portal', 'codec-server'],
  ...['schedules', 'keys', 'sessions', 'new', 'completion'],
];

const PROPOSED = new RegExp(`\\bquotidien (?=(?:${COMMAND_NAMES.join('|')})\\b)`, 'g');

/**
 * The home as an option: as it was given, so that it can be pasted where it was. Undefined for the
 * home of the working folder.
 */
export function homeOption({
  env,
  cwd,
  home,
}: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** From the command line. */
  readonly home: string | undefined;
}): string | undefined {
  const given = home ?? (env['QUOTIDIEN_HOME'] === '' ? undefined : env['QUOTIDIEN_HOME']);
  if (given === undefined) return undefined;
  if (home === undefined && path.resolve(cwd, given) === path.resolve(cwd, '.quotidien'))
    return undefined;
  return `--home ${quoted(given)}`;
}

/** A text whose commands all name the home; the same text where they need not. */
export function nameHome(text: string, option: string | undefined): string {
  return option === undefined ? text : text.replace(PROPOSED, (command) => `${command}${option} `);
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=,~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
