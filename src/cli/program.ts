import { Command } from 'commander';
import { CODE_VERSION } from '../workers/code-version.ts';
import { addExportCommand } from './export-command.ts';
import { addExamples } from './examples.ts';
import { addFetchCommand } from './fetch-command.ts';
import { addAccessCommands } from './access-commands.ts';
import { addOrderCommands } from './order-commands.ts';
import { tellAway } from './shared/away.ts';
import { checkHomeExists } from './shared/existing-home.ts';
import type { Execute, GlobalOptions, Perform } from './shared/context.ts';
import { withExplicitDates } from './shared/relative-dates.ts';
import { addServiceCommands, addCodecServer, addScheduleCommands } from './service-commands.ts';

/**
 * The command line as a whole. Each command's code is imported when it is called, so that `--help`
 * and small commands start without loading engines they do not use. Options are typed where an
 * action takes them: commander's typed build infers them from the whole chain of calls, which these
 * functions take apart, a command each.
 */
export function createProgram(execute: Execute): Command {
  const program = new Command('quotidien')
    .description('Daily public-utility data turned into verified days.')
    .version(CODE_VERSION)
    .option('--json', 'print the result as JSON')
    .option(
      '--home <folder>',
      'folder of everything that is kept on this machine (default: .quotidien)',
    )
    .showHelpAfterError('(quotidien --help lists the commands)')
    .configureHelp({ showGlobalOptions: true })
    // Before the commands are made, which take it over.
    .exitOverride();
  const perform: Perform = (command) => execute(program.opts<GlobalOptions>(), command);
  const inHome = ofExistingHome(perform);
  addDayCommands(program, perform, inHome);
  addImportCommand(program, perform);
  addOrderCommands(program, perform);
  addBackfillCommand(program, perform);
  addFetchCommand(program, perform);
  const look: Perform = (command) =>
    perform(async (context) => tellAway(context, await command(context)));
  const lookAtHome = ofExistingHome(look);
  addCalendarCommands(program, lookAtHome);
  addDayReadingCommands(program, lookAtHome);
  addHomeCommands(program, look);
  addExportCommand(program, lookAtHome);
  addStoreCommands(program, perform, inHome);
  addRemovalCommands(program, inHome);
  addServiceCommands(program, perform, inHome);
  addCodecServer(program, perform);
  addScheduleCommands(program, perform, inHome);
  addAccessCommands(program, perform, inHome);
  addNewCommand(program);
  addCompletionCommand(program, perform);
  addExamples(program);
  return program;
}

const PAGES = [
  '--pages',
  'of a range: make the pages of its days too, as a single day has one',
] as const;

/** One option under two names. */
const UNTIL = [
  '--steps, --until <stage>',
  'the last stage to make (download, transform, metrics, report); those before it are made or reused',
] as const;

/** For commands that make nothing new: a mistyped home would seem to be an empty one. */
function ofExistingHome(perform: Perform): Perform {
  return (command) =>
    perform((context) => {
      checkHomeExists(context.config);
      return command(context);
    });
}

