import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Retired {
  /** In any form: alone, in the plural, as a part of a name. */
  readonly word: RegExp;
  /** What is said in its place. */
  readonly instead: string;
  /** Where it stays: files whose subject it is, and lines where it means something else. */
  readonly except?: { readonly files?: RegExp; readonly lines?: RegExp };
}

/** Words with which one idea had several names, or one name several ideas. */
const RETIRED: readonly Retired[] = [
  { word: /whereabouts/i, instead: 'which store, at which host' },
  { word: /last ?breath/i, instead: 'end' },
  {
    word: /\bMOST_|\bmost[A-Z]|\bconst most\b|\bmost: number|, most[\])]/,
    instead: 'MAX_…, max…',
    // Figures of datasets and their pages: the largest value of some.
    except: { files: /src\/datasets\/|sample-portal\//, lines: /mostCongested/ },
  },
  // Load is met by generation.
  { word: /\bm(eets?|et)\b/i, instead: 'finds', except: { lines: /load was met/ } },
  {
    word: /\bface|Face\b/,
    instead: 'side, settings that are compared',
    // House numbers of Paris: "face au 12".
    except: { lines: /face\(\?:/ },
  },
  {
    word: /stretch/i,
    instead: 'span of days, request span, window',
    // A member of payloads in recorded histories.
    except: {
      files: /workflows\/backfill\.ts$/,
      lines: /stretch: (span|FetchWindow)|asked\.stretch/,
    },
  },
  {
    word: /careful/i,
    instead: 'days that need a run of their own',
    // A member of results in recorded histories.
    except: {
      files:
        /workflows\/(backfill|fetch|window|rebuild)\.ts$|engine\/(contract|plan\/resolve-plan)\.ts$/,
    },
  },
  {
    word: /siblings?\b/i,
    instead: 'previous days',
    // A member of payloads in recorded histories.
    except: {
      files:
        /pipelines\/(run-steps|execution)\.ts$|engine\/(commit\/finish-day|watch\/probe-publisher|execute\/step-inputs)\.ts$/,
    },
  },
  {
    word: /neighbour/i,
    instead: 'previous days',
    // Values, colours, countries and rows that lie side by side.
    except: {
      files: /datasets\/|sample-portal\/|docs\/(datasets|adr)\//,
    },
  },
  {
    // Of days or steps; a file or a table can be read in one pass.
    word: /\bpass(es)? (over|per) (an? |the |all |each )?(steps?|days?|months?|years?)\b/i,
    instead: 'each step once, all days at once',
  },
  {
    word: /\b[sS]erv(e|es|ed|ing)\b|[a-z]Serv(e|es|ed|ing)\b|\bServ(ed|ing)[A-Z]/,
    instead: 'gives, does, for one piece of work',
    except: {
      // What serves is the sample portal. `served` is a member of results in recorded histories.
      files: /sample-portal/,
      lines:
        /\bserved\??: |\['served'\]|\?\.served\b|\{ served \}|const served = noted|'serve (sample|the real)/,
    },
  },
  {
    word: /\b\w*[oO]therDays?\b|\breads? (of )?(an? )?(other|earlier) days?\b|[a-z]EarlierDays?\b/,
    instead: 'previous days',
    // A member of payloads, and a signal, in recorded histories.
    except: { lines: /waitForEarlierDays|earlierDaysDone/ },
  },
  { word: /DayPart\b|part of (the|this) day (only|alone)/, instead: 'stage subset' },
  { word: /partial[ -]files?\b/i, instead: 'part file' },
  { word: /\bgroups? of (days|dates)\b|\bdayGroups?\b|\bgroupDays\b/i, instead: 'days, window' },
  {
    // A function returns; publishers, servers, stores and people answer.
    word: /(?:^\s*(?:\/\*\*|\*|\/\/)|[;:.]) ?[Aa]nswers (the|their|its|whether|what|how|undefined|null|those)\b|\band answers (the|their|its|what|those)\b/,
    instead: 'returns',
    except: { files: /docs\//, lines: /answers the one that was asked for later/ },
  },
];

function files(): string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', 'src', 'packages', 'docs', 'README.md', 'CONTRIBUTING.md'],
    {
      cwd: ROOT,
    },
  );
  return listed
    .toString()
    .split('\n')
    .filter(
      (name) =>
        /\.(tsx?|md)$/.test(name) && !name.includes('/test/') && !name.startsWith('docs/adr/'),
    );
}

/** `file:line: text` of every place where a retired word stands without leave. */
function places({ word, except }: Retired, file: string, text: string): string[] {
  if (except?.files?.test(file) === true) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      word.test(line) && except?.lines?.test(line) !== true
        ? [`${file}:${index + 1}: ${line.trim()}`]
        : [],
    );
}

describe('words of code and documents', () => {
  const texts = files().map((file) => ({
    file,
    text: readFileSync(path.join(ROOT, file), 'utf8'),
  }));

  it.each(RETIRED)('have no $word: say $instead', (retired) => {
    expect(texts.flatMap(({ file, text }) => places(retired, file, text))).toEqual([]);
  });

  it('are looked for in every file, and found', () => {
    expect(texts.length).toBeGreaterThan(600);
    const sample = {
      careful: 'const careful = [];',
      answers: '/** Answers the number of rows. */',
      most: 'MOST_TRIES',
      served: 'const isServed = fallback.serve();',
      previous: 'isOfOtherDays(input)',
      pass: '// One pass over all days.',
    };
    const found = Object.values(sample).flatMap((text) =>
      RETIRED.flatMap((word) => places(word, 'src/a.ts', text)),
    );
    expect(found).toHaveLength(Object.keys(sample).length);
    expect(
      RETIRED.flatMap((word) => places(word, 'src/a.ts', 'rows; answers the number')),
    ).toHaveLength(1);
  });
});
