import { endSessionsOf, listSessions } from '../../api/security/sessions.ts';
import { writeAudit } from '../../api/shared/audit.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';

/** `quotidien sessions`: who is signed in to the console, and the end of that. */

/** The newest first; an hour without a request ends a session too. */
export async function sessionsList(context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const found = await listSessions(engine.documents, engine.now());
  const sessions = found
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    .map(({ name, role, grants = [{ role }], createdAt, seenAt, expiresAt }) => {
      const roles = grants.map((one) =>
        one.pipeline === undefined ? one.role : `${one.role}:${one.pipeline}`,
      );
      return { name, roles, createdAt, seenAt, expiresAt };
    });
  terminal.data(sessions);
  for (const { name, roles, createdAt, expiresAt } of sessions)
    terminal.line(`${name}  ${roles.join(' ')}  since ${createdAt}, until ${expiresAt}`);
  if (sessions.length === 0) terminal.line('nobody is signed in');
  return EXIT.done;
}

/**
 * Takes effect at every server with its next request; nobody who is signed in under the name is no
 * error.
 */
export async function sessionsEnd(
  context: CommandContext,
  name: string,
  reason: string,
): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const at = engine.now().toISOString();
  const record = { at, by: callerName(), action: 'sessions/end', target: name, reason };
  await writeAudit(engine.documents, record);
  const ended = await endSessionsOf(engine.documents, name);
  terminal.data({ name, ended });
  terminal.line(`${count(ended, 'session')} of ${name} ended`);
  return EXIT.done;
}
