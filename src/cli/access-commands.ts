import type { Command } from 'commander';
import type { Perform } from './shared/context.ts';

/** The commands that say who may ask the API, and who may act in the console. */

/** Keys of programs, and links by which people sign in. */
export function addAccessCommands(program: Command, perform: Perform, inHome: Perform): void {
  addKeyCommands(program, perform, inHome);
  addPeopleCommands(program, inHome);
}

function addKeyCommands(program: Command, perform: Perform, inHome: Perform): void {
  const keys = program.command('keys').description('the keys of programs that ask the API');
  const code = () => import('./services/keys.ts');
  keys
    .command('create <owner>')
    .description('make a key; it is shown once')
    .option(
      '--scope <scope...>',
      'data:read, ops:read, ops:write or admin, each also for one pipeline (data:read:name)',
      ['data:read'],
    )
    .option('--days <n>', 'how long it is good, at most 365 (default: 90)')
    .action((owner: string, options: { scope: string[]; days?: string }) =>
      perform(async (context) => (await code()).keysCreate(context, { owner, ...options })),
    );
  keys
    .command('list')
    .description('every key with its scopes and its end, without the key')
    .action(() => inHome(async (context) => (await code()).keysList(context)));
  keys
    .command('rotate <id>')
    .description('make a new key in place of one, which stays good for the overlap')
    .option('--overlap <days>', 'such as 7d', '7d')
    .action((id: string, options: { overlap: string }) =>
      inHome(async (context) => (await code()).keysRotate(context, id, options.overlap)),
    );
  keys
    .command('import [file]')
    .description(
      'take in keys of an earlier system: lines label:sha256, or API__TROUSSEAU__label__KEY=key (default: standard input)',
    )
    .option('--scope <scope...>', 'what they are good for, as of create', ['data:read'])
    .option('--days <n>', 'how long they are good, at most 365 (default: 90)')
    .action((file: string | undefined, options: { scope: string[]; days?: string }) =>
      perform(async (context) =>
        (await import('./services/import-keys.ts')).keysImport(context, { file, ...options }),
      ),
    );
  keys
    .command('revoke <id>')
    .description('end a key now')
    .action((id: string) => inHome(async (context) => (await code()).keysRevoke(context, id)));
}

function addPeopleCommands(program: Command, inHome: Perform): void {
  const sessions = program.command('sessions').description('who is signed in to the console');
  const people = () => import('./services/sessions.ts');
  sessions
    .command('list')
    .description('everybody who is signed in now, as what and until when')
    .action(() => inHome(async (context) => (await people()).sessionsList(context)));
  sessions
    .command('end <name>')
    .description('end all sessions of a person now, and take back their links')
    .requiredOption('--reason <text>', 'why, for the audit')
    .action((name: string, { reason }: { reason: string }) =>
      inHome(async (context) => (await people()).sessionsEnd(context, name, reason)),
    );

  program
    .command('console')
    .description('a link that signs a browser in to the console, good once and for ten minutes')
    .option('--role <role>', 'reader, operator or admin', 'operator')
    .option('--url <url>', 'where the API is reached (default: the one of this home)')
    .action((options: { role: string; url?: string }) =>
      inHome(async (context) =>
        (await import('./services/console.ts')).openConsole(context, options),
      ),
    );
}
