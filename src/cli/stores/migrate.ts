import { createHash } from 'node:crypto';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import { newestName } from '../../engine/content-store.ts';
import { LEDGER_TABLE } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import { RECEIPT_TABLE } from '../../pipelines/receipt.ts';
import { migrate as copyInstallation } from '../../storage/setup/migrate.ts';
import type { MigrationReport } from '../../storage/setup/migrate.ts';
import { openMigrationNotes } from '../../storage/setup/migration-notes.ts';
import { openPrimary } from '../../workers/open-stores.ts';
import { readProfile } from '../../workers/profile.ts';
import { recordTableNames } from '../../workers/record-tables.ts';
import type { Profile } from '../../workers/profile.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import type { Terminal } from '../shared/terminal.ts';
import { OPERATIONAL_TABLES, initProfile } from './storage.ts';

/** Two installations, named as `readProfile` takes them. */
export interface MigrateCommand {
  readonly from: string;
  readonly to: string;
}

/** Signs of life: one after so many groups of objects or documents. */
const TOLD_EVERY = 12;

/**
 * `quotidien migrate`: copies a whole installation to stores of another kind and proves it by hash.
 */
export async function migrate(context: CommandContext, options: MigrateCommand): Promise<ExitCode> {
  const { config, terminal, signal } = context;
  const [from, to] = [options.from, options.to].map((name) =>
    readProfile(name, config, process.cwd()),
  ) as [Profile, Profile];
  if (JSON.stringify([from.home, from.storage]) === JSON.stringify([to.home, to.storage])) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${options.from} and ${options.to} are the same stores`,
    );
  }
  const notes = await openMigrationNotes(
    path.join(config.home, 'migrations', `${hashOf(from, to)}.jsonl`),
  );
  const earlier = [...notes.all()].length;
  if (earlier > 0) terminal.note(`going on: ${earlier} copies are noted by an earlier try`);
  await initProfile(to);
  const [source, target] = [await openPrimary(from), await openPrimary(to)];
  try {
    let told = 0;
    const report = await copyInstallation({
      from: source,
      to: target,
      tables: [...OPERATIONAL_TABLES, ...recordTableNames()],
      naming: {
        [MANIFEST_TABLE]: 'required',
        [RECEIPT_TABLE]: 'required',
        [LEDGER_TABLE]: 'collected',
      },
      otherKeyOf: newestName,
      notes,
      signal,
      progress: ({ objects, documents }) => {
        told += 1;
        if (told % TOLD_EVERY === 0) terminal.note(`${objects} objects, ${documents} documents`);
      },
    });
    terminal.data(report);
    print(terminal, report);
    if (report.conflicts.length > 0) return EXIT.failed;
    await notes.clear();
    return report.missing.length === 0 ? EXIT.done : EXIT.degraded;
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

function print(terminal: Terminal, report: MigrationReport): void {
  for (const half of ['objects', 'documents'] as const) {
    const { copied, same, replaced, removed } = report[half];
    const changes =
      replaced + removed === 0 ? '' : `, ${replaced} had changed and ${removed} were gone since`;
    terminal.line(
      `${half.padEnd(9)}  ${copied} copied and read back, ${same} were there already${changes}`,
    );
  }
  for (const conflict of report.conflicts)
    terminal.line(`conflict   ${conflict}; it was left as it is there`);
  for (const key of report.missing)
    terminal.line(`missing    ${key} is named by a document, and neither side has it`);
}

/** The same two profiles, whatever they are called. */
function hashOf(from: Profile, to: Profile): string {
  const text = JSON.stringify([from, to].map(({ home, storage }) => [home, storage]));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
