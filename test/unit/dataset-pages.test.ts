import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../src/datasets/registry.ts';
import { datasetSections } from '../fixtures/documents/dataset-page.ts';
import { between } from '../fixtures/documents/markdown.ts';

/**
 * The definition's share of each page; what people wrote around it stays. `npx vitest run <this
 * file> --update` writes it.
 */
const MARKS = ['<!-- from the definition: begin -->', '<!-- from the definition: end -->'] as const;

describe.each(
  Object.values(DATASETS).map((dataset) => [dataset.definition.name, dataset] as const),
)('docs/datasets/%s.md', (name, dataset) => {
  const file = `../../docs/datasets/${name}.md`;
  const written = readFile(new URL(file, import.meta.url), 'utf8');

  it('says between its marks what the definition says', async () => {
    const page = between(await written, MARKS, datasetSections(dataset));
    await expect(page).toMatchFileSnapshot(file);
  });

  it('names every part, step, check, schedule, column and command', async () => {
    const page = await written;
    const { parts, steps, rollups, schedules } = dataset.definition;
    const all = [...steps, ...rollups];
    const names = [
      ...[...parts, ...all, ...schedules].map(({ id }) => id.replace(/\.\d+-of-\d+$/, '')),
      ...all.flatMap(({ checks = [] }) => checks.map(({ id }) => id)),
      ...(dataset.tables ?? []).flatMap(({ columns }) => columns.map((column) => column.name)),
    ];
    expect(names.filter((one) => !page.includes(`\`${one}\``))).toEqual([]);
    for (const command of dataset.commands ?? []) {
      expect(page).toContain(`quotidien ${name} ${command.name}`);
    }
  });
});

describe('between', () => {
  it('replaces what stands between the marks, and nothing else', () => {
    const [begin, end] = MARKS;
    expect(between(`before\n${begin}\nold\n${end}\nafter\n`, MARKS, 'new')).toBe(
      `before\n${begin}\nnew\n${end}\nafter\n`,
    );
  });

  it('refuses a page that lost a mark', () => {
    expect(() => between('before\n', MARKS, 'new')).toThrow('lacks its marks');
  });
});
