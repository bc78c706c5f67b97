import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { makeDay } from 'quotidien/kit/testing';
import dataset from '../src/index.js';

const day = (name) => new URL(name, import.meta.url);
const made = (file) => makeDay(dataset, { date: '2024-01-15', files: { levels: file } });

test('a day has exactly the expected outputs', async () => {
  const { outputs } = await made(day('2024-01-15.csv'));
  const found = Object.fromEntries(
    Object.entries(outputs).map(([name, { sha256 }]) => [name, sha256]),
  );
  // After a change that is meant: raise the step's version, then run the tests once with
  // UPDATE_GOLDEN=1.
  const golden = day('golden.json');
  if (process.env.UPDATE_GOLDEN === '1')
    await writeFile(golden, `${JSON.stringify(found, null, 2)}\n`);
  assert.deepEqual(found, JSON.parse(await readFile(golden, 'utf8')));
});

test('the page tells the highest level', async () => {
  const { outputs } = await made(day('2024-01-15.csv'));
  assert.match(outputs['report/day:page'].bytes.toString('utf8'), /Highest 8 m/);
});

test('an implausible level holds the day', async () => {
  const file = day(`broken-${process.pid}.csv`);
  const text = await readFile(day('2024-01-15.csv'), 'utf8');
  await writeFile(file, text.replace('5.00', '55.00'));
  try {
    const { checks } = await made(file);
    assert.equal(checks.find(({ check }) => check === 'plausible-level')?.failed, 1);
  } finally {
    await (await import('node:fs/promises')).rm(file);
  }
});
