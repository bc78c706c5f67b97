import type { DatasetCommand } from '../../kit/index.ts';

/** `quotidien enedis …`: archives and calculations of the electricity distributor. */
export const ENEDIS_COMMANDS: readonly DatasetCommand[] = [
  {
    name: 'turpe',
    arguments: '[file]',
    description:
      'the network tariff of lines (JSON or CSV; standard input without a file): an answer or an error for each',
    run: async (call, host) => (await import('./turpe.ts')).turpe(call, host),
  },
];