function addDayCommands(program: Command, perform: Perform, inHome: Perform): void {
  program
    .command('run <pipeline> <from> [to]')
    .description('run a day, or all days of a range, now')
    .option('--recheck', 'ask the publisher even where its last answer still counts as fresh')
    .option(
      '--from-step <step>',
      'execute this step, or the steps of this stage, and everything after them again',
    )
    .option('--force', 'execute every step again; needs --reason')
    .option('--reason <text>', 'why; kept with the day')
    .option(
      '--detach',
      'leave a day that waits for its publisher or a decision to the workers, and end',
    )
    .option(...PAGES)
    .option(...UNTIL)
    .action(
      (pipeline: string, from: string, to: string | undefined, options: Record<string, never>) =>
        perform(async (context) =>
          (await import('./make/run.ts')).run(
            context,
            withExplicitDates(context, { pipeline, from, to, ...options }),
          ),
        ),
    );

  program
    .command('report <pipeline> [date]')
    .description(
      'make the report of a day from stored metrics; without a date of REPORT_DATE, else of yesterday',
    )
    .action((pipeline: string, date: string | undefined) =>
      perform(async (context) =>
        (await import('./make/report.ts')).report(
          context,
          withExplicitDates(context, { pipeline, date }),
        ),
      ),
    );

  program
    .command('plan <pipeline> <from> [to]')
    .description('say what a run would do, and why, without doing it')
    .option(
      '--probe',
      'ask the publisher now, so that the plan knows what changed; what comes is kept as raw files',
    )
    .option('--all', 'also list the steps that are reused')
    .option(
      '--effects',
      'of one day: what its run would change in months, years and history; nothing of it is kept',
    )
    .option(...PAGES)
    .action(
      (pipeline: string, from: string, to: string | undefined, options: Record<string, never>) =>
        inHome(async (context) =>
          (await import('./look/plan.ts')).plan(
            context,
            withExplicitDates(context, { pipeline, from, to, ...options }),
          ),
        ),
    );
}

function addImportCommand(program: Command, perform: Perform): void {
  program
    .command('import <pipeline> [files...]')
    .description(
      'take in files that the publisher gave in another way; without files, what lies under raw/ in the store',
    )
    .option(
      '--as-of <date>',
      'the day of which the files tell, for a list without a date of its own (roadworks)',
    )
    .option(
      '--force',
      'take the files as they are, also where they lack or contradict what is known of their days',
    )
    .action((pipeline: string, files: string[], options: { asOf?: string; force?: boolean }) =>
      perform(async (context) =>
        (await import('./make/import.ts')).importRaw(
          context,
          withExplicitDates(context, { pipeline, files, ...options }),
        ),
      ),
    );
}

function addBackfillCommand(program: Command, perform: Perform): void {
  program
    .command('backfill <pipeline> [from] [to]')
    .description('make the days of a range that have something to do; complete days cost nothing')
    .option('--missing', 'only days that no run has finished')
    .option('--failed', 'only days whose last run failed')
    .option('--stale', 'only finished days that are out of date, without asking the publisher')
    .option(
      '--all',
      'every day; ask the publisher even where its last answer still counts as fresh',
    )
    .option('--newest-first', 'begin with the newest days')
    .option(...PAGES)
    .option('--parallel <n>', 'windows or days at the same time (default: 3)')
    .option(...UNTIL)
    .option('--dry-run', 'print the plan and its hash, and start nothing')
    .option('--plan <hash>', 'start exactly the plan that a dry run printed')
    .option(
      '--canary <n>',
      'run this many sampled days first, and stop for a decision when they differ from what is stored',
    )
    .option(
      '--canary-tolerance <share>',
      'part of the rows by which canary days may differ (default: 0)',
    )
    .action(
      (
        pipeline: string,
        from: string | undefined,
        to: string | undefined,
        options: Record<string, never>,
      ) =>
        perform(async (context) =>
          (await import('./make/backfill.ts')).backfill(
            context,
            withExplicitDates(context, {
              pipeline,
              from: from ?? '',
              to: to ?? from ?? '',
              ...options,
            }),
          ),
        ),
    );

  program
    .command('watch <pipeline>')
    .description('ask the publisher what it revised, and run the days whose content changed')
    .action((pipeline: string) =>
      perform(async (context) => (await import('./make/watch.ts')).watch(context, pipeline)),
    );
}

