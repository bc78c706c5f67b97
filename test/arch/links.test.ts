import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function documents(): string[] {
  const below = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const docs = below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs];
}

function read(document: string): string {
  return readFileSync(path.join(ROOT, document), 'utf8');
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(document: string): Set<string> {
  const headings = [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

/** Links of a document, without those that lead out of the repository, that lead nowhere. */
function deadLinks(document: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? document : path.join(path.dirname(document), file);
    if (!existsSync(path.join(ROOT, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchors(target).has(anchor);
  });
}

/** Quoted paths from the root of the repository that lead nowhere. */
function deadPaths(text: string): string[] {
  const quoted = [
    ...text.matchAll(/`((?:src|test|docs|scripts|infra|bench|examples)\/[\w./-]+)`/g),
  ];
  return quoted.map(([, name = '']) => name).filter((name) => !existsSync(path.join(ROOT, name)));
}

describe('links of documents', () => {
  it.each(documents())('%s: each leads somewhere', (document) => {
    expect(deadLinks(document, read(document))).toEqual([]);
  });

  // What is told of a version that was, or of the folder of somebody's own dataset, is not here.
  const elsewhere = ['CHANGELOG.md', 'docs/tutorial-your-own-dataset.md'];
  it.each(documents().filter((document) => !elsewhere.includes(document)))(
    '%s: each path that it quotes exists',
    (document) => {
      expect(deadPaths(read(document))).toEqual([]);
    },
  );

  it('are found dead when the file, the heading or the path is gone', () => {
    const text =
      '[a](docs/none.md) [b](docs/operations.md#none) [c](docs/operations.md) `src/none.ts`';
    expect(deadLinks('README.md', text)).toEqual(['docs/none.md', 'docs/operations.md#none']);
    expect(deadPaths(text)).toEqual(['src/none.ts']);
  });
});
