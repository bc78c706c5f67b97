import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { METER_TABLES } from '../../../src/datasets/smart-meter/answers/tables.ts';

/**
 * Files of dashboards for Superset and Grafana: what they read are tables and columns of ours, as
 * ClickHouse has them.
 */

const SUPERSET = 'infra/superset/smart-meter';
/** Names under which the documentation copies tables; all others have their own. */
const COPIED: Readonly<Record<string, string>> = {
  consumption_metrics: 'meter_fleet',
  anomaly_scores: 'meter_scores',
};

interface DatasetFile {
  readonly table_name: string;
  readonly sql: string;
  readonly uuid: string;
  readonly columns: readonly { readonly column_name: string }[];
  readonly metrics: readonly { readonly metric_name: string; readonly expression: string }[];
}

/** Members that name metrics or columns. */
interface ChartParams {
  readonly metric?: string;
  readonly metrics?: readonly string[];
  readonly x?: string;
  readonly y?: string;
  readonly size?: string;
  readonly x_axis?: string;
  readonly groupby?: string | readonly string[];
  readonly all_columns?: readonly string[];
}

function filesOf<T>(folder: string): T[] {
  const names = readdirSync(path.join(SUPERSET, folder), { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => parse(readFileSync(path.join(SUPERSET, folder, name), 'utf8')) as T);
}

const tablesIn = (sql: string): string[] =>
  [...sql.matchAll(/energy_analytics\.(\w+)/gu)].map(([, name = '']) => name);

function columnsOf(copied: string): string[] {
  const id = COPIED[copied] ?? copied;
  return METER_TABLES.find((table) => table.id === id)!.columns.map(({ name }) => name);
}

/** Words that are columns: what is left of SQL without names in it, functions and texts. */
function namesIn(expression: string): string[] {
  return (expression.replaceAll(/'[^']*'/gu, '').match(/\b[a-z_]\w*\b(?!\s*\()/gu) ?? []).filter(
    (name) => name !== 'fleet',
  );
}

describe('dashboards for Superset', () => {
  const datasets = filesOf<DatasetFile>('datasets');
  const charts = filesOf<{
    uuid: string;
    dataset_uuid: string;
    slice_name: string;
    params: ChartParams;
  }>('charts');

  it.each(datasets.map((one) => [one.table_name, one] as const))(
    '%s has columns of our tables',
    (_, { sql, columns }) => {
      const known = tablesIn(sql).flatMap(columnsOf);
      const made = [...sql.matchAll(/ AS (\w+)/gu)].map(([, name = '']) => name);
      expect(
        columns
          .map(({ column_name: name }) => name)
          .filter((name) => ![...known, ...made].includes(name)),
      ).toEqual([]);
    },
  );

  it.each(datasets.map((one) => [one.table_name, one] as const))(
    '%s has metrics of its columns',
    (_, dataset) => {
      const own = dataset.columns.map(({ column_name: name }) => name);
      expect(
        dataset.metrics
          .flatMap(({ expression }) => namesIn(expression))
          .filter((name) => !own.includes(name)),
      ).toEqual([]);
    },
  );

  it('have charts of datasets, and dashboards of charts, with the metrics and columns that there are', () => {
    const byId = new Map(datasets.map((one) => [one.uuid, one]));
    for (const { dataset_uuid: id, slice_name: name, params } of charts) {
      const { metrics, columns } = byId.get(id)!;
      const known = [
        ...metrics.map((one) => one.metric_name),
        ...columns.map((one) => one.column_name),
      ];
      const {
        metric,
        metrics: more = [],
        x,
        y,
        size,
        x_axis,
        groupby = [],
        all_columns = [],
      } = params;
      const used = [
        [metric, x, y, size, x_axis].flatMap((one) => one ?? []),
        more,
        groupby,
        all_columns,
      ].flat();
      expect([name, used.filter((one) => !known.includes(one))]).toEqual([name, []]);
    }
    const ids = charts.map(({ uuid }) => uuid);
    const shown = filesOf<{ position: Record<string, { type?: string; meta?: { uuid: string } }> }>(
      'dashboards',
    ).flatMap(({ position }) =>
      Object.values(position).flatMap(({ type, meta }) => (type === 'CHART' ? [meta!.uuid] : [])),
    );
    expect(shown.toSorted()).toEqual(ids.toSorted());
  });
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly rawSql?: string; readonly expr?: string }[];
}

describe('the dashboard for Grafana', () => {
  const { panels } = JSON.parse(readFileSync('infra/grafana/smart-meter.json', 'utf8')) as {
    panels: Panel[];
  };

  it('has panels that lie beside each other, each with a number of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, place) => `${x + (place % w)},${y + Math.floor(place / w)}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Pipeline',
      'Quality',
      'Infrastructure',
    ]);
  });

  it('asks for columns of our tables', () => {
    const asked = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ rawSql }) => rawSql ?? []),
    );
    expect(asked).not.toHaveLength(0);
    for (const sql of asked) {
      const known = tablesIn(sql).flatMap(columnsOf);
      const [, select = ''] = /SELECT (.*?) FROM/u.exec(sql)!;
      const made = [...sql.matchAll(/ AS (\w+)/gu)].map(([, name = '']) => name);
      const used = namesIn(select.replaceAll(/ AS \w+/gu, ''));
      expect([sql, used.filter((name) => ![...known, ...made].includes(name))]).toEqual([sql, []]);
    }
  });
});
