import type { CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { rowsOfText } from '../lines/objects-of-file.ts';
import { calculateTurpe } from '../model/turpe-calculator.ts';
import type { TurpeLine } from '../model/turpe-calculator.ts';

/**
 * `quotidien enedis turpe`: the network tariff of lines, from a file or the standard input. Lines
 * are JSON (one a line, or a list) or CSV with a head, `;` or `,` between; each gets its answer or
 * its error, in the same order. The exit code is 3 when one has an error.
 */
export async function turpe(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const lines: TurpeLine[] = (await rowsOfText(await host.readText(call.arguments[0]))).map(
    ({ cells }) => cells,
  );
  const answers = lines.map((line) => ({ ...line, ...calculateTurpe(line) }));
  for (const answer of answers) host.line(JSON.stringify(answer));
  host.data(answers);
  return answers.some((answer) => 'erreur' in answer) ? 'degraded' : 'done';
}
