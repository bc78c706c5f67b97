import { collectGarbage } from '../../engine/upkeep/collect-garbage.ts';
import { PipelineError } from '../../errors.ts';
import { findLeftovers } from '../../storage/local/leftovers.ts';
import { workFolders } from '../../workers/open-stores.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count, formatBytes } from '../shared/measures.ts';

/** Without `graceDays` seven days; 0 removes what an earlier collection found. */
export interface GcCommand {
  readonly dryRun?: boolean;
  readonly graceDays?: string;
}

const DEFAULT_GRACE_DAYS = 7;

/**
 * `quotidien gc`: removes artefacts that no version of any day or period refers to, after a grace.
 */
export async function gc(context: CommandContext, command: GcCommand): Promise<ExitCode> {
  const { terminal } = context;
  const graceDays = Number(command.graceDays ?? DEFAULT_GRACE_DAYS);
  if (!Number.isFinite(graceDays) || graceDays < 0)
    throw new PipelineError(
      'INPUT_INVALID',
      `--grace-days takes a number, not ${JSON.stringify(command.graceDays)}`,
    );
  const dryRun = command.dryRun === true;
  if (!dryRun) await noteCommand(context, { action: 'gc', target: `older than ${graceDays} days` });
  const result = await collectGarbage(await context.engine(), { graceDays, dryRun });
  const leftovers = await findLeftovers(workFolders(context.config), !dryRun);
  terminal.data({ ...result, leftovers });
  for (const { key, bytes, since, removed } of result.unreferenced) {
    const state = removed
      ? 'removed'
      : since === null
        ? 'found now'
        : `found ${since.slice(0, 10)}`;
    terminal.line(`${state.padEnd(16)} ${formatBytes(bytes).padStart(10)}  ${key}`);
  }
  const left = result.unreferenced.length - result.removed;
  terminal.line(
    `${count(result.removed, 'object')} removed, ${formatBytes(result.removedBytes)}; ${left} without a reference ` +
      `${dryRun ? 'would be' : 'are'} removed once they have been so for ${graceDays} days. Raw files are never removed.`,
  );
  if (leftovers.length > 0) {
    const bytes = leftovers.reduce((sum, one) => sum + one.bytes, 0);
    const what = `${count(leftovers.length, 'unfinished file')} of processes that were killed, ${formatBytes(bytes)}`;
    terminal.line(`${what}, ${dryRun ? 'would be removed' : 'removed'} from this host`);
  }
  return EXIT.done;
}
