import type { Command } from 'commander';
import type { Perform } from './shared/context.ts';
import { withExplicitDates } from './shared/relative-dates.ts';

/** Commands that run until they are stopped: workers, servers, the development setup. */
export function addServiceCommands(program: Command, perform: Perform, inHome: Perform): void {
  program
    .command('worker')
    .description('run workers against the configured Temporal server')
    .option(
      '--queues <kinds>',
      'which of compute, fetch, report (default: all)',
      'compute,fetch,report',
    )
    .action((options: { queues: string }) =>
      perform(async (context) => (await import('./services/worker.ts')).worker(context, options)),
    );

  program
    .command('dev')
    .description('run server, workers, schedules and UI together until Ctrl-C')
    .action(() => perform(async (context) => (await import('./services/dev.ts')).dev(context)));

  program
    .command('api')
    .description('answer over HTTP until Ctrl-C: days, tables, questions, reports')
    .option(
      '--host <address>',
      'address to listen on; another than this machine’s own needs --public-url',
      '127.0.0.1',
    )
    .option('--port <port>', 'port to listen on', '8080')
    .option(
      '--public-url <url>',
      'the https address under which others reach it; then every request needs a key, or a sign-in',
    )
    .option(
      '--keys-only',
      'with --public-url: for programs with keys, without a sign-in for people',
    )
    .option('--cors-origin <url...>', 'pages of other origins that may read')
    .option(
      '--per-minute <n>',
      'requests of one caller in a minute (default: 60, on this machine 60000)',
    )
    .option(
      '--no-give-way',
      'take its share of the processors, where other programs would leave it none, or workers at work a quarter of one',
    )
    .option('--openapi', 'print the OpenAPI document, and end')
    .action((options: { host: string; port: string; giveWay: boolean }) =>
      perform(async (context) => (await import('./services/api.ts')).api(context, options)),
    );

  program
    .command('mcp')
    .description(
      'give the questions to an assistant over stdin and stdout (Model Context Protocol)',
    )
    .action(() => inHome(async (context) => (await import('./services/mcp.ts')).mcp(context)));

  program
    .command('demo')
    .description('run sample days from download to report on this machine')
    .action(() => perform(async (context) => (await import('./services/demo.ts')).demo(context)));

  program
    .command('portal')
    .description('serve sample data over the publisher’s API until Ctrl-C')
    .option('--port <port>', 'port to listen on', '0')
    .option('--seed <number>', 'another seed gives other values', '1')
    .option('--folder <path>', 'serve the real files of a folder instead of synthetic days')
    .option(
      '--sftp <port>',
      'also an SFTP server with archives of the electricity distributor (0: any free port)',
    )
    .action((options: { port: string; seed: string; folder?: string; sftp?: string }) =>
      perform(async (context) => (await import('./services/portal.ts')).portal(context, options)),
    );
}

/** `codec-server`, which lets Temporal's UI show payloads that are encrypted. */
export function addCodecServer(program: Command, perform: Perform): void {
  program
    .command('codec-server')
    .description('decrypt payloads for Temporal’s UI and CLI on this machine until Ctrl-C')
    .option('--port <port>', 'port to listen on', '8234')
    .option('--origin <url...>', 'pages that may ask, such as that of the UI', [
      'http://localhost:8233',
      'http://127.0.0.1:8233',
    ])
    .action((options: { port: string; origin: string[] }) =>
      perform(async (context) =>
        (await import('./services/codec-server.ts')).codecServer(context, options),
      ),
    );
}

/** `schedules`: what Temporal is to start by itself. */
export function addScheduleCommands(program: Command, perform: Perform, inHome: Perform): void {
  const schedules = program.command('schedules').description('the schedules of the pipelines');
  const code = () => import('./services/schedules.ts');
  schedules
    .command('list')
    .description('next ticks, last result, ticks that were missed or skipped')
    .action(() => inHome(async (context) => (await code()).schedulesList(context)));
  schedules
    .command('diff')
    .description('compare what is declared with what Temporal has; exit code 1 when it differs')
    .action(() => inHome(async (context) => (await code()).schedulesDiff(context)));
  schedules
    .command('apply')
    .description('make Temporal’s schedules what is declared, and change nothing else')
    .action(() => perform(async (context) => (await code()).schedulesApply(context)));
  schedules
    .command('pause <id>')
    .option('--reason <text>', 'kept with the schedule')
    .action((id: string, options: { reason?: string }) =>
      perform(async (context) => (await code()).schedulesPause(context, { id, ...options })),
    );
  schedules
    .command('resume <id>')
    .option('--reason <text>', 'kept with the schedule')
    .action((id: string, options: { reason?: string }) =>
      perform(async (context) => (await code()).schedulesResume(context, { id, ...options })),
    );
  schedules
    .command('trigger <id>')
    .description('one tick now')
    .option('--date <date>', 'the tick that stands for this data date')
    .action((id: string, options: { date?: string }) =>
      perform(async (context) => {
        const [pipeline = ''] = id.split('/');
        return (await code()).schedulesTrigger(context, {
          id,
          ...withExplicitDates(context, { pipeline, ...options }),
        });
      }),
    );
}
