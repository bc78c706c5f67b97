import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../errors.ts';
import { migrate as copyInstallation } from '../storage/migrate.ts';
import type { MigrationCursor } from '../storage/migrate.ts';
import { openPrimary } from '../workers/open-stores.ts';
import { readProfile } from '../workers/profile.ts';
import type { Profile } from '../workers/profile.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { OPERATIONAL_TABLES, initProfile } from './storage.ts';

export interface MigrateCommand {
  readonly from: string;
  readonly to: string;
}

/** How far a migration came is written down after so many groups of objects; what is copied again after a crash is found to be the same. */
const NOTED_EVERY = 12;

const NATIVE_TABLES = ['cityflow-metrics', 'cityflow-daily-reports'];

/** `quotidien migrate`: copies a whole installation to stores of another kind and proves it by hash. */
export async function migrate(context: CommandContext, options: MigrateCommand): Promise<ExitCode> {
  const { config, terminal, signal } = context;
  const [from, to] = [options.from, options.to].map((name) => readProfile(name, config, process.cwd())) as [
    Profile,
    Profile,
  ];
  if (JSON.stringify([from.home, from.storage]) === JSON.stringify([to.home, to.storage])) {
    throw new PipelineError('INPUT_INVALID', `${options.from} and ${options.to} are the same stores`);
  }
  const noteFile = path.join(config.home, 'migrations', `${hashOf(from, to)}.json`);
  const resumeAfter = await readNote(noteFile);
  if (resumeAfter !== undefined) terminal.note(`going on behind ${resumeAfter.objectKey}`);
  await initProfile(to);
  const [source, target] = [await openPrimary(from), await openPrimary(to)];
  try {
    const noted = noteEvery(noteFile, NOTED_EVERY);
    const report = await copyInstallation({
      from: source,
      to: target,
      tables: [...OPERATIONAL_TABLES, ...NATIVE_TABLES],
      ...(resumeAfter === undefined ? {} : { resumeAfter }),
      signal,
      progress: ({ cursor, objects, documents }) => {
        if (noted(cursor)) terminal.note(`${objects} objects, ${documents} documents`);
      },
    });
    terminal.data(report);
    const { objects, documents, conflicts } = report;
    terminal.line(`objects    ${objects.copied} copied and read back, ${objects.same} were there already`);
    terminal.line(`documents  ${documents.copied} copied and read back, ${documents.same} were there already`);
    for (const conflict of conflicts) terminal.line(`conflict   ${conflict}; it was left as it is there`);
    if (conflicts.length === 0) await rm(noteFile, { force: true });
    return conflicts.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

/** The same two profiles, whatever they are called. */
function hashOf(from: Profile, to: Profile): string {
  const text = JSON.stringify([from, to].map(({ home, storage }) => [home, storage]));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function readNote(file: string): Promise<MigrationCursor | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as MigrationCursor;
  } catch {
    // Without a note everything is compared again.
    return undefined;
  }
}

/** Writes the cursor down now and then, one write after the other; says when it did. */
function noteEvery(file: string, every: number): (cursor: MigrationCursor) => boolean {
  let calls = 0;
  let written: Promise<unknown> = Promise.resolve();
  return (cursor) => {
    calls += 1;
    if (calls % every !== 0) return false;
    written = written.then(() => writeNote(file, cursor)).catch(() => undefined);
    return true;
  };
}

async function writeNote(file: string, cursor: MigrationCursor): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(cursor));
  await rename(`${file}.new`, file);
}