function addCalendarCommands(program: Command, perform: Perform): void {
  program
    .command('status [pipeline] [month-or-year]')
    .description(
      'the calendar of days: verdict, revision, coverage; of all pipelines how they stand, the next ticks, and what needs a person',
    )
    .action((pipeline: string | undefined, period: string | undefined) =>
      perform(async (context) =>
        pipeline === undefined
          ? (await import('./look/overview.ts')).overview(context)
          : (await import('./look/status.ts')).status(context, { pipeline, period }),
      ),
    );

  program
    .command('open [pipeline] [date]')
    .description(
      'show the calendar of all pipelines, the newest report of one, or that of a day, in the browser; print where it is',
    )
    .action((pipeline: string | undefined, date: string | undefined) =>
      perform(async (context) => {
        const { open } = await import('./look/open.ts');
        return open(
          context,
          pipeline === undefined ? {} : withExplicitDates(context, { pipeline, date }),
        );
      }),
    );
}

function addDayReadingCommands(program: Command, perform: Perform): void {
  program
    .command('gaps <pipeline> [from] [to]')
    .description(
      'days that are not ok and whole, and the commands that would close them (default: the last year)',
    )
    .action((pipeline: string, from: string | undefined, to: string | undefined) =>
      perform(async (context) =>
        (await import('./look/gaps.ts')).gaps(
          context,
          withExplicitDates(context, { pipeline, from, to }),
        ),
      ),
    );

  program
    .command('stale <pipeline> [from] [to]')
    .description(
      'finished days that are out of date, and because of which change (default: the last year)',
    )
    .action((pipeline: string, from: string | undefined, to: string | undefined) =>
      perform(async (context) =>
        (await import('./look/gaps.ts')).stale(
          context,
          withExplicitDates(context, { pipeline, from, to }),
        ),
      ),
    );

  program
    .command('show <pipeline> <date>')
    .description('what a day is made of: artefacts, origins, checks, runs')
    .option('--as-of <version>', 'an earlier version of the day')
    .action((pipeline: string, date: string, options: Record<string, never>) =>
      perform(async (context) =>
        (await import('./look/show.ts')).show(
          context,
          withExplicitDates(context, { pipeline, date, version: options['asOf'] }),
        ),
      ),
    );

  program
    .command('diff <pipeline> <date>')
    .description('what changed between two versions of a day')
    .option('--versions <from..to>', 'the versions to compare (default: the last two)')
    .action((pipeline: string, date: string, options: Record<string, never>) =>
      perform(async (context) =>
        (await import('./look/diff.ts')).diff(
          context,
          withExplicitDates(context, { pipeline, date, ...options }),
        ),
      ),
    );

  program
    .command('verify <pipeline> <from> [to]')
    .description(
      'rebuild days from their raw files, or the tables of a month, a year or "all" from their days, and compare every hash',
    )
    .option('--sample <n>', 'only this many of the range’s finished days, drawn at random')
    .option(
      '--repair',
      'make again what is gone or damaged, from what is here, and verify it once more',
    )
    .action(
      (
        pipeline: string,
        from: string,
        to: string | undefined,
        options: { sample?: string; repair?: boolean },
      ) =>
        perform(async (context) =>
          (await import('./look/verify.ts')).verify(
            context,
            withExplicitDates(context, { pipeline, from, to, ...options }),
          ),
        ),
    );
}

/** For those that say something of a home that is not there yet. */
function addHomeCommands(program: Command, anywhere: Perform): void {
  program
    .command('doctor')
    .description(
      'say what was detected, try everything for real, and what to do about each finding',
    )
    .action(() =>
      anywhere(async (context) => (await import('./doctor/doctor.ts')).doctor(context)),
    );

  program
    .command('settings')
    .description('list every setting with its default and what it does')
    .action(() =>
      anywhere(async (context) => (await import('./look/settings.ts')).settings(context)),
    );
}

