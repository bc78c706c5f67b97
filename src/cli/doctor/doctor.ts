import type { Config } from '../../config/load-config.ts';
import { asPipelineError } from '../../errors.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { examineAgedLists } from './aged-lists.ts';
import { examineDeposits } from './deposits.ts';
import type { Finding } from './finding.ts';
import { examineFallback } from './fallback.ts';
import { examineFolders } from './folders.ts';
import { examineIssuer } from './issuer.ts';
import { examineHome, examineNode, examineSettings } from './machine.ts';
import { examinePublishers } from './publishers.ts';
import { examineStoreClocks } from './store-clocks.ts';
import { examineDocuments, examineObjects, examineSql, explainStores } from './stores.ts';
import { examineTemporal } from './temporal.ts';
import { examineWorkerClocks } from './worker-clocks.ts';
import { count } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';

/**
 * `quotidien doctor`: what was detected and why, tried for real, each with what to do about it.
 * Exit code 1 when something fails, 3 when days would run with less than they should have.
 */
export async function doctor(context: CommandContext): Promise<ExitCode> {
  const findings = await examine(context);
  const totals = { ok: 0, warn: 0, fail: 0 };
  for (const { status } of findings) totals[status] += 1;
  context.terminal.data({ home: context.config.home, findings, totals });
  print(context.terminal, findings, totals);
  if (totals.fail > 0) return EXIT.failed;
  return findings.some(({ degrades }) => degrades === true) ? EXIT.degraded : EXIT.done;
}

async function examine(context: CommandContext): Promise<Finding[]> {
  const { config, signal } = context;
  const opened = await open(context);
  const datasets = 'area' in opened ? context.datasets : opened.datasets;
  const [home, settings, stores, temporal, publishers, folders, deposits, workers, lists, signIn] =
    await Promise.all([
      examineHome(config.home),
      examineSettings(config, datasets),
      'area' in opened ? [opened] : examineStores(opened, config),
      examineTemporal(config, () => ('area' in opened ? new Date() : opened.now())),
      examinePublishers(datasets, signal),
      'area' in opened ? [] : examineFolders(opened, signal),
      'area' in opened ? [] : examineDeposits(opened),
      'area' in opened ? [] : examineWorkerClocks(opened),
      'area' in opened ? [] : examineAgedLists(opened),
      examineIssuer(config, Object.keys(datasets)),
    ]);
  return [
    examineNode(process.versions.node),
    ...home,
    ...settings,
    ...explainStores(config.storage),
    ...stores,
    ...temporal,
    ...publishers,
    ...folders,
    ...deposits,
    ...workers,
    ...lists,
    ...signIn,
  ];
}

/** A store that cannot even be opened is a finding, not the end of the examination. */
async function open(context: CommandContext): Promise<OpenEngine | Finding> {
  try {
    return await context.engine();
  } catch (error) {
    const { code, message, remedy } = asPipelineError(error);
    return {
      area: 'stores',
      subject: 'opening',
      status: 'fail',
      detail: `${code}: ${message}`,
      next: remedy,
    };
  }
}

async function examineStores(engine: OpenEngine, { storage }: Config): Promise<Finding[]> {
  // The stores themselves: through the fallback a store that is away would look as if it worked.
  const { primary, fallback } = engine.stores;
  const examined = [examineObjects(primary.objects), examineDocuments(primary.documents)];
  const tried = (await Promise.all(examined)).flat();
  return [
    ...(fallback === undefined ? tried : tried.map(survivable)),
    ...(fallback === undefined ? [] : await examineFallback(fallback)),
    ...(await examineStoreClocks(storage, () => engine.now())),
    await examineSql(engine.sql),
  ];
}

/**
 * With a fallback, days go on without a store that does not answer; they do not without one that
 * refuses.
 */
function survivable(finding: Finding): Finding {
  if (finding.status !== 'fail' || !finding.detail.startsWith('STORE_UNAVAILABLE')) return finding;
  const next =
    'Bring the store back; days go on here meanwhile and are degraded until "quotidien reconcile".';
  return { ...finding, status: 'warn', degrades: true, next };
}

const STATUS_WIDTH = 6;

function print(
  terminal: Terminal,
  findings: readonly Finding[],
  totals: Record<Finding['status'], number>,
): void {
  const { colours } = terminal;
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red };
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) {
      area = finding.area;
      terminal.line(colours.bold(area));
    }
    const status = paint[finding.status](finding.status.padEnd(STATUS_WIDTH));
    const took = finding.durationMs === undefined ? '' : colours.dim(`  ${finding.durationMs} ms`);
    terminal.line(`  ${status}${finding.subject.padEnd(width)}  ${finding.detail}${took}`);
    if (finding.next !== undefined) terminal.line(`  ${' '.repeat(STATUS_WIDTH)}→ ${finding.next}`);
  }
  terminal.line();
  terminal.line(
    `${totals.ok} ok, ${count(totals.warn, 'warning')}, ${count(totals.fail, 'failure')}`,
  );
}
