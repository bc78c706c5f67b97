import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { readDossier, versionOf } from '../../engine/look/day-dossier.ts';
import type { Dossier } from '../../engine/look/day-dossier.ts';
import { datasetOf } from '../../engine/engine.ts';
import { percent } from '../../pipelines/calendar-of-days.ts';
import type { CheckResult } from '../../pipelines/check-result.ts';
import { decisionOn } from '../../pipelines/decision.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { Manifest, ManifestStep } from '../../pipelines/manifest.ts';
import { unitsHeldIn } from '../../pipelines/held-units.ts';
import { namesTold, tellTogether } from '../../pipelines/in-shards.ts';
import type { ToldStep } from '../../pipelines/in-shards.ts';
import { isPeriod, parseScope, scopeText } from '../../pipelines/scope.ts';
import { shardText, splitShard } from '../../pipelines/shard.ts';
import type { Shard } from '../../pipelines/shard.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import { tellPublisher } from '../../pipelines/unanswered.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { byWhom, decisionLine } from '../shared/decision-line.ts';
import { withLocal } from '../shared/instants.ts';
import { count, formatBytes, shortHash } from '../shared/measures.ts';
import { parseVersion } from '../shared/scope-argument.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Asks no publisher, and makes nothing. */
export interface ShowCommand {
  readonly pipeline: string;
  /**
   * A day, or a period such as `2024-01`, `2024` or `all`; of a day also one shard alone, such as
   * `2024-01-15.07-of-16`.
   */
  readonly date: string;
  /** A number of the version history; the newest without it. */
  readonly version?: string | undefined;
}

const UNITS_SHOWN = 20;

/** Versions listed on a terminal; a month gathers hundreds. */
const MAX_VERSIONS = 10;

/** `quotidien show`: what a day or period is made of. */
export async function show(
  context: CommandContext,
  { pipeline, date, version }: ShowCommand,
): Promise<ExitCode> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, pipeline);
  const { partition, ...scope } = parseScope(date);
  const dossier = await readDossier(engine, pipeline, scopeText(scope));
  const { manifests } = dossier;
  const wanted = version === undefined ? undefined : versionOf(manifests, parseVersion(version));
  const shown = wanted ?? manifests.at(-1);
  context.terminal.data(wanted === undefined ? dossier : { ...dossier, manifests: [wanted] });
  print(context.terminal, definition, dossier, shown, partition);
  if (shown !== undefined && !isPeriod(dossier.scope)) await printAskAgain(context, dossier);
  return EXIT.done;
}

function print(
  terminal: Terminal,
  definition: PipelineDefinition,
  dossier: Dossier,
  shown: Manifest | undefined,
  partition: Shard | undefined,
): void {
  if (shown === undefined)
    terminal.line(terminal.colours.bold(`${dossier.pipeline} ${dossier.scope}  never finished`));
  else printManifest(terminal, definition, dossier, shown, partition);
  const { failure, degraded, verification, actions } = dossier;
  const { zone } = definition;
  if (failure !== null) {
    const { step, code, message, failedAt, workflowId } = failure;
    section(terminal, 'last run failed');
    terminal.line(`  ${withLocal(failedAt, zone)}  ${step}  ${code}: ${message}`);
    terminal.line(`  run ${workflowId}; the next run continues at this step`);
  }
  if (degraded !== null) {
    section(terminal, 'degraded');
    terminal.line(
      `  made at ${withLocal(degraded.since, zone)} by ${degraded.host} while a store was away: ${degraded.why}`,
    );
    terminal.line(
      '  "quotidien reconcile" on that host brings it to the stores, proves it there and lifts this',
    );
  }
  const open = dossier.decisions.filter(
    ({ step, key }) => decisionOn(shown?.decisions ?? [], step, key) === undefined,
  );
  if (open.length > 0) section(terminal, 'decided, and not in this version');
  for (const decision of open) terminal.line(`  ${decisionLine(decision, zone)}`);
  if (actions.length > 0) section(terminal, 'asked for by people');
  for (const { at, action, step, reason, by } of actions)
    terminal.line(`  ${withLocal(at, zone)}  ${action} ${step}${byWhom(by)}: ${reason}`);
  if (verification !== null) {
    section(terminal, 'verified');
    terminal.line(
      `  ${withLocal(verification.verifiedAt, zone)}  version ${verification.version}: ${verification.result}`,
    );
  }
}

