import { readFile } from 'node:fs/promises';
import { PipelineError } from '../../kit/index.ts';
import type { CommandCall, CommandEnd, CommandHost } from '../../kit/index.ts';
import { CONTRACT_TABLES, contractsOf } from '../report/contract.ts';
import type { MonthlyReport } from '../report/monthly-page.tsx';
import { optionOf } from './options.ts';

/**
 * `quotidien enedis contrat <rsc|pdl|pseudonym of a month>`: the page of the contracts of a point,
 * into a file of the user's choice that only its owner reads. It names a household, and is
 * published nowhere.
 */
export async function contract(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const [id = ''] = call.arguments;
  const output = optionOf(call, 'output');
  if (output === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      'say with --output <file.html> where the page goes: it names a household',
    );
  const contracts = await host.withTables(CONTRACT_TABLES, (sql) =>
    contractsOf(sql, id, (rows) => host.nameRows('rollup/history', 'mois', rows)),
  );
  if (contracts.length === 0)
    throw new PipelineError(
      'NOT_FOUND',
      `no delivery has a contract or point that ends with ${id.slice(-4)}`,
    );
  const sample = await host.withVersion('all', ['monthly'], (_sql, { files }) =>
    sampleOf(files['monthly']),
  );
  const { renderContractPage } = await import('../report/contract-page.tsx');
  await host.writeText(output, renderContractPage(contracts, sample));
  const months = contracts.reduce((sum, one) => sum + one.months.length, 0);
  host.line(`${contracts.length} contracts, ${months} months in ${output}`);
  host.note('the page names a household: keep it as such');
  host.data({ contracts: contracts.length, months, file: output });
  return 'done';
}

/** The flux of which a sample portal made archives up, as the report of the months tells. */
async function sampleOf(report: string | undefined): Promise<readonly string[]> {
  if (report === undefined) return [];
  return (
    (JSON.parse(await readFile(report, 'utf8')) as Pick<MonthlyReport, 'sample_data'>)
      .sample_data ?? []
  );
}
