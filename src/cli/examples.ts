import type { Command } from 'commander';

/** Examples at the end of each command's help, by the words of the command. Each of them parses. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  run: ['run eco2mix yesterday', 'run cityflow -7d yesterday --pages'],
  decide: [
    'decide eco2mix 2024-01-15 --accept --reason "checked with RTE"',
    'decide smart-meter 2024-01-15 --unit M-7 --reject --reason "meter was exchanged"',
    'decide backfill/eco2mix/2024-01-01_2024-12-31/0123abcd4567 --accept --reason "the new rule is meant"',
  ],
  skip: ['skip cityflow yesterday weather --reason "provider is down until Monday"'],
  retry: ['retry eco2mix yesterday download/tr --reason "the publisher is back"'],
  pause: [
    'pause eco2mix --reason "maintenance"',
    'pause eco2mix/daily --reason "until the contract is signed"',
  ],
  resume: ['resume eco2mix --reason "maintenance is over"'],
  report: ['report cityflow yesterday'],
  plan: ['plan eco2mix yesterday', 'plan eco2mix 2024-01-01 2024-01-31 --all'],
  import: [
    'import cityflow comptages-routiers-permanents.csv',
    'import cityflow chantiers.csv --as-of yesterday',
  ],
  backfill: [
    'backfill eco2mix 2024-01-01 2024-12-31 --dry-run',
    'backfill eco2mix -30d yesterday --failed',
    'backfill eco2mix 2024-01-01 2024-12-31 --canary 5',
  ],
  watch: ['watch eco2mix'],
  fetch: [
    'fetch enedis',
    'fetch enedis r151 c15',
    'fetch enedis --mode test',
    'fetch enedis --mode resync --yes',
  ],
  status: ['status', 'status eco2mix 2024-01'],
  open: ['open', 'open cityflow', 'open eco2mix yesterday'],
  gaps: ['gaps eco2mix -90d yesterday'],
  stale: ['stale eco2mix 2024-01-01 2024-12-31'],
  show: ['show eco2mix yesterday', 'show smart-meter 2024-01-15.07-of-16'],
  diff: ['diff eco2mix yesterday', 'diff eco2mix 2024-01-15 --versions 1..3'],
  verify: ['verify eco2mix 2024-01-15', 'verify eco2mix 2024-01-01 2024-12-31 --sample 5'],
  export: [
    'export',
    'export eco2mix_national --from -30d --to yesterday --format parquet',
    'export consommation_mensuelle --dialect fr --output consommation.csv',
  ],
  doctor: ['doctor'],
  settings: ['settings'],
  'storage init': ['storage init', 'storage init --print'],
  reconcile: ['reconcile --dry-run', 'reconcile --conflict all --keep ours'],
  migrate: ['migrate --from embedded --to configured'],
  repair: ['repair eco2mix 2024-01 --dry-run'],
  gc: ['gc --dry-run'],
  forget: ['forget smart-meter 19283746501928 --dry-run'],
  retain: ['retain smart-meter --dry-run'],
  worker: ['worker --queues compute,report'],
  dev: ['dev'],
  api: ['api --port 8080', 'api --public-url https://days.example.org'],
  console: ['console', 'console --role reader --url https://days.example.org'],
  mcp: ['mcp'],
  demo: ['demo'],
  portal: ['portal --port 8090 --seed 7', 'portal --sftp 2222'],
  'codec-server': ['codec-server --origin https://temporal.example.org'],
  'schedules list': ['schedules list'],
  'schedules diff': ['schedules diff'],
  'schedules apply': ['schedules apply'],
  'schedules pause': ['schedules pause eco2mix/daily --reason "publisher is moving"'],
  'schedules resume': ['schedules resume eco2mix/daily'],
  'schedules trigger': ['schedules trigger eco2mix/daily --date yesterday'],
  'keys create': ['keys create dashboard --scope data:read ops:read --days 30'],
  'keys list': ['keys list'],
  'keys import': ['keys import earlier.env --scope data:read:enedis --days 365'],
  'keys rotate': ['keys rotate k_1a2b --overlap 7d'],
  'sessions list': ['sessions list'],
  'sessions end': ['sessions end oidc:alice --reason "left the team"'],
  'keys revoke': ['keys revoke k_1a2b'],
  'new dataset': ['new dataset river-levels'],
  completion: ['completion bash', 'completion zsh', 'completion fish'],
};

/** Every command that does something, with its words. */
export function leafCommands(
  command: Command,
  words: readonly string[] = [],
): [words: string, command: Command][] {
  return command.commands.flatMap((one) => {
    const own = [...words, one.name()];
    return one.commands.length > 0
      ? leafCommands(one, own)
      : [[own.join(' '), one] as [string, Command]];
  });
}

/** By the words of a command, such as `schedules pause`; without `quotidien` in front. */
export function examplesOf(words: string): readonly string[] {
  return EXAMPLES[words] ?? [];
}

/** Call it when all commands are made. */
export function addExamples(program: Command): void {
  for (const [words, command] of leafCommands(program)) {
    const lines = examplesOf(words).map((example) => `  $ quotidien ${example}`);
    if (lines.length > 0) command.addHelpText('after', ['', 'Examples:', ...lines].join('\n'));
  }
}
