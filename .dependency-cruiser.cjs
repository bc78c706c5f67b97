/**
 * The import rule of docs/principles.md, one row per folder: what it may import, and where only
 * types are allowed. `import type` is erased, so it makes no run-time edge; rows that allow types
 * leave those edges out.
 */
const TEMPORAL_SAFE = '^node_modules/@temporalio/(workflow|common)';
const PURE_LIBRARIES = '^node_modules/(luxon|@noble/hashes)';

/** A folder may depend on nothing but these paths; `types` are allowed as type-only imports. */
function only(folder, allowed, types = []) {
  const rule = (name, from, extra) => ({
    name,
    severity: 'error',
    comment: `${folder} may import only: ${[...allowed, ...types.map((type) => `types of ${type}`)].join(', ')}`,
    from: { path: `^src/${folder}/`, ...from },
    to: { pathNot: [`^src/${folder}/`, ...allowed, ...extra.allowed], ...extra.to },
  });
  return [
    rule(`${folder}-values`, {}, { allowed: [], to: { dependencyTypesNot: ['type-only'] } }),
    rule(`${folder}-types`, {}, { allowed: types, to: { dependencyTypes: ['type-only'] } }),
  ];
}

/**
 * The error table, what is given and what is not, and what takes secrets out of errors and logs:
 * leaves that every folder may import.
 */
const ERRORS = '^src/(errors|given|redaction|canonical-json)\\.ts$';
const PORTS = '^src/ports/';
/** What a machine tells of its processes and files. */
const MACHINE = '^packages/machine/src/';
const NODE_FILES =
  '^(fs|fs/promises|path|crypto|os|stream|stream/promises|events|url|module|timers/promises)$';

/**
 * The rooms of a folder, in the order in which they build on each other: a room imports from
 * itself, from the rooms before it, and from the files that lie in the folder itself (`.`), which
 * stand where `.` stands.
 */
const ROOMS = {
  engine: [
    '.',
    ...[
      'records',
      'publish',
      'plan',
      'execute',
      'sources',
      'download',
      'commit',
      'derive',
      'verify',
      'look',
      'watch',
      'upkeep',
    ],
  ],
  storage: [
    'shared',
    'local',
    'memory',
    'sqlite',
    'mongo',
    'aws',
    'sql',
    'cache',
    'outage',
    'setup',
  ],
  api: ['shared', 'security', 'answers', 'routes', 'earlier', '.'],
  cli: ['shared', 'temporal', 'look', 'make', 'doctor', 'stores', 'services', '.'],
};

function inOrder(folder, rooms) {
  const path = (room) => (room === '.' ? `^src/${folder}/[^/]+$` : `^src/${folder}/${room}/`);
  return rooms.slice(0, -1).map((room, index) => ({
    name: `${folder}-${room === '.' ? 'ground' : room}-below-${rooms[index + 1]}`,
    severity: 'error',
    comment: `rooms of ${folder} build on each other in this order: ${rooms.join(', ')}`,
    from: { path: path(room) },
    to: { path: rooms.slice(index + 1).map(path), dependencyTypesNot: ['type-only'] },
  }));
}

