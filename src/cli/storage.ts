import { PipelineError } from '../errors.ts';
import { FAILURE_TABLE, LEDGER_TABLE } from '../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../pipelines/manifest.ts';
import { RECEIPT_TABLE } from '../pipelines/receipt.ts';
import { PLAN_TABLE } from '../pipelines/backfill.ts';
import { GARBAGE_TABLE } from '../activities/collect-garbage.ts';
import { REVISION_TABLE, WATCH_TABLE } from '../activities/watch-publisher.ts';
import { ACTION_TABLE } from '../pipelines/operator-action.ts';
import { VERIFICATION_TABLE } from '../pipelines/verification.ts';
import { initStorage } from '../storage/storage-init.ts';
import { printStorage } from '../storage/storage-print.ts';
import { storageTarget } from '../workers/open-stores.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';

const OPERATIONAL_TABLES = [
  LEDGER_TABLE,
  MANIFEST_TABLE,
  RECEIPT_TABLE,
  FAILURE_TABLE,
  VERIFICATION_TABLE,
  PLAN_TABLE,
  ACTION_TABLE,
  WATCH_TABLE,
  REVISION_TABLE,
  GARBAGE_TABLE,
];

/** `quotidien storage init`: makes what the chosen stores need, or prints it for somebody who may. */
export async function storageInit(
  { config, terminal }: CommandContext,
  options: { readonly print?: boolean },
): Promise<ExitCode> {
  const target = storageTarget(config.storage, OPERATIONAL_TABLES);
  if (target === undefined) {
    terminal.data({ steps: [] });
    terminal.line('The stores of this installation are local files and SQLite: there is nothing to make.');
    return EXIT.done;
  }
  if (options.print === true) {
    const { cloudFormation, mongosh } = printStorage(target);
    terminal.data({ cloudFormation: cloudFormation ?? null, mongosh: mongosh ?? null });
    for (const text of [cloudFormation, mongosh]) if (text !== undefined) terminal.line(text);
    return EXIT.done;
  }
  const steps = await initStorage(target);
  if (steps.length === 0) throw new PipelineError('INTERNAL', 'the chosen stores need nothing, which cannot be');
  terminal.data({ steps });
  for (const { what, outcome, why } of steps) {
    terminal.line(`${outcome.padEnd(13)} ${what}${why === undefined ? '' : ` (${why})`}`);
  }
  return EXIT.done;
}