function printManifest(
  terminal: Terminal,
  definition: PipelineDefinition,
  dossier: Dossier,
  manifest: Manifest,
  partition: Shard | undefined,
): void {
  const { run } = manifest;
  const { zone } = definition;
  terminal.line(terminal.colours.bold(headline(dossier, manifest)));
  terminal.line(
    `committed ${withLocal(run.committedAt, zone)} by ${run.workflowId} (${run.reason}), run ${run.runId}, code ${run.codeVersion}`,
  );
  printVersions(terminal, dossier.manifests, manifest, zone);
  printSteps(terminal, definition, manifest, partition);
  section(terminal, 'origins');
  if (manifest.origins.length === 0) terminal.line('  none of its own');
  for (const origin of manifest.origins)
    for (const line of originLines(origin, zone)) terminal.line(`  ${line}`);
  printDecisions(terminal, manifest, zone);
  section(terminal, 'facts');
  for (const [name, value] of Object.entries(manifest.facts))
    terminal.line(`  ${name.padEnd(18)} ${JSON.stringify(value)}`);
  printPublished(terminal, dossier, manifest);
}

/**
 * The newest version that is not proven yet is degraded, whatever it says of itself; a day can be
 * made, and its report lack something.
 */
function headline({ pipeline, scope, manifests, degraded }: Dossier, manifest: Manifest): string {
  const { version, verdict, facts } = manifest;
  const { revision, coverage } = facts;
  const standing = degraded !== null && manifest === manifests.at(-1) ? 'degraded' : verdict;
  const words: string[] = [standing, ...reportWords(standing, facts)];
  if (typeof revision === 'string') words.push(revision);
  if (typeof coverage === 'number') words.push(`coverage ${percent(coverage)}`);
  return `${pipeline} ${scope}  ${words.join(', ')}  (version ${version} of ${manifests.length})`;
}

/** What the report says of itself, where that is not the verdict of its day. */
function reportWords(verdict: string, { status, sections }: Manifest['facts']): string[] {
  const told = typeof sections === 'object' && sections !== null ? Object.entries(sections) : [];
  const lacking = told.flatMap(([name, state]) =>
    typeof state !== 'string' || state === 'ok' ? [] : [`${name} ${state}`],
  );
  const own = typeof status === 'string' && status !== verdict ? status : undefined;
  if (own === undefined && (lacking.length === 0 || verdict !== 'ok')) return [];
  const which = lacking.length === 0 ? '' : ` (${lacking.join(', ')})`;
  return [`its report is ${own ?? 'not whole'}${which}`];
}

/** When the publisher is asked for the day again. */
async function printAskAgain(context: CommandContext, { pipeline, scope }: Dossier): Promise<void> {
  const { terminal } = context;
  const engine = await context.engine();
  const { zone } = datasetOf(engine, pipeline).definition;
  const [day] = await calendarOfDays(engine, pipeline, [scope], new Map());
  section(terminal, 'asked for again');
  const at = day?.askAgainAt ?? null;
  terminal.line(
    at === null ? '  never' : `  from ${withLocal(at, zone)} on, by the watch or a run`,
  );
}

function section(terminal: Terminal, title: string): void {
  terminal.line();
  terminal.line(terminal.colours.bold(title));
}

function printVersions(
  terminal: Terminal,
  manifests: readonly Manifest[],
  shown: Manifest,
  zone: string,
): void {
  section(terminal, 'versions');
  const listed = manifests.slice(-MAX_VERSIONS);
  const left = manifests.length - listed.length;
  if (left > 0) terminal.line(`    ${count(left, 'earlier version')}; --json lists all of them`);
  for (const manifest of listed) {
    const { version, verdict, run, changed } = manifest;
    const what =
      version === 1
        ? count(changed.length, 'step')
        : changed.length === 0
          ? 'no step changed'
          : `changed: ${namesTold(changed).join(', ')}`;
    const mark = manifest === shown ? '→' : ' ';
    terminal.line(
      `  ${mark} ${String(version).padStart(3)}  ${withLocal(run.committedAt, zone)}  ${run.reason.padEnd(8)}  ${verdict.padEnd(8)}  ${what}`,
    );
  }
}

function printSteps(
  terminal: Terminal,
  definition: PipelineDefinition,
  { steps }: Manifest,
  partition: Shard | undefined,
): void {
  section(terminal, 'steps');
  const order = [...definition.steps, ...definition.rollups].map(({ id }) => id);
  const known = (Object.entries(steps) as [StepId, ManifestStep][]).sort(
    ([a], [b]) => order.indexOf(a) - order.indexOf(b),
  );
  const asked = known.filter(
    ([id]) => partition === undefined || sameShard(splitShard(id).shard, partition),
  );
  for (const told of tellTogether(asked, ([id]) => id)) {
    if (told.of !== undefined && partition === undefined)
      terminal.line(`  ${shardsLine(terminal, told)}`);
    else
      for (const [id, step] of told.members)
        for (const line of stepLines(terminal, id, step)) terminal.line(`  ${line}`);
  }
}

function sameShard(one: Shard | undefined, other: Shard): boolean {
  return one?.index === other.index && one.of === other.of;
}

/**
 * The shards of a step in one line; `show` of the day with a shard behind it tells of one of them.
 */