function addRemovalCommands(program: Command, perform: Perform): void {
  program
    .command('forget <pipeline> <id>')
    .description(
      'remove the rows of a person for good: from tables, old versions, raw files, and every later delivery',
    )
    .option('--reason <text>', 'why; kept, and the id is not')
    .option('--by <who>', 'who asks for it (default: the user of this process)')
    .option('--dry-run', 'say what would be touched, without doing anything')
    .action((pipeline: string, id: string, options: Record<string, never>) =>
      perform(async (context) =>
        (await import('./stores/forget.ts')).forget(context, { pipeline, id, ...options }),
      ),
    );

  program
    .command('retain <pipeline>')
    .description(
      'remove content that is older than the definition keeps its table, in every version',
    )
    .option('--dry-run', 'list tables, days and bytes that would go')
    .action((pipeline: string, options: Record<string, never>) =>
      perform(async (context) =>
        (await import('./stores/retain.ts')).retain(context, { pipeline, ...options }),
      ),
    );
}

function addStoreCommands(program: Command, perform: Perform, inHome: Perform): void {
  program
    .command('storage')
    .description('the stores of this installation')
    .command('init')
    .description(
      'make the buckets, tables, indexes and times to live that the chosen stores need; again, it does nothing',
    )
    .option('--print', 'print the same as CloudFormation and mongosh text instead')
    .action((options: { print?: boolean }) =>
      perform(async (context) =>
        (await import('./stores/storage.ts')).storageInit(context, options),
      ),
    );

  program
    .command('reconcile')
    .description(
      'bring what this host wrote while a store was away to the stores, and prove it there',
    )
    .option('--dry-run', 'list what would be done, and the conflicts, without doing anything')
    .option('--conflict <ids>', 'decide these conflicts first (ids with commas between, or all)')
    .option('--keep <side>', 'primary (what the store has) or ours (what this host wrote)')
    .option('--by <who>', 'who decides (default: the user of this process)')
    .action((options: Record<string, never>) =>
      inHome(async (context) =>
        (await import('./stores/reconcile.ts')).reconcile(context, options),
      ),
    );

  program
    .command('migrate')
    .description(
      'copy a whole installation to other stores, verified by hash; again, it goes on where it was',
    )
    .requiredOption('--from <profile>', 'embedded, configured, or a JSON file of settings')
    .requiredOption('--to <profile>', 'the same')
    .action((options: { from: string; to: string }) =>
      perform(async (context) => (await import('./stores/migrate.ts')).migrate(context, options)),
    );

  program
    .command('repair')
    .description(
      'make records that cannot be read again, from the ledger, the manifests and the objects; asks no publisher',
    )
    .argument('<pipeline>')
    .argument('<from>', 'a day; without <to> also a month, a year or all')
    .argument('[to]')
    .option('--dry-run', 'say which rows cannot be read, and change nothing')
    .action(
      (pipeline: string, from: string, to: string | undefined, options: { dryRun?: boolean }) =>
        inHome(async (context) =>
          (await import('./stores/repair.ts')).repair(
            context,
            withExplicitDates(context, { pipeline, from, to, ...options }),
          ),
        ),
    );

  program
    .command('gc')
    .description(
      'remove artefacts that no version of any day refers to; raw files are never removed',
    )
    .option('--dry-run', 'say what there is, and change nothing')
    .option(
      '--grace-days <n>',
      'how long an object must have been without a reference (default: 7)',
    )
    .action((options: { dryRun?: boolean; graceDays?: string }) =>
      inHome(async (context) => (await import('./stores/gc.ts')).gc(context, options)),
    );
}

function addCompletionCommand(program: Command, perform: Perform): void {
  program
    .command('completion <shell>')
    .description('print what completes these commands in bash, zsh or fish')
    .action((shell: string) =>
      perform(async (context) =>
        (await import('./completion.ts')).completion(context, program, shell),
      ),
    );
}

function addNewCommand(program: Command): void {
  program
    .command('new')
    .description('write the beginning of something new')
    .command('dataset <name>')
    .description(
      'write a working dataset into a new folder: source, slice, steps, check, report, tests and page',
    )
    .action(async (name: string) => {
      process.exitCode = await (
        await import('./make/new-dataset.ts')
      ).newDataset(name, process.cwd());
    });
}
