import type { Counter, Flux } from './archive-name.ts';
import { parseCounter } from './archive-name.ts';
import { refusal } from './refusal.ts';
import { firstOf } from '../../kit/index.ts';

/** Which of the files of an archive are read, by their names. */

const COUNTED = /(?:_(FL|FA|FR))?_(\d{5})_(\d{5})\.xml$/i;
const MARKED = /_(FL|FA|FR)(?:[_.]|$)/i;

/** Flux whose details say in their names which of how many they are. */
const COUNTED_FLUX: readonly Flux[] = ['C15', 'R15', 'F15', 'F12', 'C12', 'X12', 'X13'];

interface NamedDocument {
  readonly name: string;
  /** `FL` details, `FA` and `FR` summaries of an invoice; details of other flux have none. */
  readonly mark: string;
  readonly counter: Counter | undefined;
}

/**
 * The names of the files with rows, in order; they are checked as a whole: each rank of a total
 * once, one total, and F15 with its summary `_FA`. Summaries of invoices have no rows.
 *
 * @throws refusals `counter`, `no_summary`, `unknown_name`
 */
export function detailsOf(flux: Flux, archive: string, names: readonly string[]): string[] {
  const extension = flux === 'R64' || flux === 'R67' ? /\.json$/i : /\.xml$/i;
  const foreign = names.find((name) => !extension.test(name));
  if (foreign !== undefined)
    throw refusal(
      'unknown_name',
      { archive, document: foreign },
      `a file of ${flux} is not named so`,
    );
  const documents = names.map(nameDocument);
  if (COUNTED_FLUX.includes(flux)) checkCounters(archive, documents);
  if (flux === 'F15' && names.length > 0 && !documents.some(({ mark }) => mark === 'FA'))
    throw refusal('no_summary', { archive }, 'an invoice has details but no file _FA');
  const details = documents.filter(({ mark }) => mark !== 'FA' && mark !== 'FR');
  return details.map(({ name }) => name).sort();
}

function nameDocument(name: string): NamedDocument {
  const [, , rank = '', total = ''] = COUNTED.exec(name) ?? [];
  return {
    name,
    mark: MARKED.exec(name)?.[1]?.toUpperCase() ?? '',
    counter: parseCounter(rank, total),
  };
}

function checkCounters(archive: string, documents: readonly NamedDocument[]): void {
  for (const mark of new Set(documents.map((document) => document.mark))) {
    const own = documents.filter((document) => document.mark === mark);
    const uncounted = own.find(({ counter }) => counter === undefined);
    // A single file without a counter is whole by itself.
    if (uncounted !== undefined && own.length > 1)
      throw refusal(
        'unknown_name',
        { archive, document: uncounted.name },
        'one of several files has no counter _XXXXX_YYYYY',
      );
    const counters = own.flatMap(({ counter }) => (counter === undefined ? [] : [counter]));
    const problem = counterProblem(counters);
    if (problem !== undefined)
      throw refusal('counter', { archive, document: firstOf(own).name }, problem);
  }
}

/** What is wrong with the ranks of one set of files. */
function counterProblem(counters: readonly Counter[]): string | undefined {
  const [total, other] = new Set(counters.map((counter) => counter.total));
  if (total === undefined) return undefined;
  if (other !== undefined) return `the files name two totals, ${total} and ${other}`;
  const ranks = counters.map(({ rank }) => rank);
  const double = ranks.find((rank, index) => ranks.indexOf(rank) !== index);
  if (double !== undefined) return `two files are number ${double} of ${total}`;
  return ranks.length === total ? undefined : `there are ${ranks.length} of ${total} files`;
}