function shardsLine(
  { colours }: Terminal,
  { step, of, members }: ToldStep<readonly [StepId, ManifestStep]>,
): string {
  const counts = (['done', 'failed', 'skipped'] as const).flatMap((state) => {
    const those = members.filter(([, one]) => one.state === state);
    const names = those
      .map(([id]) => splitShard(id).shard)
      .flatMap((shard) => (shard === undefined ? [] : shardText(shard)));
    if (those.length === 0) return [];
    return [
      state === 'failed'
        ? colours.red(`${those.length} failed: ${names.join(', ')}`)
        : `${those.length} ${state}`,
    ];
  });
  const held = unitsHeldIn({ steps: Object.fromEntries(members) }).filter(
    ({ rejected }) => rejected !== true,
  );
  const names = held.slice(0, UNITS_SHOWN).map(({ unit }) => unit);
  const waiting =
    held.length === 0
      ? ''
      : `; ${colours.yellow(`${count(held.length, 'unit')} held: ${names.join(', ')}`)}`;
  return `${step.padEnd(20)} ${of ?? 0} shards: ${counts.join(', ')}${waiting}`;
}

function stepLines({ colours }: Terminal, id: StepId, step: ManifestStep): string[] {
  const name = id.padEnd(20);
  const heard = id.startsWith('download/') ? tellPublisher(step) : undefined;
  const publisher = heard === undefined ? '' : `; ${heard}`;
  if (step.state === 'failed')
    return [`${name} ${colours.red('failed')}  ${step.code}: ${step.message}${publisher}`];
  if (step.state === 'skipped')
    return [`${name} ${colours.dim('skipped')}  ${step.reason}${publisher}`];
  const outputs = Object.entries(step.outputs).map(([output, { key, bytes, rows, sha256 }]) => {
    const size =
      rows === undefined ? formatBytes(bytes) : `${count(rows, 'row')}, ${formatBytes(bytes)}`;
    return `  ${output.padEnd(12)} ${shortHash(sha256)}  ${size.padEnd(20)}  ${colours.dim(key)}`;
  });
  const empty = outputs.length === 0 ? `  no rows for this scope${publisher}` : '';
  const head = `${name} ${colours.green('done')}  version ${step.version}, key ${shortHash(step.key)}${empty}`;
  const kept =
    step.kept === undefined
      ? []
      : [
          `  ${colours.yellow('!')} as delivered by ${step.kept.since}; ${step.kept.code}: ${step.kept.message}`,
        ];
  return [
    head,
    ...kept,
    ...outputs,
    ...step.failedChecks.flatMap((check) => checkLines(colours, check)),
  ];
}

function checkLines(
  colours: Terminal['colours'],
  { check, severity, failed, tested, examples, units }: CheckResult,
): string[] {
  const rule = `  ${colours.yellow('!')} ${check} (${severity}) fails on ${failed} of ${tested} rows`;
  const held = (units ?? []).slice(0, UNITS_SHOWN).map(({ unit, rejected, examples: rows }) => {
    const state = rejected === true ? 'rejected' : 'held';
    return `      ${state}: unit ${unit}${rows[0] === undefined ? '' : `, such as ${JSON.stringify(rows[0])}`}`;
  });
  const more = (units?.length ?? 0) - held.length;
  if (more > 0) held.push(`      ${count(more, 'more unit')}; --json lists all of them`);
  return [rule, ...held, ...examples.map((example) => `      such as ${JSON.stringify(example)}`)];
}

function originLines(
  { part, url, etag, lastModified, processedAt, retrievedAt, raw }: Origin,
  zone: string,
): string[] {
  const told = [
    `retrieved ${withLocal(retrievedAt, zone)}`,
    processedAt === null ? 'processing time not told' : `processed by the publisher ${processedAt}`,
    ...(etag === null ? [] : [`ETag ${etag}`]),
    ...(lastModified === null ? [] : [`last modified ${lastModified}`]),
  ];
  const kept = `kept as ${raw.key} (${formatBytes(raw.bytes)}, sha256 ${shortHash(raw.sha256)})`;
  return [`${part.padEnd(12)} ${url}`, `  ${told.join(', ')}`, `  ${kept}`];
}

function printDecisions(terminal: Terminal, { decisions }: Manifest, zone: string): void {
  if (decisions.length === 0) return;
  section(terminal, 'decisions');
  for (const decision of decisions) terminal.line(`  ${decisionLine(decision, zone)}`);
}

function printPublished(
  terminal: Terminal,
  { published, manifests }: Dossier,
  shown: Manifest,
): void {
  if (published.length === 0) return;
  section(
    terminal,
    shown === manifests.at(-1) ? 'published as' : 'published as (the newest version)',
  );
  for (const { key, current } of published) {
    terminal.line(
      `  ${key}${current ? '' : terminal.colours.yellow('  not current: run the day again to publish it')}`,
    );
  }
}
