import { createLink } from '../../api/security/sessions.ts';
import { writeAudit } from '../../api/shared/audit.ts';
import { ROLES } from '../../config/role-rules.ts';
import type { Role } from '../../config/role-rules.ts';
import { PipelineError } from '../../errors.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { desktopCommand, showFile } from '../shared/desktop.ts';
import { readApiAddress } from './api-address.ts';

/** Whom the link is for, and as what. */
export interface ConsoleCommand {
  readonly role: string;
  /** Where the API is reached, when it is not one of this home. */
  readonly url?: string;
}

const ANSWER_WITHIN_MS = 2_000;

/**
 * `quotidien console`: a link that is good once and for ten minutes, by which a browser signs in.
 * Whoever can write to the stores may make one: they could do there what the console does. Shown in
 * the browser of this machine where there is one.
 */
export async function openConsole(
  context: CommandContext,
  { role, url }: ConsoleCommand,
): Promise<ExitCode> {
  const { terminal, config } = context;
  const engine = await context.engine();
  const base = await addressOf(config.home, url);
  const person = { name: callerName(), role: roleOf(role) };
  const secret = await createLink(engine.documents, person, engine.now());
  const at = engine.now().toISOString();
  const reason = 'quotidien console';
  await writeAudit(engine.documents, {
    at,
    by: person.name,
    action: 'link',
    target: person.role,
    reason,
  });
  const link = `${base}/console/enter?link=${secret}`;
  terminal.data({ link, role: person.role, name: person.name });
  terminal.line(link);
  terminal.note(`signs ${person.name} in as ${person.role}, once, within ten minutes`);
  const program = terminal.interactive ? desktopCommand(process.platform, config.env) : undefined;
  if (program !== undefined && !(await showFile(program, link)))
    terminal.note(`${program[0]} could not be started: open the link in a browser`);
  return EXIT.done;
}

function roleOf(text: string): Role {
  const role = ROLES.find((one) => one === text);
  if (role !== undefined) return role;
  throw new PipelineError('INPUT_INVALID', `--role takes ${ROLES.join(', ')}, not ${text}`);
}

/** Of a server that answers: a link to nowhere would be used up by nobody. */
async function addressOf(home: string, given: string | undefined): Promise<string> {
  const known = given ?? (await readApiAddress(home));
  if (known !== undefined && (await answers(known))) return known.replace(/\/+$/, '');
  const what = known === undefined ? 'no API is known for this home' : `no API answers at ${known}`;
  throw new PipelineError(
    'CONFIG_INVALID',
    `${what}: start one by "quotidien api" or "quotidien dev", or name it by --url`,
  );
}

async function answers(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  try {
    return (
      await fetch(new URL('/console/style.css', url), {
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
    ).ok;
  } catch {
    return false;
  }
}
