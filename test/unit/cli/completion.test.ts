import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionText } from '../../../src/cli/completion.ts';
import { createProgram } from '../../../src/cli/program.ts';

const PIPELINES = ['eco2mix', 'smart-meter'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'quotidien-completion-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function textOf(shell: 'bash' | 'zsh' | 'fish'): string {
  return completionText(
    shell,
    createProgram(() => Promise.resolve()),
    PIPELINES,
  );
}

function hasShell(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/** What bash offers after these words, of which the last one is being typed. */
function offered(...words: string[]): string[] {
  const file = path.join(folder, 'completion.bash');
  writeFileSync(file, textOf('bash'));
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `. ${file}; COMP_WORDS=(quotidien ${list}); COMP_CWORD=${words.length}; _quotidien; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe('completion in bash', () => {
  it('offers commands, their commands, pipelines, dates and options where each may stand', () => {
    expect(offered('sta')).toEqual(['status', 'stale']);
    expect(offered('schedules', 'tr')).toEqual(['trigger']);
    expect(offered('run', '')).toEqual(PIPELINES);
    expect(offered('run', 'eco2mix', 'y')).toEqual(['yesterday']);
    expect(offered('run', 'eco2mix', 'yesterday', '--rech')).toEqual(['--recheck']);
    expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('does not take the value of an option for an argument, and offers nothing for it', () => {
    expect(offered('--home', 'somewhere', 'run', 'sm')).toEqual(['smart-meter']);
    expect(offered('run', 'eco2mix', '--reason', '')).toEqual([]);
  });
});

describe.skipIf(!hasShell('zsh'))('completion in zsh', () => {
  it('is a text that zsh reads', () => {
    const file = path.join(folder, '_quotidien');
    writeFileSync(file, textOf('zsh'));
    expect(spawnSync('zsh', ['-n', file], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const script = `autoload -U compinit; compinit -u -d ${folder}/dump; . ${file}; whence -w _quotidien; print \${_comps[quotidien]}`;
    expect(execFileSync('zsh', ['-fc', script], { encoding: 'utf8' })).toBe(
      '_quotidien: function\n_quotidien\n',
    );
  });

  it('offers commands, their commands, pipelines, dates and options where each may stand', () => {
    const file = path.join(folder, '_quotidien');
    writeFileSync(file, textOf('zsh'));
    // In place of the line editor's: what it is given, and no value for an option.
    const stubs = `compdef() { }; _files() { }; _describe() { print -rl -- "\${(@)\${(P)2}%%:*}" }`;
    const ask = (...words: string[]): string[] => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `${stubs}; . ${file}; words=(quotidien ${line}); CURRENT=${words.length + 1}; _quotidien`;
      return execFileSync('zsh', ['-fc', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
    };
    expect(ask('sta')).toEqual(expect.arrayContaining(['status', 'stale', 'schedules']));
    expect(ask('schedules', '')).toContain('trigger');
    expect(ask('run', '')).toEqual(PIPELINES);
    expect(ask('run', 'eco2mix', '')).toEqual(['yesterday', 'today', '-7d']);
    expect(ask('run', 'eco2mix', '--rech')).toContain('--recheck');
    expect(ask('--home', 'somewhere', 'run', '')).toEqual(PIPELINES);
    expect(ask('run', 'eco2mix', '--reason', '')).toEqual([]);
  });
});

describe.skipIf(!hasShell('fish'))('completion in fish', () => {
  it('offers commands, pipelines and options', () => {
    const file = path.join(folder, 'quotidien.fish');
    writeFileSync(file, textOf('fish'));
    const ask = (line: string): string[] =>
      execFileSync('fish', ['-N', '-c', `source ${file}; complete -C '${line}'`], {
        encoding: 'utf8',
      })
        .split('\n')
        .map((one) => one.split('\t')[0] ?? '')
        .filter(Boolean);
    expect(ask('quotidien sta').sort()).toEqual(['stale', 'status']);
    expect(ask('quotidien schedules tr')).toEqual(['trigger']);
    expect(ask('quotidien run sm')).toEqual(['smart-meter']);
    expect(ask('quotidien run eco2mix --rech')).toEqual(['--recheck']);
  });
});
