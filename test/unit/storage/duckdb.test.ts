import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import { quoteList, quoteText } from '../../../src/pipelines/sql-text.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { encodeFlatParquet } from '../../../src/storage/sql/parquet-export.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { mountTinyDisk } from './tiny-disk.ts';

/** Far more work than any test waits for. */
const ENDLESS =
  'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3';

let folder: string;
let scratchRoot: string;
let engine: DuckDbEngine;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-duckdb-'));
  scratchRoot = path.join(folder, 'scratch');
  engine = createDuckDbEngine({ memoryLimitMb: 256, threads: 2, scratchRoot });
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a session', () => {
  it('has tables, views and macros of its own, also next to others', async () => {
    const values = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        engine.session(async (sql) => {
          await sql.run(
            `CREATE TABLE t AS SELECT ${n} AS n; CREATE TEMP TABLE u AS SELECT ${n} AS n`,
          );
          await sql.run(`CREATE VIEW v AS SELECT n FROM t; CREATE MACRO m() AS ${n}`);
          return sql.rows<{ n: number }>('SELECT t.n + u.n + v.n + m() AS n FROM t, u, v');
        }),
      ),
    );
    expect(values.flat().map(({ n }) => n)).toEqual([4, 8, 12, 16, 20]);
    for (const name of ['t', 'u', 'v']) {
      const reading = engine.session((sql) => sql.rows(`SELECT * FROM ${name}`));
      await expect(reading).rejects.toMatchObject({ code: 'INTERNAL' });
    }
  });

  it('works in UTC, without extensions, within the limits given', async () => {
    const [settings] = await engine.session((sql) =>
      sql.rows(`SELECT current_setting('TimeZone') AS zone, current_setting('threads') AS threads,
        current_setting('memory_limit') AS memory, current_setting('autoload_known_extensions') AS autoload,
        current_setting('autoinstall_known_extensions') AS autoinstall, current_setting('preserve_insertion_order') AS ordered`),
    );
    expect(settings).toEqual({
      zone: 'UTC',
      threads: 2,
      memory: '256.0 MiB',
      autoload: false,
      autoinstall: false,
      ordered: true,
    });
  });

  it('has one thread for a statement that only one can work on, and all of them again after it, also when it fails', async () => {
    await engine.session(async (sql) => {
      const threads = `SELECT current_setting('threads') AS threads`;
      await sql.runOnOneThread(`CREATE TABLE during AS ${threads}`);
      expect(await sql.rows('SELECT threads FROM during')).toEqual([{ threads: 1 }]);
      expect(await sql.rows(threads)).toEqual([{ threads: 2 }]);
      await expect(sql.runOnOneThread('SELECT nothing')).rejects.toMatchObject({
        code: 'INTERNAL',
      });
      expect(await sql.rows(threads)).toEqual([{ threads: 2 }]);
    });
  });

  it('has all threads alone, also right after its own lanes have ended, and its share beside another', async () => {
    const threadsOf = async (sql: SqlSession): Promise<unknown> => {
      const [row] = await sql.rows(`SELECT current_setting('threads') AS threads`);
      return row?.['threads'];
    };
    await engine.session(async (sql) => {
      expect(await threadsOf(sql)).toBe(2);
      await sql.atOnce([1, 2], (_, lane) => threadsOf(lane));
      expect(await threadsOf(sql)).toBe(2);
      await engine.session(async (other) => {
        expect(await threadsOf(other)).toBe(1);
      });
      // The next session of a backfill is about to begin: threads come back after a moment.
      expect(await threadsOf(sql)).toBe(1);
      await vi.waitFor(async () => {
        expect(await threadsOf(sql)).toBe(2);
      }, 5_000);
    });
  });

  it('does not hand a changed zone on to the next', async () => {
    await engine.session((sql) => sql.run(`SET TimeZone = 'Europe/Paris'`));
    const [row] = await engine.session((sql) =>
      sql.rows(`SELECT current_setting('TimeZone') AS zone`),
    );
    expect(row).toEqual({ zone: 'UTC' });
  });

  it('has a scratch folder that goes with it, after success and after failure', async () => {
    const scratch = await engine.session(async (sql) => {
      await sql.run(`COPY (SELECT 42 AS n) TO ${quoteText(path.join(sql.scratch, 'out.csv'))}`);
      expect(await readFile(path.join(sql.scratch, 'out.csv'), 'utf8')).toBe('n\n42\n');
      return sql.scratch;
    });
    expect(existsSync(scratch)).toBe(false);
    let failed = '';
    const failing = engine.session(async (sql) => {
      failed = sql.scratch;
      await writeFile(path.join(sql.scratch, 'half'), 'x');
      throw new PipelineError('DATA_CHECK_FAILED', 'no good');
    });
    await expect(failing).rejects.toMatchObject({ code: 'DATA_CHECK_FAILED', message: 'no good' });
    expect(failed).not.toBe(scratch);
    expect(existsSync(failed)).toBe(false);
  });

  it('runs statements one after the other, also when nobody waits', async () => {
    let early: Promise<unknown> | undefined;
    const rows = await engine.session(async (sql) => {
      early = sql.run('CREATE TABLE t AS SELECT range AS n FROM range(100000)');
      void sql.run('INSERT INTO t VALUES (-1)');
      return sql.rows('SELECT count(*) AS count, min(n) AS least FROM t');
    });
    expect(rows).toEqual([{ count: 100_001, least: -1 }]);
    await early;
  });

  it('works on several items at once, which share its tables, and answers in their order', async () => {
    const meeting: (() => void)[] = [];
    const answers = await engine.session(async (sql) => {
      await sql.run('CREATE TABLE shared AS SELECT 7 AS n');
      return sql.atOnce([1, 2, 3, 4], async (item, own) => {
        // The first two go on only when both are under way.
        if (item <= 2) {
          await new Promise<void>((resolve) => {
            if (meeting.push(resolve) === 2) for (const goOn of meeting) goOn();
          });
        }
        await own.run(`CREATE OR REPLACE TEMP TABLE own AS SELECT ${item} AS n`);
        const [row] = await own.rows<{ n: number }>(
          'SELECT own.n * 10 + shared.n AS n FROM own, shared',
        );
        return row?.n;
      });
    });
    expect(answers).toEqual([17, 27, 37, 47]);
  });

  it('begins no further item after one that failed, and ends when the others have', async () => {
    const begun: number[] = [];
    const working = engine.session((sql) =>
      sql.atOnce([1, 2, 3, 4, 5, 6], async (item, own) => {
        begun.push(item);
        await own.run(item === 1 ? 'SELECT wrong' : 'SELECT 1');
      }),
    );
    await expect(working).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(begun.length).toBeLessThan(6);
    expect(await engine.session((sql) => sql.rows('SELECT 1 AS n'))).toEqual([{ n: 1 }]);
  });

  it('reads a result that is never in memory as a whole, in its order, and nothing else meanwhile', async () => {
    await engine.session(async (sql) => {
      const [seen, sizes]: [number[], number[]] = [[], []];
      for await (const batch of sql.batches<{ n: number }>(
        'SELECT range AS n FROM range(20000) ORDER BY n DESC',
      )) {
        seen.push(...batch.map(({ n }) => n));
        sizes.push(batch.length);
        if (sizes.length === 1)
          await expect(sql.rows('SELECT 1')).rejects.toMatchObject({ code: 'INTERNAL' });
      }
      expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => 19_999 - index));
      expect(Math.max(...sizes)).toBeLessThan(10_000);
      expect(await sql.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });

  it('leaves a result early, and goes on', async () => {
    const rows = await engine.session(async (sql) => {
      for await (const batch of sql.batches('SELECT * FROM range(100000)'))
        if (batch.length > 0) break;
      return sql.rows('SELECT 1 AS one');
    });
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('goes on after a statement that failed', async () => {
    const rows = await engine.session(async (sql) => {
      await expect(sql.run('SELECT nonsense')).rejects.toMatchObject({ code: 'INTERNAL' });
      return sql.rows('SELECT 1 AS one');
    });
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('frees its tables at its end, also when it ends within a transaction', async () => {
    for (let round = 0; round < 12; round += 1) {
      await engine.session(async (sql) => {
        await sql.run(
          'BEGIN; CREATE TABLE t AS SELECT range AS n, hash(range) AS h FROM range(4000000)',
        );
      });
    }
    const [left] = await engine.session((sql) =>
      sql.rows(`SELECT count(*) AS n FROM duckdb_databases() WHERE NOT internal`),
    );
    expect(left).toEqual({ n: 2 });
  });

  it('that is finished has freed its tables, and keeps its files until its work has ended', async () => {
    await engine.session(async (sql) => {
      await sql.run('CREATE TABLE t AS SELECT 1 AS n');
      const kept = [path.join(sql.scratch, 'a.csv'), path.join(await sql.borrowFolder(), 'b.csv')];
      for (const file of kept) await writeFile(file, 'n');
      await sql.finish();
      await sql.finish();
      await expect(sql.rows('SELECT 1')).rejects.toMatchObject({ code: 'INTERNAL' });
      const [left] = await engine.session(async (other) => {
        await writeFile(path.join(await other.borrowFolder(), 'b.csv'), 'of another session');
        return other.rows(
          "SELECT current_setting('threads') AS threads, count(*) AS sessions FROM duckdb_databases() WHERE database_name LIKE 'session%'",
        );
      });
      expect(left).toEqual({ threads: 2, sessions: 1 });
      for (const file of kept) expect(await readFile(file, 'utf8')).toBe('n');
    });
  });

  it('reads what a path holds now, also when it was rewritten with as many bytes in another layout', async () => {
    const file = path.join(folder, 'rewritten.parquet');
    const columns = [{ name: 'n', type: 'integer' }] as const;
    const cells = [null, 1, 2, 3_000_000_000];
    const tables = Array.from({ length: 256 }, (_, seed) =>
      [0, 2, 4, 6].map((shift) => [cells[(seed >> shift) & 3]!]),
    );
    const contents = await Promise.all(tables.map((rows) => encodeFlatParquet({ columns, rows })));
    const bytes = contents[27]!.length;
    const equallyLong = contents.flatMap((content, at) =>
      content.length === bytes ? [{ content, rows: tables[at] }] : [],
    );
    expect(equallyLong.length).toBeGreaterThan(20);
    await engine.session(async (sql) => {
      for (const { content, rows } of equallyLong) {
        writeFileSync(file, content);
        const found = await sql.rows<{ n: number | null }>(
          `SELECT n FROM read_parquet(${quoteText(file)})`,
        );
        expect(found.map(({ n }) => [n])).toEqual(rows);
      }
    });
  });

  it('is of no use after its end', async () => {
    let kept: SqlSession | undefined;
    await engine.session(async (sql) => {
      kept = sql;
      await Promise.resolve();
    });
    await expect(kept?.rows('SELECT 1')).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('an aborted signal', () => {
  it('interrupts the running statement and throws its reason', async () => {
    const abort = new AbortController();
    const reason = new Error('the activity was cancelled');
    const running = engine.session(
      async (sql) => {
        setImmediate(() => {
          abort.abort(reason);
        });
        return sql.rows(ENDLESS);
      },
      { signal: abort.signal },
    );
    await expect(running).rejects.toBe(reason);
    expect(await engine.session((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('ends reading between two batches', async () => {
    const abort = new AbortController();
    const reason = new Error('the activity was cancelled');
    const running = engine.session(
      async (sql) => {
        for await (const batch of sql.batches('SELECT * FROM range(1000000)'))
          if (batch.length > 0) abort.abort(reason);
      },
      { signal: abort.signal },
    );
    await expect(running).rejects.toBe(reason);
  });

  it('is heard at any moment of a statement, also between its preparation and its start', async () => {
    for (let turns = 0; turns < 10; turns += 1) {
      const abort = new AbortController();
      const reason = new Error(`after ${turns} turns`);
      const running = engine.session(
        async (sql) => {
          const endless = sql.run(ENDLESS);
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          abort.abort(reason);
          await endless;
        },
        { signal: abort.signal },
      );
      await expect(running).rejects.toBe(reason);
    }
  });

  it('starts no session and no further statement', async () => {
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(engine.session(() => Promise.resolve(1), { signal: aborted })).rejects.toThrow(
      'too late',
    );
    const abort = new AbortController();
    const running = engine.session(
      async (sql) => {
        abort.abort(new Error('between'));
        await sql.run('SELECT 1');
      },
      { signal: abort.signal },
    );
    await expect(running).rejects.toThrow('between');
  });

  it('leaves a session alone that has ended', async () => {
    const abort = new AbortController();
    expect(
      await engine.session((sql) => sql.rows('SELECT 1 AS one'), { signal: abort.signal }),
    ).toEqual([{ one: 1 }]);
    abort.abort();
    expect(await engine.session((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });
});

describe('the engine', () => {
  it('leaves nothing in the scratch root when it is closed', async () => {
    await engine.session((sql) =>
      sql.run(
        'CREATE TABLE t AS SELECT range AS n, hash(range) AS h FROM range(3000000) ORDER BY h',
      ),
    );
    expect(await readdir(scratchRoot)).toHaveLength(1);
    await engine.close();
    await engine.close();
    expect(await readdir(scratchRoot)).toEqual([]);
    await expect(engine.session((sql) => sql.run('SELECT 1'))).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });

  it('waits for running sessions when it is closed', async () => {
    const running = engine.session((sql) =>
      sql.rows('SELECT count(*) AS n FROM range(20000000) WHERE range % 3 = 1'),
    );
    await engine.close();
    expect(await running).toHaveLength(1);
  });

  it('makes nothing before its first session', () => {
    expect(existsSync(scratchRoot)).toBe(false);
  });

  it('removes what killed engines left, and nothing else', async () => {
    const dead = spawnSync('true').pid;
    const id = '0123456789ab';
    const names = {
      dead: `sql-${hostname()}-${dead}-${id}`,
      alive: `sql-${hostname()}-${process.pid}-${id}`,
      elsewhere: `sql-other-host-1-${id}`,
      elsewhereLongAgo: `sql-other-host-2-${id}`,
      notOurs: 'sql-notes',
    };
    for (const name of Object.values(names))
      await mkdir(path.join(scratchRoot, name, 'spill'), { recursive: true });
    const longAgo = new Date(Date.now() - 8 * 24 * 3_600_000);
    await utimes(path.join(scratchRoot, names.elsewhereLongAgo), longAgo, longAgo);
    await engine.session((sql) => sql.run('SELECT 1'));
    const left = await readdir(scratchRoot);
    expect(left).toEqual(expect.arrayContaining([names.alive, names.elsewhere, names.notOurs]));
    expect(left).toHaveLength(4);
  });

  it('is denied below a regular file, and works once that is gone', async () => {
    await writeFile(scratchRoot, 'in the way');
    await expect(engine.session((sql) => sql.run('SELECT 1'))).rejects.toMatchObject({
      code: 'STORE_DENIED',
    });
    await rm(scratchRoot);
    expect(await engine.session((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });
});

describe('what goes wrong in SQL', () => {
  const failing = (text: string): Promise<unknown> => engine.session((sql) => sql.run(text));

  it.each([
    [
      'a file that is not UTF-8',
      Buffer.from('a;b\né;c\n', 'latin1'),
      "read_csv($, delim = ';', header = true, all_varchar = true)",
    ],
    [
      'text where a number is promised',
      Buffer.from('a;b\n1;x\n'),
      "read_csv($, delim = ';', columns = {'a': 'INTEGER', 'b': 'INTEGER'})",
    ],
    [
      'a row with too many fields',
      Buffer.from('a;b\n1;2;3\n'),
      "read_csv($, delim = ';', auto_detect = false, columns = {'a': 'VARCHAR', 'b': 'VARCHAR'})",
    ],
    [
      'a bad line that quotes another error',
      Buffer.from('a;b\n1;No space left on device, schema mismatch, TProtocolException\n'),
      "read_csv($, delim = ';', columns = {'a': 'INTEGER', 'b': 'INTEGER'})",
    ],
    ['broken JSON', Buffer.from('{"a": 1}\n{broken'), 'read_json($)'],
  ])('makes %s SRC_SHAPE_CHANGED', async (_, bytes, reader) => {
    const file = path.join(folder, 'input');
    await writeFile(file, bytes);
    await expect(
      failing(`SELECT * FROM ${reader.replace('$', quoteText(file))}`),
    ).rejects.toMatchObject({
      name: 'PipelineError',
      code: 'SRC_SHAPE_CHANGED',
    });
  });

  it.each([
    ["SELECT CAST('x' AS INTEGER)", 'SRC_SHAPE_CHANGED'],
    ["SELECT strptime('x', '%Y')", 'SRC_SHAPE_CHANGED'],
    ['SELECT 9223372036854775807::BIGINT + 1::BIGINT', 'SRC_SHAPE_CHANGED'],
    ["SELECT error('a rule of the reader')", 'SRC_SHAPE_CHANGED'],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (1)', 'DATA_CHECK_FAILED'],
    ['SELECT * FROM nobody', 'INTERNAL'],
    ['SELECT nobody FROM range(3)', 'INTERNAL'],
    ['SELEC 1', 'INTERNAL'],
    ['BEGIN; BEGIN', 'INTERNAL'],
    ['LOAD spatial', 'INTERNAL'],
    ["SELECT * FROM read_csv('/nobody/here.csv')", 'STORE_UNAVAILABLE'],
  ])('maps %s to %s', async (text, code) => {
    await expect(failing(text)).rejects.toMatchObject({
      name: 'PipelineError',
      code,
      context: { sql: text },
    });
  });

  it('makes a cut or altered Parquet file STORE_CORRUPT', async () => {
    const file = path.join(folder, 'day.parquet');
    await failing(
      `COPY (SELECT range AS n, 'x' || range AS x FROM range(20000)) TO ${quoteText(file)}`,
    );
    const whole = await readFile(file);
    const damaged = Buffer.from(whole);
    for (let at = 1_000; at < damaged.length / 2; at += 97) damaged[at]! ^= 0xff;
    const text = Buffer.from('<!DOCTYPE html><p>502 Bad Gateway');
    for (const bytes of [
      whole.subarray(0, whole.length / 2),
      damaged,
      text,
      Buffer.alloc(0),
      Buffer.from('PAR1PAR1'),
    ]) {
      await writeFile(file, bytes);
      const reading = failing(`CREATE TABLE t AS SELECT * FROM read_parquet(${quoteText(file)})`);
      await expect(reading).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
  });

  it('makes files that do not fit each other SRC_SHAPE_CHANGED', async () => {
    const files = ['one', 'two'].map((name) => path.join(folder, `${name}.parquet`));
    await failing(
      `COPY (SELECT 1 AS a, 2 AS b) TO ${quoteText(files[0]!)}; COPY (SELECT 1 AS a) TO ${quoteText(files[1]!)}`,
    );
    const reading = failing(`SELECT * FROM read_parquet(${quoteList(files)})`);
    await expect(reading).rejects.toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
  });

  it('names the memory limit when it does not suffice', async () => {
    const failed = failing('SELECT list(range) FROM range(300000000)');
    await expect(failed).rejects.toMatchObject({ code: 'STORE_DENIED' });
    await expect(failed).rejects.toThrow(
      /raise the memory limit of the SQL engine \(now 256 MiB\)/,
    );
    expect(await engine.session((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('is denied when the disk is full, for outputs and for spilled data', async ({ skip }) => {
    const disk = await mountTinyDisk(4_096);
    if (disk === undefined) return skip('this process may not mount a file system');
    try {
      const out = quoteText(path.join(disk.folder, 'out.parquet'));
      await expect(
        failing(`COPY (SELECT hash(range) AS h FROM range(2000000)) TO ${out}`),
      ).rejects.toMatchObject({
        code: 'STORE_DENIED',
      });
      const small = createDuckDbEngine({ memoryLimitMb: 64, threads: 2, scratchRoot: disk.folder });
      const spilling = small.session((sql) =>
        sql.run('CREATE TABLE t AS SELECT hash(range) AS h FROM range(30000000) ORDER BY h'),
      );
      await expect(spilling).rejects.toMatchObject({ code: 'STORE_DENIED' });
      await small.close();
    } finally {
      await disk.unmount();
    }
  });

  it('keeps the message small', async () => {
    const failed = failing(`SELECT CAST('${'x'.repeat(100_000)}' AS INTEGER)`);
    const error = (await failed.catch((thrown: unknown) => thrown)) as PipelineError;
    expect(error.message.length).toBeLessThan(3_000);
    expect(String(error.context['sql']).length).toBeLessThan(1_000);
  });
});
