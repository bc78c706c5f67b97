import { KEY_TABLE } from '../../api/security/keys.ts';
import { SESSION_TABLE } from '../../api/security/sessions.ts';
import { QUOTA_TABLE } from '../../api/security/shared-counts.ts';
import { AUDIT_TABLE } from '../../api/shared/audit.ts';
import { ANNOUNCEMENT_TABLE } from '../../pipelines/announcement.ts';
import { DEGRADED_TABLE } from '../../pipelines/degraded.ts';
import { FAILURE_TABLE, LEDGER_TABLE } from '../../pipelines/ledger.ts';
import { MANIFEST_TABLE } from '../../pipelines/manifest.ts';
import { DELIVERY_ORDER_TABLE, RECEIPT_TABLE } from '../../pipelines/receipt.ts';
import { PLAN_TABLE } from '../../pipelines/backfill.ts';
import { CHANGE_TABLE } from '../../pipelines/change.ts';
import { DESTROYED_TABLE, FORGOTTEN_TABLE } from '../../pipelines/forgetting.ts';
import { GARBAGE_TABLE } from '../../pipelines/garbage.ts';
import { REPLACING_TABLE } from '../../engine/records/replacing-names.ts';
import { ARRIVAL_TABLE } from '../../engine/sources/arrivals.ts';
import { DATA_KEY_TABLE } from '../../engine/sources/data-keys.ts';
import { REVISION_TABLE, WATCH_TABLE } from '../../engine/watch/watch-publisher.ts';
import { ACTION_TABLE } from '../../pipelines/operator-action.ts';
import { DECISION_TABLE } from '../../pipelines/decision.ts';
import { VERIFICATION_TABLE } from '../../pipelines/verification.ts';
import { SETTLEMENT_TABLE } from '../../storage/outage/reconcile-conflicts.ts';
import { initStorage } from '../../storage/setup/storage-init.ts';
import { DEPOSIT_TABLE } from '../../engine/download/deposit-notes.ts';
import { TOLD_FRESHNESS_TABLE } from '../../engine/download/publish-freshness.ts';
import type { InitStep } from '../../storage/setup/storage-init.ts';
import { printStorage } from '../../storage/setup/storage-print.ts';
import { storageTargets } from '../../workers/open-stores.ts';
import type { Profile } from '../../workers/profile.ts';
import { DOCTOR_TABLE } from '../doctor/stores.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/** Every table of documents that no dataset declares; `storage init` and `migrate` go by it. */
export const OPERATIONAL_TABLES = [
  LEDGER_TABLE,
  MANIFEST_TABLE,
  RECEIPT_TABLE,
  DELIVERY_ORDER_TABLE,
  REPLACING_TABLE,
  DEPOSIT_TABLE,
  FAILURE_TABLE,
  ANNOUNCEMENT_TABLE,
  CHANGE_TABLE,
  KEY_TABLE,
  AUDIT_TABLE,
  DEGRADED_TABLE,
  VERIFICATION_TABLE,
  PLAN_TABLE,
  ACTION_TABLE,
  DECISION_TABLE,
  WATCH_TABLE,
  REVISION_TABLE,
  GARBAGE_TABLE,
  SETTLEMENT_TABLE,
  ARRIVAL_TABLE,
  DATA_KEY_TABLE,
  TOLD_FRESHNESS_TABLE,
  FORGOTTEN_TABLE,
  DESTROYED_TABLE,
];

/**
 * Users of the stores who may write and not create find these there. Sessions and quotas do not go
 * along to other stores.
 */
const MADE_TABLES = [...OPERATIONAL_TABLES, SESSION_TABLE, QUOTA_TABLE, DOCTOR_TABLE];

/** Makes what the stores of a profile need; nothing where they need nothing. */
export async function initProfile({ storage }: Pick<Profile, 'storage'>): Promise<void> {
  for (const target of storageTargets(storage, MADE_TABLES)) await initStorage(target);
}

/**
 * `quotidien storage init`: makes what the chosen stores need, or prints it for somebody who may.
 */
export async function storageInit(
  { config, terminal }: CommandContext,
  options: { readonly print?: boolean },
): Promise<ExitCode> {
  const targets = storageTargets(config.storage, MADE_TABLES);
  if (targets.length === 0) {
    terminal.data({ steps: [] });
    terminal.line(
      'The stores of this installation are local files and SQLite: there is nothing to make.',
    );
    return EXIT.done;
  }
  if (options.print === true) {
    const texts = targets.map(printStorage);
    const [main, ...others] = texts;
    const otherBuckets =
      others.length === 0 ? {} : { otherBuckets: others.map((text) => text.cloudFormation) };
    terminal.data({
      cloudFormation: main?.cloudFormation ?? null,
      mongosh: main?.mongosh ?? null,
      ...otherBuckets,
    });
    for (const { cloudFormation, mongosh } of texts) {
      for (const text of [cloudFormation, mongosh]) if (text !== undefined) terminal.line(text);
    }
    return EXIT.done;
  }
  const steps: InitStep[] = [];
  for (const target of targets) steps.push(...(await initStorage(target)));
  terminal.data({ steps });
  for (const { what, outcome, why } of steps) {
    terminal.line(`${outcome.padEnd(13)} ${what}${why === undefined ? '' : ` (${why})`}`);
  }
  return EXIT.done;
}
