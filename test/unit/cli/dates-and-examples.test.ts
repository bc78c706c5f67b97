import { describe, expect, it } from 'vitest';
import { addExamples, examplesOf, leafCommands } from '../../../src/cli/examples.ts';
import { createProgram } from '../../../src/cli/program.ts';
import type { Execute } from '../../../src/cli/shared/context.ts';
import {
  explicitDate,
  withExplicitDates,
  withoutDashes,
} from '../../../src/cli/shared/relative-dates.ts';
import { instantText } from '../../../src/cli/shared/instants.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';

/** A program whose commands do nothing, and how often one was called. */
function programOfStubs() {
  let called = 0;
  const execute: Execute = () => {
    called += 1;
    return Promise.resolve();
  };
  const program = createProgram(execute).configureOutput({ writeErr: () => undefined });
  // The one command that works without the engine.
  const dataset = leafCommands(program).find(([words]) => words === 'new dataset')?.[1];
  dataset?.action(() => {
    called += 1;
  });
  return { program, called: () => called };
}

/** As a shell would split it. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const COMMANDS = leafCommands(programOfStubs().program).map(([words]) => words);

describe('the help of every command', () => {
  it.each(COMMANDS)('%s has examples', (words) => {
    const [, command] =
      leafCommands(programOfStubs().program).find(([name]) => name === words) ?? [];
    let help = '';
    command?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain('Examples:\n  $ quotidien ');
    expect(examplesOf(words).every((example) => example.startsWith(words))).toBe(true);
  });

  it.each(COMMANDS.flatMap((words) => [...examplesOf(words)]))(
    'quotidien %s parses',
    async (example) => {
      const { program, called } = programOfStubs();
      await program.parseAsync(withoutDashes(['node', 'quotidien', ...shellWords(example)]));
      expect(called()).toBe(1);
    },
  );

  it('would not parse with an option that is not there', async () => {
    const { program } = programOfStubs();
    await expect(
      program.parseAsync(['node', 'quotidien', 'run', 'eco2mix', 'yesterday', '--none']),
    ).rejects.toThrow();
    expect(addExamples).toBeTypeOf('function');
  });
});

describe('dates as people say them', () => {
  it.each([
    ['today', '2024-03-31'],
    ['yesterday', '2024-03-30'],
    ['-7d', '2024-03-24'],
    ['today-7d', '2024-03-24'],
    ['yesterday.07-of-16', '2024-03-30.07-of-16'],
    ['2024-01-15', '2024-01-15'],
    ['2024-01', '2024-01'],
    ['tomorrow', 'tomorrow'],
  ])('%s is %s', (text, date) => {
    expect(explicitDate(text, '2024-03-31')).toBe(date);
  });

  it('are those of the zone of the pipeline, in every member that is a date', () => {
    const late = new Date('2024-03-30T23:30:00Z');
    const context = { datasets: DATASETS };
    expect(
      withExplicitDates(
        context,
        { pipeline: 'eco2mix', from: '-7d', to: 'today', reason: 'today' },
        late,
      ),
    ).toEqual({ pipeline: 'eco2mix', from: '2024-03-24', to: '2024-03-31', reason: 'today' });
    expect(withExplicitDates(context, { pipeline: 'none', from: 'today' }, late)).toEqual({
      pipeline: 'none',
      from: 'today',
    });
  });

  it('reach a command although they begin with a dash', () => {
    expect(withoutDashes(['plan', 'eco2mix', '-7d', '--all'])).toEqual([
      'plan',
      'eco2mix',
      'today-7d',
      '--all',
    ]);
  });
});

describe('instants as people read them', () => {
  it('stand in UTC and in the zone of the pipeline, with its day where that is another', () => {
    expect(instantText('2024-06-15T05:10:00Z', 'Europe/Paris')).toBe(
      '2024-06-15 05:10 UTC (07:10 Europe/Paris)',
    );
    expect(instantText('2024-06-15T22:30:00.000Z', 'Europe/Paris')).toBe(
      '2024-06-15 22:30 UTC (2024-06-16 00:30 Europe/Paris)',
    );
  });
});
