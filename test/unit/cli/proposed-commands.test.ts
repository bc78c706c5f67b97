import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { COMMAND_NAMES, homeOption, nameHome } from '../../../src/cli/shared/proposed-commands.ts';

const CWD = '/work/folder';

describe('a proposed command', () => {
  it.each([
    ['as it was given', { home: 'demo home' }, {}, "--home 'demo home'"],
    [
      'also where it is that of the folder and was given',
      { home: '.quotidien' },
      {},
      '--home .quotidien',
    ],
    ['that the environment gives', {}, { QUOTIDIEN_HOME: '/data' }, '--home /data'],
    [
      'not where the environment gives the usual one',
      {},
      { QUOTIDIEN_HOME: '/work/folder/.quotidien' },
      undefined,
    ],
    ['not where nobody gives one', {}, {}, undefined],
  ])('names the home %s', (_, { home }: { home?: string }, env, option) => {
    expect(homeOption({ env, cwd: CWD, home })).toBe(option);
  });

  it('names it once, behind the name of the program, wherever it stands in a text', () => {
    const home = '--home demo';
    expect(nameHome('next: quotidien run tiny 2024-01-01, or npx quotidien api', home)).toBe(
      'next: quotidien --home demo run tiny 2024-01-01, or npx quotidien --home demo api',
    );
    const named = 'npx quotidien --home demo show tiny 2024-01-01';
    expect(nameHome(named, home)).toBe(named);
    expect(nameHome('quotidien is a program; poll the task queue quotidien', home)).not.toContain(
      '--home',
    );
    expect(nameHome('quotidien run tiny', undefined)).toBe('quotidien run tiny');
  });

  it('is recognised by the name of every command of the program', () => {
    const program = createProgram(() => Promise.resolve());
    expect([...COMMAND_NAMES].sort()).toEqual(
      program.commands.map((command) => command.name()).sort(),
    );
  });
});
