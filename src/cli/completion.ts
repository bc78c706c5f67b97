import type { Command, Option } from 'commander';
import { PipelineError } from '../errors.ts';
import { EXIT } from './shared/context.ts';
import type { CommandContext, ExitCode } from './shared/context.ts';

/**
 * `quotidien completion`: what bash, zsh or fish needs to complete commands, options, pipelines and
 * dates. The text is made from the commands themselves; whoever adds a dataset asks for it again.
 */

/** A command or a folder of commands as a shell knows it. */
interface Completed {
  /** Its words, such as `schedules list`; empty for the program. */
  readonly words: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
  /** Of each argument: what may stand there; empty where anything may. */
  readonly positions: readonly (readonly string[])[];
}

interface Word {
  readonly text: string;
  readonly description: string;
}

const SHELLS = { bash: bashText, zsh: zshText, fish: fishText };

const DATE_WORDS = ['yesterday', 'today', '-7d'];
const DATE_ARGUMENTS = ['from', 'to', 'date'];

/** Prints the completion of a shell; `INPUT_INVALID` names the shells there are. */
export function completion(
  context: CommandContext,
  program: Command,
  shell: string,
): Promise<ExitCode> {
  const names = Object.keys(SHELLS);
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `there is no completion for ${shell}, but for ${names.join(', ')}`,
    );
  }
  const text = completionText(shell as keyof typeof SHELLS, program, Object.keys(context.datasets));
  context.terminal.data({ shell, text });
  for (const line of text.trimEnd().split('\n')) context.terminal.line(line);
  return Promise.resolve(EXIT.done);
}

/** A script for the shell's own completion; it starts no process while a person types. */
export function completionText(
  shell: keyof typeof SHELLS,
  program: Command,
  pipelines: readonly string[],
): string {
  const all = completed(program, '', pipelines);
  const withValue = [...new Set(optionsOf(program).filter(takesValue).flatMap(flagsOf))].sort();
  return SHELLS[shell](all, withValue);
}

function completed(command: Command, words: string, pipelines: readonly string[]): Completed[] {
  const wordsOf = (one: Command): string => [words, one.name()].join(' ').trim();
  const own: Completed = {
    words,
    commands: command.commands.map((one) => ({ text: one.name(), description: one.description() })),
    options: command.options.flatMap(optionWords),
    positions: command.registeredArguments.map((argument) => {
      if (argument.name() === 'pipeline') return pipelines;
      if (argument.name() === 'shell') return Object.keys(SHELLS);
      return DATE_ARGUMENTS.includes(argument.name()) ? DATE_WORDS : [];
    }),
  };
  return [own, ...command.commands.flatMap((one) => completed(one, wordsOf(one), pipelines))];
}

function optionsOf(command: Command): Option[] {
  return [...command.options, ...command.commands.flatMap(optionsOf)];
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

/** `--steps, --until <stage>` is known to commander as a short and a long name. */
function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag?.startsWith('--') === true) as string[];
}

function optionWords(option: Option): Word[] {
  return flagsOf(option).map((text) => ({ text, description: option.description }));
}

/**
 * What may stand at a place, as cases of a shell's `case`: `<words>/<number of arguments before>`.
 */
function cases(all: readonly Completed[]): [pattern: string, words: readonly Word[]][] {
  const plain = (texts: readonly string[]): Word[] =>
    texts.map((text) => ({ text, description: '' }));
  return all.flatMap(({ words, commands, options, positions }) => [
    ...(commands.length > 0 ? [[`${words}/0`, commands] as [string, Word[]]] : []),
    ...positions.flatMap((texts, at): [string, Word[]][] =>
      texts.length === 0 ? [] : [[`${words}/${at}`, plain(texts)]],
    ),
    [`${words}/-`, options] as [string, readonly Word[]],
  ]);
}

function folders(all: readonly Completed[]): string {
  const isFolder = ({ words, commands }: Completed): boolean => words !== '' && commands.length > 0;
  return all
    .filter(isFolder)
    .map(({ words }) => words)
    .join('|');
}

/** Finds the command and how many of its arguments are there, the same in bash and in zsh. */
function placeText(all: readonly Completed[], withValue: readonly string[]): string {
  return `  local words_="" args=0 skip=0 word
  for word in "\${before[@]}"; do
    if [[ $skip = 1 ]]; then skip=0; continue; fi
    case "$word" in
      ${withValue.join('|')}) skip=1 ;;
      --*) ;;
      *)
        case "$words_" in
          '') words_="$word" ;;
          ${folders(all)}) words_="$words_ $word" ;;
          *) args=$((args + 1)) ;;
        esac ;;
    esac
  done
  [[ $skip = 1 ]] && return
  [[ "$current" = --* ]] && args=-`;
}

function bashText(all: readonly Completed[], withValue: readonly string[]): string {
  const lines = cases(all).map(
    ([pattern, words]) =>
      `    ${quoted(pattern)}) candidates=${quoted(words.map(({ text }) => text).join(' '))} ;;`,
  );
  return `# Completion of quotidien for bash: eval "$(quotidien completion bash)"
_quotidien() {
  local current="\${COMP_WORDS[COMP_CWORD]}" candidates=""
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${placeText(all, withValue)}
  case "$words_/$args" in
${lines.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F _quotidien quotidien
`;
}

function zshText(all: readonly Completed[], withValue: readonly string[]): string {
  const lines = cases(all).map(([pattern, words]) => {
    const told = words.map(({ text, description }) =>
      quoted(description === '' ? text : `${text}:${description.replaceAll(':', '\\:')}`),
    );
    return `    ${quoted(pattern)}) candidates=(${told.join(' ')}) ;;`;
  });
  return `#compdef quotidien
# Completion of quotidien for zsh: eval "$(quotidien completion zsh)"
_quotidien() {
  local current="\${words[CURRENT]}"
  local -a candidates before
  before=("\${(@)words[2,CURRENT-1]}")
${placeText(all, withValue)}
  case "$words_/$args" in
${lines.join('\n')}
  esac
  if (( \${#candidates} )); then _describe quotidien candidates; else _files; fi
}
compdef _quotidien quotidien
`;
}

function fishText(all: readonly Completed[]): string {
  const lines = all.flatMap(({ words, commands, options, positions }) => {
    const [first = '', second] = words.split(' ');
    const under =
      first === ''
        ? '__fish_use_subcommand'
        : second === undefined
          ? `__fish_seen_subcommand_from ${first}`
          : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    const names = commands.map(({ text }) => text).join(' ');
    const still =
      commands.length > 0 && first !== ''
        ? `${under}; and not __fish_seen_subcommand_from ${names}`
        : under;
    const places = [...new Set(positions.flat())];
    return [
      ...commands.map(({ text, description }) =>
        fishLine(still, `-a ${quoted(text)}`, description),
      ),
      ...options.map(({ text, description }) =>
        fishLine(first === '' ? '' : under, `-l ${text.slice(2)}`, description),
      ),
      ...places.map((text) => fishLine(under, `-a ${quoted(text)}`, '')),
    ];
  });
  return `# Completion of quotidien for fish: quotidien completion fish | source\ncomplete -c quotidien -f\n${lines.join('\n')}\n`;
}

function fishLine(condition: string, what: string, description: string): string {
  const when = condition === '' ? '' : ` -n ${quoted(condition)}`;
  return `complete -c quotidien${when} ${what}${description === '' ? '' : ` -d ${quoted(description)}`}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
