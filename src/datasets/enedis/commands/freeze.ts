import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MONTH_FORM, parquetSql, PipelineError, quoteText } from '../../kit/index.ts';
import type { CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { freezeFile } from '../billing/freeze-month.ts';
import type { MonthRow } from '../billing/freeze-month.ts';
import { optionOf } from './options.ts';

/**
 * `quotidien enedis freeze <month>`: says that a month was invoiced as it is now. Its rows are kept
 * as a file that is imported; from the next run of its day on the month stays as it is, and what
 * changes becomes lines of regularisation. A frozen month is frozen again with its regularisations.
 */
export async function freeze(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const [month = ''] = call.arguments;
  const [by, reason] = [saidBy(call, 'by'), saidBy(call, 'reason')];
  if (!MONTH_FORM.test(month))
    throw new PipelineError('INPUT_INVALID', `${month} is no month YYYY-MM`);
  const at = (await host.now()).toISOString();
  const { file, contracts, version } = await host.withVersion(
    'all',
    ['mois', 'mois_calcules'],
    async (sql, found) => {
      const rowsOf = async (name: string): Promise<MonthRow[]> => {
        const made = found.files[name];
        if (made === undefined) return [];
        return sql.rows<MonthRow & object>(
          `SELECT * FROM ${parquetSql(made)} WHERE mois = ${quoteText(month)} ORDER BY ref_situation_contractuelle`,
        );
      };
      const again = await rowsOf('mois_calcules');
      const rows = again.length > 0 ? again : await rowsOf('mois');
      const freezing = { month, at, by, reason, version: found.version };
      return { file: freezeFile(rows, freezing), contracts: rows.length, version: found.version };
    },
  );
  const [outcome] = await host.withScratchFolder(async (folder) => {
    const target = path.join(folder, file.name);
    await writeFile(target, file.text, { mode: 0o600 });
    return host.importFiles([target]);
  });
  if (outcome === undefined || 'code' in outcome) {
    throw new PipelineError(
      outcome?.code ?? 'INTERNAL',
      outcome?.message ?? 'nothing came of the file',
    );
  }
  const day = outcome.recognised.from;
  host.data({ month, version, contracts, by, at, day });
  host.line(`${month}: ${contracts} contracts as in version ${version} of all, frozen by ${by}`);
  host.line(`next: quotidien run enedis ${day}`);
  return 'done';
}

function saidBy(call: CommandCall, name: string): string {
  const text = optionOf(call, name)?.trim();
  if (text !== undefined && text !== '') return text;
  throw new PipelineError('INPUT_INVALID', `say --${name}: it is kept with what was invoiced`);
}
