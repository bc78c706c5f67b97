import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');

/** What is quoted as a path of a source file or folder: `engine/plan/resolve-plan.ts`, `datasets/eco2mix/report/`. */
const quoted = [...text.matchAll(/[`(]((?:[a-z0-9-]+\/)+(?:[a-z0-9-]+\.ts)?)[`)]/g)].map(([, name = '']) => name);

describe('docs/architecture.md', () => {
  it('names files and folders', () => {
    expect(quoted.length).toBeGreaterThan(20);
  });

  it.each([...new Set(quoted)])('names %s, which exists', (name) => {
    const places = [path.join(ROOT, 'src', name), path.join(ROOT, name), path.join(ROOT, 'docs', name)];
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
