import { addDays, isCivilDate, PipelineError, quoteText } from '../../kit/index.ts';
import type {
  CivilDate,
  CommandCall,
  CommandEnd,
  CommandHost,
  DatasetCommand,
  DaySpan,
} from '../../kit/index.ts';
import { METER_PAGE_TABLES, OF_ONE_METER, readMeter } from './read-meter.ts';
import type { OneMeter } from './read-meter.ts';
import { isTold, reasonsFor } from '../anomalies/reasons.ts';

/** Four weeks: what a suspicion looks at. */
const DAYS_SHOWN = 28;

/** `quotidien meter <id>`, and the same below the pipeline's name. */
export const METER_COMMAND: DatasetCommand = {
  name: 'meter',
  isTopLevel: true,
  arguments: '<id>',
  description:
    'one meter: readings, quality, suspicions with their reasons, its cohort and transformer',
  options: [
    {
      flags: '--from <day>',
      description: `first day (default: ${DAYS_SHOWN} days before the last)`,
    },
    { flags: '--to <day>', description: 'last day, included (default: the last that is known)' },
    {
      flags: '--output <file>',
      description: 'the page to write (.html), or all of it as data (.json)',
    },
    {
      flags: '--key',
      description: 'what is given is the key that tables and reports have, not the id',
    },
  ],
  run: (call, host) => meter(call, host),
};

/** The id is asked for and said nowhere: files, lines and errors have the key alone. */
async function meter(call: CommandCall, host: CommandHost): Promise<CommandEnd> {
  const [id = ''] = call.arguments;
  const key = call.options['key'] === true ? checkedKey(id) : await host.personKey(id);
  let span: DaySpan = { from: '', to: '' };
  const read = await host.withTables(METER_PAGE_TABLES, (sql) => readMeter(sql, key, span), {
    span: (known) => (span = spanOf(call, known)),
    where: Object.fromEntries(
      OF_ONE_METER.map((table) => [table, `meter_key = CAST('${key}' AS UBIGINT)`]),
    ),
  });
  if (read === undefined)
    throw new PipelineError(
      'NOT_FOUND',
      `no file of ${span.from} … ${span.to} tells of this meter; --from goes back`,
    );
  const found = { ...read, sample: await sampleOf(host, read) };
  host.data(found);
  for (const line of summaryOf(found)) host.line(line);
  await writeMeter(call, host, found);
  return 'done';
}

/** The parts that a sample portal made up, as the report of the newest day of the meter says. */
async function sampleOf(
  host: CommandHost,
  { days }: Pick<OneMeter, 'days'>,
): Promise<readonly string[]> {
  const newest = days.at(-1)?.date;
  if (newest === undefined) return [];
  return host.withVersion(newest, ['report'], async (sql, { files }) => {
    const { report } = files;
    if (report === undefined) return [];
    const [told] = await sql.rows<{ sample: string[] | null }>(
      `SELECT CAST(json->'$.sample_data' AS VARCHAR[]) AS sample
        FROM read_json_objects(${quoteText(report)}, format = 'unstructured')`,
    );
    return told?.sample ?? [];
  });
}

function checkedKey(text: string): string {
  if (/^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text).toString();
  throw new PipelineError(
    'INPUT_INVALID',
    '--key takes a key as tables have it, a whole number below 2^64',
  );
}

function spanOf(call: CommandCall, known: DaySpan): DaySpan {
  const to = dayOption(call, 'to') ?? known.to;
  const from = dayOption(call, 'from') ?? addDays(to, 1 - DAYS_SHOWN);
  if (to < from)
    throw new PipelineError('INPUT_INVALID', `the range ends (${to}) before it begins (${from})`);
  return { from, to };
}

function dayOption({ options }: CommandCall, name: string): CivilDate | undefined {
  const value = options[name];
  if (typeof value !== 'string') return undefined;
  if (isCivilDate(value)) return value;
  throw new PipelineError(
    'INPUT_INVALID',
    `--${name} takes a day such as 2024-01-15, not ${value}`,
  );
}

async function writeMeter(
  { options }: CommandCall,
  host: CommandHost,
  found: OneMeter,
): Promise<void> {
  const { output } = options;
  if (typeof output !== 'string') return;
  if (output.endsWith('.json')) await host.writeText(output, `${JSON.stringify(found)}\n`);
  else if (output.endsWith('.html')) {
    const { renderMeterPage } = await import('./meter-page.tsx');
    await host.writeText(output, renderMeterPage(found));
  } else
    throw new PipelineError(
      'INPUT_INVALID',
      `--output takes a file that ends with .html or .json, not ${output}`,
    );
  host.line(`written to ${output}`);
  host.note('the file is about a household: keep it as such');
}

function summaryOf({
  meter_key: key,
  from,
  to,
  place,
  days,
  suspicions,
  failures,
}: OneMeter): string[] {
  const used = days.filter(({ channel }) => channel === 'import');
  const sum = (of: 'observed' | 'expected' | 'total_wh'): number =>
    used.reduce((total, day) => total + day[of], 0);
  const [newest] = suspicions;
  return [
    `meter ${key}, ${from} … ${to}`,
    `  ${place === null ? 'in no list of meters' : `${place.segment}, transformer ${place.transformer ?? 'unknown'}`}`,
    `  ${used.length} days, ${(sum('total_wh') / 1000).toFixed(1)} kWh, ${sum('observed')} of ${sum('expected')} readings`,
    `  quality: ${failures.length === 0 ? 'no row fails a rule' : `${failures.length} rows fail a rule`}`,
    newest === undefined
      ? '  no suspicion'
      : `  ${isTold(newest) ? 'suspected' : 'looked at, not told'} on ${newest.date}: ${newest.lasting.toFixed(2)}`,
    ...(newest === undefined ? [] : reasonsFor(newest).map((reason) => `    ${reason}`)),
  ];
}
