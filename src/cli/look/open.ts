import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { datasetOf } from '../../engine/engine.ts';
import { publishedPage, publishWholeCalendar } from '../../engine/publish/publish-calendar.ts';
import { PipelineError } from '../../errors.ts';
import { CALENDAR_INDEX } from '../../pipelines/calendar-month.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import type { ObjectStore } from '../../ports/objects.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { desktopCommand, showFile } from '../shared/desktop.ts';

/** What is shown in the browser. */
export interface OpenCommand {
  /** Its newest report; without it the calendar of all pipelines. */
  readonly pipeline?: string | undefined;
  readonly date?: string | undefined;
}

/**
 * `quotidien open`: shows the calendar or a report in the browser of this machine, and prints where
 * it is. Piped, with `--json` and where there is no desktop it prints alone.
 */
export async function open(context: CommandContext, command: OpenCommand): Promise<ExitCode> {
  const { terminal, config } = context;
  const engine = await context.engine();
  const key = await keyOf(engine, command);
  const file = await fileOf(context, engine.objects, key);
  terminal.data({ key, file });
  terminal.line(file);
  const program = terminal.interactive ? desktopCommand(process.platform, config.env) : undefined;
  if (program !== undefined && !(await showFile(program, file))) {
    terminal.note(`${program[0]} could not be started: open the file in a browser`);
  }
  return EXIT.done;
}

async function keyOf(engine: OpenEngine, { pipeline, date }: OpenCommand): Promise<string> {
  if ((await engine.objects.head(CALENDAR_INDEX)) === undefined) await publishWholeCalendar(engine);
  if (pipeline === undefined) {
    if ((await engine.objects.head(CALENDAR_INDEX)) !== undefined) return CALENDAR_INDEX;
    throw new PipelineError(
      'INPUT_INVALID',
      'no day is finished here yet; "quotidien demo" makes sample days',
    );
  }
  const { definition } = datasetOf(engine, pipeline);
  const day = date === undefined ? undefined : parseCivilDate(date);
  const key = await publishedPage(engine, definition, day);
  if (key !== undefined) return key;
  const asked = day === undefined ? pipeline : `${pipeline} ${day}`;
  throw new PipelineError(
    'INPUT_INVALID',
    `${asked} has no page: "quotidien report ${asked}" makes it from what is stored`,
  );
}

/** Where the page lies on this disk; a page of a remote store is copied there. */
async function fileOf(
  { config }: CommandContext,
  objects: ObjectStore,
  key: string,
): Promise<string> {
  const { home, storage } = config;
  if (storage.objects.kind === 'local-files') return path.join(home, 'store', key);
  const body = await objects.get(key);
  if (body === undefined)
    throw new PipelineError('STORE_CORRUPT', `${key} is not in the store any more`);
  const file = path.join(home, 'opened', key);
  await mkdir(path.dirname(file), { recursive: true });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  await writeFile(file, Buffer.concat(chunks));
  return file;
}
