import { createHash } from 'node:crypto';
import { takeKey } from '../../api/security/keys.ts';
import { PipelineError } from '../../errors.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';
import { noteCommand } from '../shared/note-command.ts';
import { readGivenText } from '../shared/given-text.ts';
import { DEFAULT_DAYS, daysOf } from './keys.ts';

/**
 * `quotidien keys import`: keys of the earlier systems, so that their programs go on with what they
 * have.
 */

/** What the keys of a file may do, and for how long; all have the same. */
export interface ImportKeysCommand {
  /** Absent: standard input. */
  readonly file: string | undefined;
  readonly scope: readonly string[];
  readonly days?: string;
}

/** A key of an earlier system: who has it, and its hash. */
interface EarlierKey {
  readonly owner: string;
  readonly sha256: string;
}

/** With fewer characters a key may be found by trying. */
const LEAST_CHARACTERS = 24;
/**
 * As the earlier eCO2mix has them in `API_KEYS`, and as its table exports them: `label:hash`, with
 * commas or lines between.
 */
const HASHED = /^(?<owner>[^:=]+):(?<sha256>[0-9a-f]{64})$/i;
/** As the earlier ElectriCore has them in its environment. */
const PLAIN = /^(?:export\s+)?API__TROUSSEAU__(?<owner>\w+?)__KEY\s*=\s*["']?(?<key>[^"']*)["']?$/;

/**
 * Keys that are here already stay as they are. `INPUT_INVALID` names the line that is none, never
 * what it holds; then none is taken.
 */
export async function keysImport(
  context: CommandContext,
  command: ImportKeysCommand,
): Promise<ExitCode> {
  const { terminal } = context;
  const given = earlierKeys(await readGivenText(command.file));
  if (given.length === 0)
    throw new PipelineError(
      'INPUT_INVALID',
      'no key is given: lines label:sha256, or API__TROUSSEAU__<label>__KEY=…',
    );
  const engine = await context.engine();
  const wanted = {
    scopes: command.scope,
    days: daysOf(command.days ?? DEFAULT_DAYS),
    by: callerName(),
  };
  const owners = given.map(({ owner }) => owner).join(', ');
  await noteCommand(context, {
    action: 'keys/import',
    target: `${owners}: ${command.scope.join(' ')}`,
  });
  const taken = [];
  for (const key of given) {
    const record = await takeKey(engine.documents, { ...key, ...wanted }, engine.now());
    terminal.line(
      record === undefined ? `${key.owner}: is here already` : `${record.id}  ${record.owner}`,
    );
    if (record !== undefined)
      taken.push({ id: record.id, owner: record.owner, expiresAt: record.expiresAt });
  }
  terminal.data({ taken, known: given.length - taken.length });
  terminal.note(
    `${count(taken.length, 'key')} taken in, of ${given.length}: ${command.scope.join(' ')}`,
  );
  return EXIT.done;
}

/** The keys of a text: empty lines, comments and other settings are passed over. */
export function earlierKeys(text: string): EarlierKey[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const entry = line
      .trim()
      .replace(/^API_KEYS\s*=\s*["']?/, '')
      .replace(/["']$/, '');
    if (entry === '' || entry.startsWith('#')) return [];
    const plain = PLAIN.exec(line.trim())?.groups;
    if (plain !== undefined) return [plainKey(plain, index + 1)];
    if (/^(?:export\s+)?\w+\s*=/.test(entry)) return [];
    return entry.split(',').map((one) => hashedKey(one.trim(), index + 1));
  });
}

function plainKey(
  { owner = '', key = '' }: Readonly<Record<string, string>>,
  line: number,
): EarlierKey {
  if (key.length < LEAST_CHARACTERS)
    throw new PipelineError(
      'INPUT_INVALID',
      `line ${line}: the key of ${owner} has fewer than ${LEAST_CHARACTERS} characters: make another with "quotidien keys create ${owner}"`,
    );
  return { owner, sha256: createHash('sha256').update(key).digest('hex') };
}

function hashedKey(entry: string, line: number): EarlierKey {
  const { owner, sha256 } = HASHED.exec(entry)?.groups ?? {};
  if (owner === undefined || sha256 === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `line ${line} is no key: label:sha256, the hash with 64 hexadecimal digits`,
    );
  return { owner: owner.trim(), sha256: sha256.toLowerCase() };
}
