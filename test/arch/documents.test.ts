import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');

/**
 * What is quoted as a path of a source file or folder: `engine/plan/resolve-plan.ts`,
 * `datasets/eco2mix/report/`.
 */
const quoted = [...text.matchAll(/[`(]((?:[a-z0-9-]+\/)+(?:[a-z0-9-]+\.ts)?)[`)]/g)].map(
  ([, name = '']) => name,
);

describe('docs/architecture.md', () => {
  it('names files and folders', () => {
    expect(quoted.length).toBeGreaterThan(20);
  });

  it.each([...new Set(quoted)])('names %s, which exists', (name) => {
    const places = [
      path.join(ROOT, 'src', name),
      path.join(ROOT, name),
      path.join(ROOT, 'docs', name),
    ];
    expect(places.some((place) => existsSync(place))).toBe(true);
  });

  it('names the rooms of the engine in the order that is checked', () => {
    const config = readFileSync(path.join(ROOT, '.dependency-cruiser.cjs'), 'utf8');
    const [, list = ''] = /engine: \[\s*'\.',\s*\.\.\.\[([^\]]*)\]/.exec(config) ?? [];
    const checked = [...list.matchAll(/'([a-z]+)'/g)].map(([, room]) => room);
    const [, told = ''] = /build on each other in this order: ([\s\S]*?)\n\n/.exec(text) ?? [];
    expect([...told.matchAll(/`([a-z]+)`/g)].map(([, room]) => room)).toEqual(checked);
    expect(checked).toContain('upkeep');
  });
});

describe('docs/reference/runs.md', () => {
  const page = readFileSync(path.join(ROOT, 'docs/reference/runs.md'), 'utf8');
  const workflows = readdirSync(path.join(ROOT, 'src/workflows'))
    .map((name) => readFileSync(path.join(ROOT, 'src/workflows', name), 'utf8'))
    .join('\n');

  it('names every update that a workflow takes, and every query that it answers', () => {
    const defined = [...workflows.matchAll(/define(?:Update|Query)[^(]*\('(\w+)'/g)].map(
      ([, name = '']) => name,
    );
    expect(new Set(defined).size).toBeGreaterThan(10);
    expect([...new Set(defined)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every member that a person gives to a day or a backfill', () => {
    const members = (shape: string): string[] => {
      const [, text = ''] =
        new RegExp(`const ${shape}[^=]*= \\{([\\s\\S]*?)\\n\\};`).exec(workflows) ?? [];
      return [...text.matchAll(/^ {2}(\w+): (?!internal)/gm)].map(([, name = '']) => name);
    };
    const given = [...members('DAY_INPUT'), ...members('BACKFILL_INPUT')];
    expect(given).toEqual(expect.arrayContaining(['fromStep', 'canaryTolerance']));
    expect(given.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  // Anchors that were published: bookmarks, messages of earlier releases and other people's pages
  // lead there.
  it.each([
    'Read a run',
    'Run or re-run a day',
    'Files that other programs bring',
    'The calendar',
    'Backfill',
    'Pause, cancel, terminate, reset',
    'Revisions',
    'What is missing, what is out of date, what is still right',
    'A record that cannot be read',
    'What a publisher takes back',
    'Forget a person',
    'Remove what is past its time',
    'What a failed day says',
    'Waiting is not failing',
    'A held day',
    'Schedules',
    'Derived outputs',
    'What to look at when something is wrong',
    'Workers',
    'Stores',
    'Memory of a worker',
    'When a store is away',
    'Move to other stores',
    'The API and the console',
    'Export a table',
    'Settings',
  ])('leads on from "%s" to the page that tells it', (heading) => {
    const index = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
    const [, section = ''] = index.split(`\n## ${heading}\n`);
    expect(section.split('\n## ')[0]).toMatch(/\]\((how-to|reference)\/[\w-]+\.md(#[\w-]+)?\)/);
  });
});
