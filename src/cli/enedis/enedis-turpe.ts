import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { TurpeLine } from '../../datasets/enedis/model/turpe-calculator.ts';
import { calculateTurpe } from '../../datasets/enedis/model/turpe-calculator.ts';
import { PipelineError } from '../../errors.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/**
 * `quotidien enedis turpe`: the network tariff of lines, from a file or the standard input. Lines are JSON (one a line, or a list) or CSV with a head, `;` or
 * `,` between; each gets its answer or its error, in the same order. The exit code is 3 when one has an error.
 */
export async function enedisTurpe({ terminal }: CommandContext, file: string | undefined): Promise<ExitCode> {
  const lines = parseLines(await read(file));
  const answers = lines.map((line) => ({ ...line, ...calculateTurpe(line) }));
  for (const answer of answers) terminal.line(JSON.stringify(answer));
  terminal.data(answers);
  return answers.some((answer) => 'erreur' in answer) ? EXIT.degraded : EXIT.done;
}

async function read(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PipelineError('INPUT_INVALID', `${file} cannot be read`, { cause });
  });
}

function parseLines(content: string): TurpeLine[] {
  const trimmed = content.replace(/^\ufeff/, '').trim();
  if (trimmed === '') return [];
  if (trimmed.startsWith('[')) return parseJson(trimmed, 1) as TurpeLine[];
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (trimmed.startsWith('{')) return lines.map((line, index) => parseJson(line, index + 1) as TurpeLine);
  const [head = '', ...rows] = lines;
  const separator = head.includes(';') ? ';' : ',';
  const names = head.split(separator).map((name) => name.trim());
  return rows.map((row) => {
    const cells = row.split(separator);
    return Object.fromEntries(names.map((name, index) => [name, cells[index]?.trim() ?? '']));
  });
}

function parseJson(line: string, number: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw new PipelineError('INPUT_INVALID', `line ${number} is no JSON`, { cause });
  }
}
