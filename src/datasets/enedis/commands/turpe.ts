import { PipelineError } from '../../kit/index.ts';
import type { CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { calculateTurpe } from '../model/turpe-calculator.ts';
import type { TurpeLine } from '../model/turpe-calculator.ts';

/**
 * `quotidien enedis turpe`: the network tariff of lines, from a file or the standard input. Lines are JSON (one a line, or a list) or CSV with a head, `;` or
 * `,` between; each gets its answer or its error, in the same order. The exit code is 3 when one has an error.
 */
export async function turpe(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const lines = parseLines(await host.readText(call.arguments[0]));
  const answers = lines.map((line) => ({ ...line, ...calculateTurpe(line) }));
  for (const answer of answers) host.line(JSON.stringify(answer));
  host.data(answers);
  return answers.some((answer) => 'erreur' in answer) ? 'degraded' : 'done';
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
