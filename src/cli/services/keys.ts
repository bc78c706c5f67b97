import { createKey, endKey, listKeys } from '../../api/security/keys.ts';
import type { KeyRecord } from '../../api/security/keys.ts';
import { PipelineError } from '../../errors.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';

/** `quotidien keys`: who may ask the API, for how long. A key is shown once, when it is made. */

/** How long a key is good where nothing is said. */
export const DEFAULT_DAYS = '90';
const DAY_MS = 86_400_000;

/** `days` is the lifetime, from 1 to 365, default 90. */
export interface NewKeyCommand {
  readonly owner: string;
  readonly scope: readonly string[];
  readonly days?: string;
}

/** Prints the key once; nothing can show it again. */
export async function keysCreate(
  context: CommandContext,
  { owner, scope, days }: NewKeyCommand,
): Promise<ExitCode> {
  const engine = await context.engine();
  const wanted = { owner, scopes: scope, days: daysOf(days ?? DEFAULT_DAYS), by: callerName() };
  await noteCommand(context, { action: 'keys/create', target: `${owner}: ${scope.join(' ')}` });
  tellKey(context, await createKey(engine.documents, wanted, engine.now()));
  return EXIT.done;
}

/** Also keys that have ended; their hashes stay in the store. */
export async function keysList(context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const keys = await listKeys((await context.engine()).documents);
  terminal.data(keys.map(withoutHash));
  for (const { id, owner, scopes, expiresAt, revokedAt } of keys) {
    const end = revokedAt === null ? `until ${expiresAt}` : `revoked ${revokedAt}`;
    terminal.line(`${id}  ${owner}  ${scopes.join(' ')}  ${end}`);
  }
  if (keys.length === 0)
    terminal.line('there is no key; "quotidien keys create <owner>" makes one');
  return EXIT.done;
}

/** Takes effect at every server with its next request. */
export async function keysRevoke(context: CommandContext, id: string): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  await noteCommand(context, { action: 'keys/revoke', target: `key:${id}` });
  terminal.data(withoutHash(await endKey(engine.documents, id, engine.now())));
  terminal.line(`${id} is good no more`);
  return EXIT.done;
}

/**
 * A new key of the same owner and scopes; the old one stays good for the overlap, so that programs
 * can change over.
 */
export async function keysRotate(
  context: CommandContext,
  id: string,
  overlap: string,
): Promise<ExitCode> {
  const engine = await context.engine();
  const old = (await listKeys(engine.documents)).find((key) => key.id === id);
  if (old === undefined) throw new PipelineError('NOT_FOUND', `there is no key ${id}`);
  const days = Math.round((Date.parse(old.expiresAt) - Date.parse(old.createdAt)) / DAY_MS);
  const { owner, scopes } = old;
  await noteCommand(context, {
    action: 'keys/rotate',
    target: `key:${id}`,
    reason: `overlap ${overlap}`,
  });
  const made = await createKey(
    engine.documents,
    { owner, scopes, days, by: callerName() },
    engine.now(),
  );
  await endKey(engine.documents, id, new Date(engine.now().getTime() + daysOf(overlap) * DAY_MS));
  tellKey(context, made);
  return EXIT.done;
}

function tellKey(
  { terminal }: CommandContext,
  { key, record }: { readonly key: string; readonly record: KeyRecord },
): void {
  terminal.data({ key, ...withoutHash(record) });
  terminal.line(key);
  terminal.note(
    `of ${record.owner}, ${record.scopes.join(' ')}, until ${record.expiresAt}; it is not shown again`,
  );
}

function withoutHash({
  id,
  owner,
  scopes,
  createdAt,
  expiresAt,
  revokedAt,
  by,
}: KeyRecord): Omit<KeyRecord, 'sha256'> {
  return { id, owner, scopes, createdAt, expiresAt, revokedAt, by };
}

/** A number of days, such as `7` or `7d`; `INPUT_INVALID` otherwise. */
export function daysOf(text: string): number {
  const days = Number(text.replace(/d$/, ''));
  if (Number.isInteger(days) && days >= 0) return days;
  throw new PipelineError('INPUT_INVALID', `a number of days is wanted, such as 7d, not ${text}`);
}