module.exports = {
  forbidden: [
    {
      name: 'one-calendar',
      severity: 'error',
      comment: 'zones, offsets and wall times are known to one file; the others ask it',
      from: { path: '^(src|packages)/', pathNot: '^src/pipelines/zoned-day\\.ts$' },
      to: { path: '^node_modules/(@types/)?luxon/' },
    },
    {
      name: 'sources-behind-their-port',
      severity: 'error',
      comment: 'how raw files are come by is known to sources; the others have the port `Source`',
      from: { path: '^src/engine/', pathNot: '^src/engine/sources/' },
      to: {
        path: '^src/engine/sources/(http-|sftp-|folder-source|fetch-|addresses|retry-after|partial-files)',
      },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['\\.d\\.ts$', '^src/workers/(build-bundle|dataset-trial)\\.ts$'],
      },
      to: {},
    },
    {
      name: 'no-undeclared',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'packages-know-no-src',
      severity: 'error',
      comment: 'a package imports its own files, packages before it and libraries',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '^(src|test|bench)/' },
    },
    {
      name: 'tests-of-packages-know-no-src',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^src/' },
    },
    {
      name: 'packages-build-on-the-machine-alone',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', MACHINE] },
    },
    {
      name: 'the-machine-is-node-alone',
      severity: 'error',
      from: { path: MACHINE },
      to: { pathNot: [MACHINE, NODE_FILES] },
    },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|packages/[^/]+/test)/' },
    },
    {
      name: 'the-ground-is-a-leaf',
      severity: 'error',
      from: { path: [ERRORS, PORTS] },
      to: { pathNot: [ERRORS, PORTS, '^node_modules/@noble/hashes/'] },
    },
    ...only('pipelines', [ERRORS, PURE_LIBRARIES], [PORTS, '^node_modules/zod/']),
    ...only(
      'datasets',
      [
        ERRORS,
        MACHINE,
        '^src/pipelines/',
        '^(fs|fs/promises|path)$',
        '^node_modules/(echarts|preact|preact-render-to-string|@turf)/',
        // Archives of files: keys, streams, zip and what is in it.
        '^(buffer|crypto|events|readline|stream|stream/promises|util|zlib)$',
        '^node_modules/(saxes|yauzl|@types/yauzl|@streamparser|hucre)/',
        // Parameters of questions.
        '^node_modules/zod/',
      ],
      [PORTS],
    ),
    ...only('workflows', [ERRORS, '^src/pipelines/', TEMPORAL_SAFE], ['^src/(activities|engine)/']),
    ...only(
      'storage',
      [
        ERRORS,
        PORTS,
        MACHINE,
        NODE_FILES,
        '^zlib$',
        '^node_modules/(@clickhouse|@duckdb|libsql|mongodb|@aws-sdk|@smithy|parquetjs-lite)',
        '^@duckdb',
      ],
      [],
    ),
    ...only(
      'engine',
      [
        ERRORS,
        MACHINE,
        '^src/pipelines/',
        '^src/datasets/',
        NODE_FILES,
        '^(dns|http|https|net|readline|zlib)$',
        '^node_modules/(@types/)?(ssh2|ssh2-sftp-client)/',
      ],
      [PORTS],
    ),
    ...only(
      'activities',
      [
        ERRORS,
        '^src/pipelines/',
        '^src/engine/',
        '^async_hooks$',
        '^node_modules/@temporalio/(activity|common)',
      ],
      [PORTS],
    ),
    {
      name: 'datasets-use-the-kit-alone',
      severity: 'error',
      comment:
        'a dataset of ours uses what a stranger’s may: its own files, quotidien/kit and libraries',
      from: { path: '^src/datasets/(?!kit/)([^/]+)/' },
      to: {
        path: '^(src|packages)/',
        pathNot: ['^src/datasets/$1/', '^src/datasets/kit/(page/)?index\\.ts$'],
      },
    },
    {
      name: 'the-kit-knows-no-dataset',
      severity: 'error',
      from: { path: '^src/datasets/kit/' },
      to: { path: '^src/datasets/(?!kit/)' },
    },
    ...Object.entries(ROOMS).flatMap(([folder, rooms]) => inOrder(folder, rooms)),
    ...only(
      'schedules',
      [ERRORS, '^src/pipelines/', '^src/datasets/', '^node_modules/@temporalio/client'],
      [],
    ),
    ...only('config', [ERRORS, NODE_FILES, '^node_modules/zod'], []),
    {
      name: 'surfaces-are-imported-by-surfaces',
      severity: 'error',
      comment:
        'workers, cli, api, console and mcp compose everything; nothing below them knows them',
      from: {
        path: '^src/(pipelines|datasets|workflows|storage|engine|activities|schedules|config)/',
      },
      to: { path: '^src/(workers|cli|api|console|mcp)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // What a build wrote beside the sources of a package.
    exclude: { path: '^packages/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
